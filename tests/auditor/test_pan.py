"""The search for card numbers sees each way to write one, and nothing where there is none."""

import base64
import gzip
import io
import json
import zipfile
from pathlib import Path

import pytest

from tests.auditor.pan import check_likely, check_pans
from tests.auditor.report import Report

NUMBER = "4000056655665556"
OTHER = "378282246310005"
UTF16 = NUMBER.encode("utf-16-le")


def archived(text: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("books/payments.jsonl", text)
    return file.getvalue()


def in_base64(before: int) -> bytes:
    return base64.b64encode(b"x" * before + f"{NUMBER}|x".encode())


WAYS: dict[str, bytes] = {
    "plain": NUMBER.encode(),
    "spaced": b"4000 0566 5566 5556",
    "dashed": b"4000-0566-5566-5556",
    "unevenly spaced": b"400005 6655 665556",
    "dotted": b"4000.0566.5566.5556",
    "slashed": b"4000/0566/5566/5556",
    "by tabs": b"4000\t0566\t5566\t5556",
    **{f"base64 behind {before}": in_base64(before) for before in range(3)},
    "url-safe base64": base64.urlsafe_b64encode(f'{{"n":"{NUMBER}"}}'.encode()),
    "hex": NUMBER.encode().hex().encode(),
    "packed": bytes.fromhex(NUMBER),
    "url-encoded": "".join(f"%{ord(digit):02x}" for digit in NUMBER).encode(),
    "url-encoded and spaced": b"4000%200566%205566%205556".replace(b"0566", b"%30%35%36%36")
    .replace(b"4000", b"%34%30%30%30")
    .replace(b"5566", b"%35%35%36%36")
    .replace(b"5556", b"%35%35%35%36"),
    "JSON escapes": "".join(f"\\u{ord(digit):04x}" for digit in NUMBER).encode(),
    "escapes within a JSON string in JSON": "".join(
        f"\\\\u{ord(digit):04x}" for digit in NUMBER
    ).encode(),
    "entities": "".join(f"&#{ord(digit)};" for digit in NUMBER).encode(),
    "entities in hex": "".join(f"&#x{ord(digit):x};" for digit in NUMBER).encode(),
    "UTF-16": UTF16,
    "UTF-16 the other way round": NUMBER.encode("utf-16-be"),
    "fullwidth digits": "".join(chr(ord(digit) + 0xFEE0) for digit in NUMBER).encode(),
    "Arabic digits": "".join(chr(ord(digit) + 0x630) for digit in NUMBER).encode(),
    "backwards": NUMBER[::-1].encode(),
    "over two fields": b'{"first":"40000566","second":"55665556"}',
    "over two numbered fields": b'{"part1":"40000566","part2":"55665556"}',
    "over four fields": b'{"a1":"4000","a2":"0566","a3":"5566","a4":"5556"}',
    "over fields, as numbers": b'{"a1":40000566,"a2":55665556}',
    "over two lines": b'{"at":"x","n":"40000566"}\n{"at":"y","n":"55665556"}',
    "over two lines of a text": b"first half 40000566,\nsecond half 55665556.",
    "in a zip": archived(f'{{"n":"{NUMBER}"}}'.encode()),
    "in a gzip": gzip.compress(NUMBER.encode()),
    "of an archive, in pieces": archived(b'{"a1":"40000566","a2":"55665556"}'),
}


def found(home: Path, data: bytes, numbers: tuple[str, ...] = (OTHER, NUMBER)) -> list[str]:
    """The messages about a file of some lines with this in the second."""
    (home / "data").mkdir(exist_ok=True)
    is_archive = data.startswith((b"PK", b"\x1f\x8b"))
    (home / "data/x").write_bytes(data if is_archive else b'{"seq":1}\n_' + data + b"_\n{}\n")
    report = Report()
    check_pans(home, list(numbers), [], report)
    assert all(NUMBER not in str(one) for one in report.findings)
    return [one.message for one in report.findings]


@pytest.mark.parametrize("way", WAYS)
def test_a_number_is_seen_however_it_is_written(home: Path, way: str):
    """The finding names it by its place in the list; one that is not asked for is not found."""
    data = WAYS[way]
    if data.startswith(b"{"):
        data = b"_\n" + data + b"\n_"
    messages = found(home, data)

    assert messages
    assert all(message.startswith("card 2 of 2, ") for message in messages)
    assert found(home, data, (OTHER,)) == []


def test_what_a_house_writes_is_no_number(home: Path):
    """BIN and last four digits beside each other, hashes, times and amounts: nothing is found."""
    line = {
        "seq": 400005,
        "timestamp": "2026-02-09T12:00:00.123Z",
        "bin": NUMBER[:6],
        "last4": NUMBER[-4:],
        "token": "tok_40000566556655560000000000000000"[:36],
        "hash": "4000056655665556" * 4,
        "amount": 66556655,
    }
    messages = found(home, json.dumps({**line, "token": "tok_1", "hash": "00ff"}).encode())
    assert messages == []


@pytest.mark.parametrize(
    ("text", "is_likely"),
    [
        ('"4000056655665556"', True),
        ('"4000 0566 5566 5556"', True),
        ("card=378282246310005&", True),
        (" 4000056655665557 ", False),  # its check digit is wrong
        ('"1739188800000000"', False),  # microseconds of a time
        ("tok_4000056655665556", False),
        ("a4000056655665556f", False),
        ("2026-02-09", False),
    ],
)
def test_a_number_that_nobody_told_us_of_is_seen_too(home: Path, text: str, is_likely: bool):
    """Alone among marks, with an issuer's beginning, length and check digit."""
    (home / "x").write_text(text)
    report = Report()
    check_likely(home, [], report)
    assert bool(report.findings) is is_likely, text
