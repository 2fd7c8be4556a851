"""Journals: steps without a gap, epochs that never fall, channels that lose and double nothing,
and books that hold exactly what was journaled.
"""

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.auditor.files import Line, each_of_chain
from tests.auditor.report import Report


def journal_paths(home: Path) -> list[str]:
    """The journals of this home, relative to it."""
    found = home.glob("data/actors/*/journal.jsonl")
    return sorted(str(path.relative_to(home)) for path in found)


def check_journals(home: Path, books: dict[str, list[Line]], report: Report) -> dict[str, int]:
    """All journals, one by one and against each other and the books. Result: the business time at
    which each booked line was decided, by its hash; the line itself tells wire time only."""
    standing = {line.hash: line for lines in books.values() for line in lines}
    journals = {}
    for path in journal_paths(home):  # Line by line: together they are larger than all else.
        found = journals[Path(path).parent.name] = Journal(report)
        for line in each_of_chain(home, path, report):
            found.see(line, standing)
    for name, journal in journals.items():
        for sender, n in journal.taken.items():
            if sender in journals and n > journals[sender].sent[name]:
                message = f"took message {n} of {sender}, who sent {journals[sender].sent[name]}"
                report.add("channels", journal.path, 0, message)
    if journals:
        _nobodys(standing, [journal.decided for journal in journals.values()], report)
    return {
        hash_: at_ms
        for journal in journals.values()
        for hash_, at_ms in journal.decided.items()
        if at_ms is not None
    }


class Journal:
    """What has to be remembered of a journal while its lines go by, in their order."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._step = self._epoch = 0
        self._has_gap = False  # told once
        self._edges: dict[str, tuple[int, int]] = {}
        self.path = ""
        self.sent: Counter[str] = Counter()  # the last number by receiver; numbers have no gap
        self.taken: Counter[str] = Counter()  # the last number by inner sender
        self.decided: dict[str, int | None] = {}  # business time by hash of a line for a book

    def see(self, line: Line, standing: dict[str, Line]) -> None:
        """The next line. `standing` are the lines of all books, by hash."""
        self.path = line.path
        self._report.saw("journal")
        self._goes_on(line)
        self._sends(line)
        self._takes(line)
        self._books(line, standing)

    def _goes_on(self, line: Line) -> None:
        self._step += 1
        if line["s"] != self._step and not self._has_gap:
            self._has_gap = True
            message = f"step {line['s']} where {self._step} was due"
            self._report.add("journal", line.path, line.number, message)
        epoch = line["epoch"] or 0
        if epoch < self._epoch:
            message = f"epoch {epoch} after epoch {self._epoch}"
            self._report.add("journal", line.path, line.number, message)
        self._epoch = epoch

    def _sends(self, line: Line) -> None:
        for out in line["out"] or []:
            to, n = out["to"], out["n"]
            if n != self.sent[to] + 1:
                message = f"message {n} to {to} after {self.sent[to]}"
                self._report.add("channels", line.path, line.number, message)
            self.sent[to] = n
            self._report.saw("channels")

    def _takes(self, line: Line) -> None:
        """Each number of an inner sender once, in order, without a gap. Lines from an edge (they
        carry no step of their sender) rise by (epoch, n)."""
        taken: dict[str, Any] = line["in"] or {}
        sender, n = taken.get("from", ""), taken.get("n", 0)
        if not n:
            return
        if taken.get("step"):
            if n != self.taken[sender] + 1:
                message = f"took message {n} of {sender} after {self.taken[sender]}"
                self._report.add("channels", line.path, line.number, message)
            self.taken[sender] = n
            return
        place = (taken.get("epoch", 0), n)
        if place <= self._edges.get(sender, (0, 0)):
            message = f"took line {place} of {sender} after {self._edges[sender]}"
            self._report.add("channels", line.path, line.number, message)
        self._edges[sender] = place

    def _books(self, line: Line, standing: dict[str, Line]) -> None:
        """Each line for a book stands in one."""
        for posted in line["books"] or []:
            hash_ = str((posted.get("line") or {}).get("hash"))
            self.decided[hash_] = _business_ms(line)
            self._report.saw("booked")
            if hash_ not in standing:
                message = f"a line for the book {posted.get('book')} is in no book"
                self._report.add("booked", line.path, line.number, message)


def _business_ms(line: Line) -> int | None:
    """When the step was decided. A step without a time of its own tells none."""
    try:
        at = datetime.fromisoformat(str(line["at"]))
    except ValueError:
        return None
    return round(at.timestamp() * 1000) + (line["ahead_ms"] or 0)


def _nobodys(
    standing: dict[str, Line], decided: list[dict[str, int | None]], report: Report
) -> None:
    """No book has a line that no journal has."""
    for hash_, line in standing.items():
        if not any(hash_ in some for some in decided):
            report.add("booked", line.path, line.number, "a line that no journal has")
