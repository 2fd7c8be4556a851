"""Lines, their hashes and their chains: the first thing that must hold in every book.

A line is JSON that ends in its own hash: SHA-256 in hex over the bytes before `,"hash":`. Right
before it stands `prev`, the hash of the line above in the same file; the first has 64 zeros.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.auditor.report import Report

GENESIS = "0" * 64
_ENDING = re.compile(rb',"hash":"([0-9a-f]{64})"\}\Z')
_BOOKS = (
    "data/ledger/*.jsonl",
    "data/outbox/*.jsonl",
    "data/vault/access_log.jsonl",
    "data/providers/*_truth.jsonl",
    "data/access/changes.jsonl",
    "mailboxes/dlq/*.jsonl",
)


@dataclass(frozen=True, slots=True)
class Line:
    """One whole line: where it stands, its hash, and what it says."""

    path: str
    number: int
    hash: str
    fields: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.fields.get(name)


def book_paths(home: Path) -> list[str]:
    """Every book that this home has, relative to it."""
    found = {path for pattern in _BOOKS for path in home.glob(pattern)}
    return sorted(str(path.relative_to(home)) for path in found)


def raw_lines(home: Path, path: str) -> tuple[list[bytes], bytes]:
    """Lines without their newline, and the rest behind the last newline. Nothing without a file."""
    try:
        *lines, rest = (home / path).read_bytes().split(b"\n")
    except FileNotFoundError:
        return [], b""
    return lines, rest


def read_chain(home: Path, path: str, report: Report) -> list[Line]:
    """The lines of a chained file that can be read; every one that is not whole, or does not
    follow the one above, is reported."""
    return list(each_of_chain(home, path, report))


def each_of_chain(home: Path, path: str, report: Report) -> Iterator[Line]:
    """The same, one line after the other, for files that are larger than a memory. The report is
    complete with the last one."""
    prev, number = GENESIS, 0
    for raw in _each_line(home, path):
        number += 1
        if not raw.endswith(b"\n"):
            report.add("chain", path, number, "the last line has no end")
            return
        report.saw("chain")
        line = _read(path, number, raw[:-1], report)
        if line is None:
            prev = _claimed(raw[:-1])
            continue
        if prev and line["prev"] != prev:
            report.add("chain", path, number, "does not follow the line above: prev differs")
        prev = line.hash
        yield line


def _each_line(home: Path, path: str) -> Iterator[bytes]:
    """With their newline, which the last one may lack. Nothing without a file."""
    try:
        with (home / path).open("rb") as file:
            yield from file
    except FileNotFoundError:
        return


def _read(path: str, number: int, raw: bytes, report: Report) -> Line | None:
    found = _ENDING.search(raw)
    if found is None:
        report.add("chain", path, number, "the line does not end in its hash")
        return None
    claimed = found[1].decode()
    if hashlib.sha256(raw[: found.start()]).hexdigest() != claimed:
        report.add("chain", path, number, "the line's bytes do not match its hash")
        return None
    fields = parsed(raw)
    if fields is None:
        report.add("chain", path, number, "not a JSON object, or a key stands twice")
        return None
    return Line(path, number, claimed, fields)


def _claimed(raw: bytes) -> str:
    """The hash that a damaged line claims, so that one wrong byte is one finding; else nothing."""
    found = _ENDING.search(raw)
    return found[1].decode() if found else ""


def parsed(raw: bytes) -> dict[str, Any] | None:
    """A JSON object, None for anything else and for a key that stands twice."""
    try:
        fields = json.loads(raw, object_pairs_hook=_once)
    except ValueError:
        return None
    return fields if isinstance(fields, dict) else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a key stands twice")
    return fields


def read_plain(path: Path, report: Report, check: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number, fields) of a witness file, which has no hashes. A cut last line is none."""
    for number, raw in enumerate(path.read_bytes().split(b"\n")[:-1], 1):
        fields = parsed(raw)
        if fields is None:
            report.add(check, str(path), number, "not a JSON object")
        else:
            yield number, fields


def gapless(lines: list[Line], report: Report, check: str) -> None:
    """`seq` counts from 1 without a gap over these lines, which are in the order of `seq`."""
    for expected, line in enumerate(lines, 1):
        if line["seq"] != expected:
            message = f"seq {line['seq']} where {expected} was due"
            report.add(check, line.path, line.number, message)
            return
    report.saw(check, len(lines))
