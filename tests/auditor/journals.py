"""Journals: steps without a gap, epochs that never fall, channels that lose and double nothing,
and books that hold exactly what was journaled.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.auditor.files import Line, read_chain
from tests.auditor.report import Report


def journal_paths(home: Path) -> list[str]:
    """The journals of this home, relative to it."""
    found = home.glob("data/actors/*/journal.jsonl")
    return sorted(str(path.relative_to(home)) for path in found)


def check_journals(home: Path, books: dict[str, list[Line]], report: Report) -> dict[str, int]:
    """All journals, one by one and against each other and the books. Result: the business time at
    which each booked line was decided, by its hash; the line itself tells wire time only."""
    journals = {Path(p).parent.name: read_chain(home, p, report) for p in journal_paths(home)}
    sent = {name: _sent(lines, report) for name, lines in journals.items()}
    for name, lines in journals.items():
        _steps(lines, report)
        taken = _taken(lines, report)
        for sender, n in taken.items():
            if sender in sent and n > sent[sender][name]:
                message = f"took message {n} of {sender}, who sent {sent[sender][name]}"
                report.add("channels", lines[-1].path, 0, message)
    if journals:
        _booked(journals, books, report)
    return {hash_: at_ms for lines in journals.values() for hash_, at_ms in _decided(lines)}


def _decided(lines: list[Line]) -> Iterator[tuple[str, int]]:
    """(hash, business time) of each booked line. A step without a time of its own tells none."""
    for line in lines:
        try:
            at = datetime.fromisoformat(str(line["at"]))
        except ValueError:
            continue
        for posted in line["books"] or []:
            hash_ = str((posted.get("line") or {}).get("hash"))
            yield hash_, round(at.timestamp() * 1000) + (line["ahead_ms"] or 0)


def _steps(lines: list[Line], report: Report) -> None:
    epoch = 0
    for expected, line in enumerate(lines, 1):
        if line["s"] != expected:
            message = f"step {line['s']} where {expected} was due"
            report.add("journal", line.path, line.number, message)
            break
        if (line["epoch"] or 0) < epoch:
            message = f"epoch {line['epoch']} after epoch {epoch}"
            report.add("journal", line.path, line.number, message)
        epoch = line["epoch"] or 0
    report.saw("journal", len(lines))


def _sent(lines: list[Line], report: Report) -> Counter[str]:
    """The last number sent to each receiver; numbers have no gap."""
    last: Counter[str] = Counter()
    for line in lines:
        for out in line["out"] or []:
            to, n = out["to"], out["n"]
            if n != last[to] + 1:
                message = f"message {n} to {to} after {last[to]}"
                report.add("channels", line.path, line.number, message)
            last[to] = n
            report.saw("channels")
    return last


def _taken(lines: list[Line], report: Report) -> Counter[str]:
    """The last number taken of each inner sender: each once, in order, without a gap. Lines from
    an edge (they carry no step of their sender) rise by (epoch, n)."""
    last: Counter[str] = Counter()
    edges: dict[str, tuple[int, int]] = {}
    for line in lines:
        taken: dict[str, Any] = line["in"] or {}
        sender, n = taken.get("from", ""), taken.get("n", 0)
        if not n:
            continue
        if taken.get("step"):
            if n != last[sender] + 1:
                message = f"took message {n} of {sender} after {last[sender]}"
                report.add("channels", line.path, line.number, message)
            last[sender] = n
        else:
            place = (taken.get("epoch", 0), n)
            if place <= edges.get(sender, (0, 0)):
                message = f"took line {place} of {sender} after {edges[sender]}"
                report.add("channels", line.path, line.number, message)
            edges[sender] = place
    return last


def _booked(journals: dict[str, list[Line]], books: dict[str, list[Line]], report: Report) -> None:
    """Each journaled book line stands in a book once, and no book has a line of nobody."""
    standing = {line.hash: line for lines in books.values() for line in lines}
    journaled = set()
    for lines in journals.values():
        for line in lines:
            for posted in line["books"] or []:
                found = (posted.get("line") or {}).get("hash")
                journaled.add(found)
                report.saw("booked")
                if found not in standing:
                    message = f"a line for the book {posted.get('book')} is in no book"
                    report.add("booked", line.path, line.number, message)
    for hash_, line in standing.items():
        if hash_ not in journaled:
            report.add("booked", line.path, line.number, "a line that no journal has")
