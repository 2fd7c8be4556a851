"""The steps of one journal as `why` needs them: which mention an id, and what each follows from.

A step follows from the step that sent its message, set its timer or started its errand; for a line
of a followed book that is found where the book is read. Reads only.
"""

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping

import msgspec

from payrail.audit.findings import Finding
from payrail.audit.nodes import Trace
from payrail.audit.reading import Part
from payrail.domain.messages import BOOK, ERRAND, HAND, TIMER
from payrail.storage.journal import JournalLine, Taken, decode_line
from payrail.storage.lines import is_whole

#: How much is read at once on the way back through a journal.
BACK_BYTES = 1024 * 1024
#: What a line took stands in it before anything that somebody else wrote.
_TAKEN = re.compile(rb'"in":\{"from":"([^"]*)","id":"([^"]*)"')
#: Behind the name of an errand: which try of it this is.
_TRY = re.compile(rb":\d+$")
_FROM_ERRAND = b'"in":{"from":"%b"' % ERRAND.encode()
_TEXTS = re.compile(rb'"([^"]+)"')


class Steps:
    """One journal: where its lines begin, those of interest, and which line took which message."""

    def __init__(self, name: str, part: Part) -> None:
        self.name, self.part = name, part
        self.known: dict[int, JournalLine] = {}
        self.took: dict[str, int] = {}  # message id -> line, if asked for
        self.outcomes: dict[bytes, list[int]] = {}  # name of an errand -> lines of its outcomes
        self._ends: array[int] = array("Q", [0])

    def scan(self, trace: Trace, *, index: bool) -> None:
        """Read every line; keep those that mention what is looked for."""
        for number, end, raw in self.part.lines():
            self._ends.append(end)
            if index or _FROM_ERRAND in raw:
                self._note_taken(number, raw, index=index)
            if trace.needle.is_in(raw):
                self._keep(number, raw, trace)

    def _note_taken(self, number: int, raw: bytes, *, index: bool) -> None:
        found = _TAKEN.search(raw)
        if found is None or found[1] == TIMER.encode():
            return
        if found[1] == ERRAND.encode():
            name = _TRY.sub(b"", found[2].removeprefix(f"{ERRAND}:".encode()))
            self.outcomes.setdefault(name, []).append(number)
        if index:
            self.took.setdefault(found[2].decode("utf-8", "replace"), number)

    def step(self, number: int, trace: Trace) -> JournalLine | None:
        """Line `number`, read now if it was not of interest before."""
        if number in self.known:
            return self.known[number]
        raw = self.raw(number)
        return self._keep(number, raw, trace) if raw else None

    def raw(self, number: int) -> bytes:
        if not 0 < number < len(self._ends) or self.part.file is None:
            return b""
        begin = self._ends[number - 1]
        return self.part.file.pread(begin, self._ends[number] - begin - 1)

    def told(self, size: int) -> int:
        """The step that was durable and told when the file had `size` bytes."""
        raw = self.raw(bisect_right(self._ends, size) - 1)
        return decode_line(raw).dur if raw and is_whole(raw) else 0

    def setter(self, timer: str, number: int) -> int:
        """The last line before `number` that set a timer of that name; 0 for none."""
        mark = b'"set":' + msgspec.json.encode(timer)
        for at, raw in self._back(number):
            if mark not in raw or not is_whole(raw):
                continue
            if any(line.set == timer for line in decode_line(raw).timers):
                return at
        return 0

    def starter(self, errand_id: str, number: int) -> int:
        """The last line before `number` with an event that names the errand; 0 for none: what an
        errand is called is its actor's affair."""
        mark = _TRY.sub(b"", errand_id.encode())
        for at, raw in self._back(number):
            if mark not in raw or not is_whole(raw):
                continue
            line = decode_line(raw)
            is_outcome = line.in_.id == f"{ERRAND}:{errand_id}"
            if not is_outcome and any(mark in bytes(event) for event in line.events):
                return at
        return 0

    def _back(self, number: int) -> Iterator[tuple[int, bytes]]:
        """(number, line) from the line before `number` to the first."""
        high = min(number, len(self._ends))
        while high > 1 and self.part.file is not None:
            end = self._ends[high - 1]
            low = min(high - 1, bisect_left(self._ends, max(0, end - BACK_BYTES)) + 1)
            begin = self._ends[low - 1]
            lines = self.part.file.pread(begin, end - begin).split(b"\n")[:-1]
            yield from ((low + at, lines[at]) for at in reversed(range(len(lines))))
            high = low

    def _keep(self, number: int, raw: bytes, trace: Trace) -> JournalLine | None:
        if not is_whole(raw):
            what = "a damaged line stands here in the chain"
            trace.broken.append(Finding(self.part.path, number, what))
            return None
        self.known[number] = decode_line(raw)
        return self.known[number]


def is_message(taken: Taken) -> bool:
    """Whether a step took what somebody sent; not a timer, an errand's outcome or a book."""
    return bool(taken.n) and not taken.from_.startswith((TIMER, ERRAND, HAND, BOOK))


def is_about(taken: Taken, raw: bytes, trace: Trace) -> bool:
    """A step that read a book may have written about many things; of others, all counts."""
    return not taken.from_.startswith(BOOK) or trace.needle.is_in(raw)


def cause_of(
    journals: Mapping[str, Steps], name: str, number: int, trace: Trace
) -> tuple[str, int] | None:
    """(actor, step) that a step follows from; None when it began with an edge, a person, a book,
    or nothing that can be found."""
    journal = journals[name]
    taken = journal.known[number].in_
    if taken.from_ == TIMER:
        setter = journal.setter(taken.id, number)
        if not setter:
            what = f"takes timer {taken.id}, which no step above has set"
            trace.broken.append(Finding(journal.part.path, number, what))
        return (name, setter) if setter else None
    if taken.from_ == ERRAND:
        starter = journal.starter(taken.id.removeprefix(f"{ERRAND}:"), number)
        return (name, starter) if starter else None
    if is_message(taken) and taken.from_ in journals:
        return (taken.from_, taken.step) if taken.step else None
    return None


def add_causes(journals: Mapping[str, Steps], trace: Trace) -> None:
    """Take in the steps that the known ones follow from, until nothing is new."""
    waiting = [(name, number) for name, journal in journals.items() for number in journal.known]
    while waiting:
        name, number = waiting.pop()
        cause = trace.causes[name, number] = cause_of(journals, name, number, trace)
        if cause is None or cause[1] in journals[cause[0]].known:
            continue
        if journals[cause[0]].step(cause[1], trace) is not None:
            waiting.append(cause)


def add_effects(journals: Mapping[str, Steps], trace: Trace) -> None:
    """Take in the steps that took what the known ones sent, until nothing is new."""
    waiting = [(name, number) for name, journal in journals.items() for number in journal.known]
    while waiting:
        name, number = waiting.pop()
        for raw in journals[name].known[number].out:
            sent = msgspec.json.decode(raw, type=_Sent)
            journal = journals.get(sent.to)
            taker = journal.took.get(sent.id) if journal else None
            if journal is None or taker is None or taker in journal.known:
                continue
            if journal.step(taker, trace) is not None:
                waiting.append((sent.to, taker))


def add_outcomes(journals: Mapping[str, Steps], trace: Trace) -> None:
    """Take in what came of the errands that events of the known steps name."""
    for journal in journals.values():
        waiting = list(journal.known.values()) if journal.outcomes else []
        while waiting:
            line = waiting.pop()
            told = (bytes(event) for event in line.events)
            events = b" ".join(event for event in told if is_about(line.in_, event, trace))
            for name in {_TRY.sub(b"", text) for text in _TEXTS.findall(events)}:
                for number in journal.outcomes.get(name, ()):
                    if number not in journal.known and (found := journal.step(number, trace)):
                        waiting.append(found)


class _Sent(msgspec.Struct):
    id: str
    to: str
