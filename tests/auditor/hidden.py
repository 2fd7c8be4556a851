"""Card numbers that somebody hid: escaped, in another alphabet, packed away, or in pieces.

`pan` looks at bytes as they are. Here they are first turned back: JSON escapes, entities, UTF-16,
digits of other scripts, archives; then pieces that stand side by side are put together, over fields
and over lines. `check_luhn` finds numbers that nobody told us about.
Never: prints a number.
"""

import gzip
import io
import json
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

#: Pieces of one number stand this near to each other.
GAP_BYTES = 120
#: A number in more pieces than that is no number any more, for whoever finds it.
PIECES_MAX = 4
#: An archive is opened up to here, and no archive in an archive: we make none.
UNPACKED_BYTES_MAX = 64 * 1024 * 1024

_ESCAPED = re.compile(rb"\\+u00(3\d)|&#(4[89]|5[0-7]);|&#x(3\d);")
_WIDE = re.compile(rb"(?:[0-9]\x00){12,}|(?:\x00[0-9]){12,}")
_ODD_DIGITS = re.compile(r"[^\x00-\x7f]")
_RUN = re.compile(rb"[0-9]+")
#: Between digits: marks that people group by, beside blank and dash.
_GROUPED = re.compile(rb"(?<![0-9])[0-9]{1,6}(?:[._/,:|\t\r\n ][0-9]{1,6}){2,15}(?![0-9])")
#: As issuers number cards, alone among letters and marks: dates and counters look otherwise.
_LIKELY = re.compile(
    rb"(?<![0-9A-Za-z_.:+/-])"
    rb"(?:[2-6][0-9]{15}|3[47][0-9]{13}|3[068][0-9]{12}"
    rb"|[2-6][0-9]{3}(?:([ -])[0-9]{4})(?:\1[0-9]{4}){2})"
    rb"(?![0-9A-Za-z_.:+/-])"
)


def unpacked(data: bytes) -> Iterator[bytes]:
    """The data, and what is in it when it is an archive."""
    yield data
    try:
        if data.startswith(b"PK\x03\x04"):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                yield from (archive.read(one) for one in archive.namelist())
        elif data.startswith(b"\x1f\x8b"):
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
                yield file.read(UNPACKED_BYTES_MAX)
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error):
        return


def turned_back(data: bytes) -> Iterator[tuple[str, bytes]]:
    """(spelling, the same with digits as they are) where there is anything to turn back."""
    if _ESCAPED.search(data):
        yield "escaped", _ESCAPED.sub(_digit, data)
    for wide in _WIDE.finditer(data):
        yield "UTF-16", wide[0].replace(b"\0", b"")
    try:
        text = data.decode() if not data.isascii() else ""
    except UnicodeDecodeError:
        text = ""
    if _ODD_DIGITS.search(text):
        yield "digits of another script", "".join(map(_plain, text)).encode()
    for grouped in _GROUPED.finditer(data):
        yield "grouped by other marks", re.sub(rb"[^0-9]", b"", grouped[0])
    yield "backwards", data[::-1]


def _digit(found: re.Match[bytes]) -> bytes:
    """The digit that an escape or an entity stands for."""
    hexadecimal, decimal = found[1] or found[3], found[2]
    return bytes([int(hexadecimal, 16) if hexadecimal else int(decimal)])


def _plain(sign: str) -> str:
    value = unicodedata.digit(sign, None) if not sign.isascii() else None
    return sign if value is None else str(value)


def in_pieces(data: bytes, numbers: set[str]) -> Iterator[tuple[int, str]]:
    """(offset, number) of each known number that stands in two to four pieces side by side: runs
    of digits in the bytes, or values of one JSON line and the next."""
    runs = ((found.start(), found.end(), found[0].decode()) for found in _RUN.finditer(data))
    yield from _joined(runs, numbers)
    yield from _joined(_values(data), numbers)


def _joined(pieces: Iterable[tuple[int, int, str]], numbers: set[str]) -> Iterator[tuple[int, str]]:
    longest = max(map(len, numbers), default=0)
    near: list[tuple[int, int, str]] = []
    for begin, end, digits in pieces:
        if near and begin - near[-1][1] > GAP_BYTES:
            near.clear()
        near.append((begin, end, digits))
        del near[:-PIECES_MAX]
        text = digits
        for earlier in reversed(near[:-1]):
            text = earlier[2] + text
            if len(text) > longest:
                break
            if text in numbers:
                yield earlier[0], text


def _values(data: bytes) -> Iterator[tuple[int, int, str]]:
    """Values of the lines that are JSON, in their order, where they hold digits and nothing else
    that is read: names of fields, which may hold digits too, lie between them."""
    at = 0
    for line in data.split(b"\n"):
        if line.startswith((b"{", b"[")):
            try:
                found = json.loads(line)
            except (ValueError, RecursionError):
                found = None
            for value in _leaves(found):
                yield at, at + 1, value
        at += len(line) + 1


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    elif isinstance(value, str) and 2 <= len(digits := re.sub(r"[ -]", "", value)) <= 19:
        if digits.isascii() and digits.isdigit():
            yield digits
    elif isinstance(value, int) and not isinstance(value, bool) and value >= 10:
        yield str(value)


def likely_cards(data: bytes) -> Iterator[int]:
    """Offsets of numbers that could be a card's: an issuer's length and beginning, and a check
    digit that is right, which one number in ten has by chance."""
    for found in _LIKELY.finditer(data):
        if _is_luhn(re.sub(rb"[ -]", b"", found[0]).decode()):
            yield found.start()


def _is_luhn(digits: str) -> bool:
    doubled = [int(d) * (2 if at % 2 else 1) for at, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0
