"""No card number in any file, however it is spelled, and no field for a CVC.

Known numbers are looked for plain, spaced, dashed, in hex, URL-encoded, packed two digits a byte,
and in base64 at each of its three alignments. All but the packed form are turned back into runs of
digits first, so that a thousand numbers cost one reading. What somebody hid is in `hidden`.
Never: prints a number; a finding names it by its place in the given list.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.auditor.hidden import in_pieces, likely_cards, turned_back, unpacked
from tests.auditor.report import Report

_CVC = re.compile(rb'\\*"(?:cvc|cvv|cvc2|cvv2|cvn|security_code)\\*"\s*:', re.IGNORECASE)
#: A number that is nearly all zeros is what whole numbers look like in a binary file.
ZEROS_MAX = 4
_SEPARATORS = re.compile(rb"[ -]")
# Digits in base64, three a group: the top half of each byte is 0011, which fixes these letters.
_GROUP = rb"[MNO][DTjz][AEIMQUYcgk][w-z0-5]"


def _from_base64(run: bytes) -> str:
    """The digits of whole groups."""
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    number = 0
    for letter in run:
        number = number * 64 + alphabet.index(letter)
    return number.to_bytes(len(run) * 3 // 4, "big").decode("latin-1")


@dataclass(frozen=True, slots=True)
class Spelling:
    """One way to write digits: how a run of them looks, and how it is turned back."""

    name: str
    pattern: re.Pattern[bytes]
    digits: Callable[[bytes], str]
    is_partial: bool = False  # the run may lack up to two digits at each end


SPELLINGS = (
    Spelling(
        "plain, spaced or dashed",
        re.compile(rb"\d(?:[ -]?\d){11,}"),
        lambda run: _SEPARATORS.sub(b"", run).decode(),
    ),
    Spelling(
        "hex",
        re.compile(rb"(?:3\d){12,}"),
        lambda run: run[1::2].decode(),
    ),
    Spelling(
        "url-encoded",
        re.compile(rb"(?:%3\d(?:%20|%2[dD]|\+|-)?){12,}"),
        lambda run: b"".join(re.findall(rb"%3(\d)", run)).decode(),
    ),
    Spelling("base64", re.compile(rb"(?:%b){3,}" % _GROUP), _from_base64, is_partial=True),
)


@dataclass(slots=True)
class Needles:
    """The known numbers, by every piece that a spelling may show."""

    whole: dict[str, int] = field(default_factory=dict)
    parts: dict[str, int] = field(default_factory=dict)
    packed: dict[bytes, int] = field(default_factory=dict)

    def __init__(self, pans: list[str]) -> None:
        self.whole, self.parts, self.packed = {}, {}, {}
        for place, pan in enumerate(pans, 1):
            self.whole[pan] = place
            for skipped in range(3):
                groups = (len(pan) - skipped) // 3
                self.parts[pan[skipped : skipped + groups * 3]] = place
            if len(pan) % 2 == 0:
                self.packed[bytes.fromhex(pan)] = place

    def among(self, digits: str, *, is_partial: bool) -> set[int]:
        """Which of the known numbers stand in this run of digits."""
        wanted = self.parts if is_partial else self.whole
        sizes = {len(part) for part in wanted}
        windows = (digits[at : at + size] for size in sizes for at in range(len(digits) - size + 1))
        return {wanted[window] for window in windows if window in wanted}


def read_pans(path: Path) -> list[str]:
    """Card numbers, one a line; whatever is no digit is left out."""
    lines = path.read_text().splitlines()
    return [digits for line in lines if (digits := re.sub(r"\D", "", line))]


def check_pans(home: Path, pans: list[str], extra: list[Path], report: Report) -> None:
    """Every file under the home, and the extra ones, without a known number or a CVC field."""
    needles = Needles(pans)
    for path in [*_files(home), *extra]:
        shown = str(path.relative_to(home)) if path.is_relative_to(home) else str(path)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            continue
        report.saw("card numbers")
        for at, place, spelling in dict.fromkeys(_found(data, needles)):
            message = f"card {place} of {len(pans)}, {spelling}"
            line = data.count(b"\n", 0, at) + 1 if at >= 0 else 0
            report.add("card numbers", shown, line, message)
        if shown.startswith(("data/", "mailboxes/")):
            report.saw("cvc fields")
            for found in _CVC.finditer(data):
                line = data.count(b"\n", 0, found.start()) + 1
                report.add("cvc fields", shown, line, "a field for a CVC")


def check_likely(home: Path, extra: list[Path], report: Report) -> None:
    """No number that could be a card's, whoever it is of: in no file of the home, and in none of
    the others. What is random looks like one now and then, and stands among letters."""
    for path in [*_files(home), *extra]:
        shown = str(path.relative_to(home)) if path.is_relative_to(home) else str(path)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            continue
        report.saw("likely cards")
        for at in likely_cards(data):
            line = data.count(b"\n", 0, at) + 1
            report.add("likely cards", shown, line, "a number that could be a card's")


def _files(home: Path) -> list[Path]:
    return sorted(path for path in home.rglob("*") if path.is_file() and not path.is_symlink())


def _found(data: bytes, needles: Needles) -> Iterator[tuple[int, int, str]]:
    """The same as `_hits`; where those see nothing of a number, also how somebody may have hidden
    it. -1: somewhere within."""
    for depth, inner in enumerate(unpacked(data)):
        where, seen = "in an archive, " if depth else "", set[int]()
        for at, place, spelling in _hits(inner, needles):
            seen.add(place)
            yield -1 if depth else at, place, f"{where}{spelling}"
        for at, place, spelling in _hidden(inner, needles):
            if place not in seen:
                yield -1 if depth else at, place, f"{where}{spelling}"


def _hidden(data: bytes, needles: Needles) -> Iterator[tuple[int, int, str]]:
    for at, number in in_pieces(data, set(needles.whole)):
        yield at, needles.whole[number], "in pieces"
    for name, text in turned_back(data):
        for _, place, _ in _hits(text, needles):
            yield -1, place, name


def _hits(data: bytes, needles: Needles) -> Iterator[tuple[int, int, str]]:
    """(offset, place in the list, spelling) of each known number."""
    for spelling in SPELLINGS:
        for run in spelling.pattern.finditer(data):
            digits = spelling.digits(run[0])
            for place in sorted(needles.among(digits, is_partial=spelling.is_partial)):
                yield run.start(), place, spelling.name
    for packed, place in needles.packed.items():
        at = data.find(packed)
        if at >= 0 and packed.count(0) < ZEROS_MAX:
            yield at, place, "packed"
