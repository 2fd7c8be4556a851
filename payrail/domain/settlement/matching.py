"""Match the lines of statements with what we booked: on provider, its reference and type.

Every line of a report's batches ends in one of four ways: matched, a break, in doubt (we asked for
it and have not heard the end of it), or, of an earlier batch, done in an earlier report. What was
in doubt is judged as any other line once we know what it is about.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from msgspec import Struct

from payrail.domain.settlement import breaks
from payrail.domain.settlement.breaks import Break
from payrail.domain.settlement.cutoffs import overdue_ms
from payrail.domain.settlement.lines import (
    CAPTURE,
    DISPUTED,
    PAR,
    REFUND,
    REFUNDED,
    TAKEN_BACK,
    StatementLine,
)
from payrail.domain.settlement.ours import Booked, Ours
from payrail.domain.timestamps import parse_iso

#: What a call says that has begun and has no end in the book.
_BEGUN = frozenset({"payment.capture_requested", "payment.unknown", "payment.attempt_started"})
#: The same of a refund.
_REFUND_BEGUN = frozenset({"refund.submitted", "payment.unknown"})
_WORDS = {CAPTURE: "captured", REFUND: "refunded"}
_LATE = "the line belongs to a batch that ended before"


class Batch(Struct, frozen=True):
    """A closed batch, as its provider told of it. Times are business time."""

    provider: str
    id: str
    date: str
    opened_ms: int
    closed_ms: int
    path: str
    bank_path: str


@dataclass(frozen=True, slots=True)
class Window:
    """What a report looks at. Prefixes are ends (`seq`) of the ledger's files by date."""

    date: str
    closed_ms: int  # of the last batch of this date
    before_ms: int  # of the last batch of earlier dates
    prefixes: dict[str, int]
    refund_prefixes: dict[str, int] = field(default_factory=dict)
    dispute_prefixes: dict[str, int] = field(default_factory=dict)

    def prefix(self, type_: str, date: str) -> int:
        """The end of the file that has what a line of this type is about."""
        if type_ in REFUNDED:
            return self.refund_prefixes.get(date, 0)
        prefixes = self.dispute_prefixes if type_ in DISPUTED else self.prefixes
        return prefixes.get(date, 0)

    def known_before(self, type_: str) -> int:
        """The furthest end of that file at which a report of an earlier date looks."""
        earlier = (date for date in self.prefixes if date < self.date)
        return max((self.prefix(type_, date) for date in earlier), default=0)


@dataclass(slots=True)
class Found:
    """What became of everything; breaks are not numbered yet."""

    matched: list[tuple[Ours, StatementLine]] = field(default_factory=list)
    # In doubt before, or a break while the news of it was on its way.
    caught_up: list[tuple[Ours, Batch, StatementLine]] = field(default_factory=list)
    breaks: list[tuple[Break, Ours | None, StatementLine | None]] = field(default_factory=list)
    strange: list[tuple[Batch, StatementLine]] = field(default_factory=list)  # match no capture
    expected: list[Ours] = field(default_factory=list)
    doubtful: list[StatementLine] = field(default_factory=list)
    paid: dict[tuple[str, str], int] = field(default_factory=dict)  # net by (batch, currency)


class Matcher:
    """Give it the batches in the order of their closing; then ask for what is missing."""

    def __init__(self, window: Window, booked: Booked) -> None:
        self._window, self._booked = window, booked
        self._seen: dict[tuple[str, str, str], str] = {}  # key -> id of the batch that had it
        self.found = Found()

    def earlier(self, batch: Batch, lines: Iterable[StatementLine]) -> None:
        """A batch of an earlier date: its report is written. A line about what we had not booked
        by then could not be held against it, and is judged now."""
        for line in lines:
            key = _key(line)
            ours = self._booked.get(key)
            if ours is None and line.type not in (CAPTURE, TAKEN_BACK):
                continue
            before = self._seen.get(key)
            self._seen[key] = batch.id
            if ours and ours.seq > self._window.prefix(line.type, batch.date):
                self._catch_up(batch, line, ours, before)

    def _catch_up(self, batch: Batch, line: StatementLine, ours: Ours, before: str | None) -> None:
        """A match is said again by every later report, and booked once; a break stands in the
        first report that knows of it."""
        found = _wrong(ours, line, batch, before)
        if found is None:
            self.found.caught_up.append((ours, batch, line))
        elif ours.seq > self._window.known_before(line.type):
            self._break(found[0], ours, line, batch, found[1])

    def today(self, batch: Batch, lines: Iterable[StatementLine]) -> None:
        """A batch of this report's date."""
        sums = self.found.paid
        for line in lines:
            place = batch.id, line.currency
            sums[place] = sums.get(place, 0) + line.net
            self._judge(batch, line)

    def _judge(self, batch: Batch, line: StatementLine) -> None:
        key = _key(line)
        ours = self._booked.get(key)
        if ours is None and line.type in DISPUTED:
            self._beside(batch, line)
            return
        if ours is None:
            self.found.strange.append((batch, line))
            return
        found = _wrong(ours, line, batch, self._seen.get(key))
        self._seen.setdefault(key, batch.id)
        if found is None:
            self.found.matched.append((ours, line))
        else:
            self._break(found[0], ours, line, batch, found[1])

    def _beside(self, batch: Batch, line: StatementLine) -> None:
        what = "refund" if line.type in REFUNDED else "chargeback"
        self._break(what, None, line, batch, f"a {what} that we know nothing of")

    def _break(
        self,
        class_: str,
        ours: Ours | None,
        line: StatementLine | None,
        batch: Batch | None,
        why: str,
    ) -> None:
        made = breaks.made(class_, ours, line, why, batch_id=batch.id if batch else None)
        counted = None if class_ in breaks.BESIDE else ours
        self.found.breaks.append((made, counted, line))

    def missing(self) -> None:
        """Captures that no statement had until now: expected for a day after their cut-off, then
        missing; each is missed in one report, the first in which it is."""
        for ours in self._booked.values():
            if ours.key in self._seen:
                continue
            overdue = overdue_ms(ours.provider, ours.captured_ms)
            if overdue > self._window.closed_ms:
                self.found.expected.append(ours)
            elif overdue > self._window.before_ms:
                why = f"{_done(ours)}, and in no statement a day after its cut-off"
                self._break("missing_theirs", ours, None, None, why)

    def resolve(self, words: dict[str, tuple[int, list[str]]]) -> None:
        """Judge the lines that match no capture by what the book says about our reference."""
        for batch, line in self.found.strange:
            types = words.get(line.reference, (0, []))[1]
            if line.type in REFUNDED:
                self._resolve_refund(batch, line, types)
                continue
            if types and types[-1] in _BEGUN and line.type == CAPTURE:
                self.found.doubtful.append(line)
            elif types:
                why = f"the provider says {line.type}; our last word is {types[-1]}"
                self._break("wrong_state", None, line, batch, why)
            else:
                why = "the provider knows a capture that we do not"
                self._break("missing_ours", None, line, batch, why)

    def _resolve_refund(self, batch: Batch, line: StatementLine, types: list[str]) -> None:
        if types and types[-1] in _REFUND_BEGUN:
            self.found.doubtful.append(line)
        else:
            self._beside(batch, line)


def _key(line: StatementLine) -> tuple[str, str, str]:
    """What it is matched on: that a capture was taken back is said of the capture."""
    provider, reference, type_ = line.key
    return provider, reference, CAPTURE if type_ == TAKEN_BACK else type_


def _wrong(
    ours: Ours, line: StatementLine, batch: Batch, before: str | None
) -> tuple[str, str] | None:
    """(class, why) of a line that is ours; None: nothing is wrong. `before`: the id of the batch
    in which the same line stood already."""
    if before is not None:
        return "duplicate", f"the same line stood in {before}"
    return _difference(ours, line, batch)


def _difference(ours: Ours, line: StatementLine, batch: Batch) -> tuple[str, str] | None:
    """(class, why) of what is wrong with a line that is ours; None: nothing."""
    if line.type == TAKEN_BACK:
        return "wrong_state", "the provider says that it took the capture back"
    if line.currency != ours.currency:
        return "currency", f"{line.currency} where we {_done(ours)} {ours.currency}"
    if line.rate != PAR:
        return "fx", f"converted at {line.rate} where nothing is to be converted"
    if line.gross != ours.gross:
        return "amount", f"gross {line.gross} where we {_done(ours)} {ours.gross}"
    if line.fee != ours.fee:
        return "fee", f"fee {line.fee} where we expected {ours.fee}"
    if line.net != ours.net:
        return "amount", f"net {line.net} is not gross less fee"
    if line.batch_id != batch.id:
        return "wrong_batch", f"the line names {line.batch_id} in the statement of {batch.id}"
    if parse_iso(line.occurred_at) < batch.opened_ms:
        return "late", f"{_LATE} {batch.id}"
    return None


def _done(ours: Ours) -> str:
    return _WORDS.get(ours.type, f"booked a {ours.type}")


def in_order(batches: Iterable[Batch]) -> Sequence[Batch]:
    """Batches in the order of their closing."""
    return sorted(batches, key=lambda batch: (batch.closed_ms, batch.provider, batch.id))
