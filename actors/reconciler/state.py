"""What the reconciler knows: batches by date, the run under way, and who proposed which posting.

Owns: data/actors/reconciler/state.json.
Never: holds lines of statements or captures; those are read by works, off the files.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Struct, field

from actors.reconciler import payout_files
from actors.reconciler.payout_files import PayoutsDone, PayoutsWanted
from payrail.domain.words.settlement import BatchClosed, Reported, SettledRow, SettlementWritten
from payrail.errors import LineDamaged
from payrail.runtime.actor import Asker

#: Answers that are kept for those who ask again.
ANSWERS_MAX = 16
STATE_PATH = "data/actors/reconciler/state.json"


class Day(Struct):
    """One date: its batches, and how far it is written and reported."""

    batches: list[str] = []
    closed_ms: int = 0  # of the last of them
    written: SettlementWritten | None = None  # with the ledger's prefix at that closing
    written_batches: int = -1
    reported: Reported | None = None
    reported_batches: int = -1
    booked: str = ""  # hash of the pages that the gateway has booked

    @property
    def is_unwritten(self) -> bool:
        return self.written_batches != len(self.batches)

    @property
    def is_unreported(self) -> bool:
        return self.reported_batches != len(self.batches)


class Run(Struct, frozen=True, kw_only=True):
    """One order, from its question to its answer; only one is under way at a time."""

    id: str
    kind: str  # settle | fetch | reconcile
    date: str | None
    correlation_id: str
    askers: list[Asker] = []
    also: list[str] = []  # ids of other orders that wait for this one's answer
    phase: str = "waiting"  # closing | writing | matching | booking
    closing: list[str] = []  # providers that have not closed yet
    silent: list[str] = []  # providers that were gone on without
    dates: list[str] = []  # still to do, the first under way
    writing: str = ""  # the date whose file is being written
    covering: int = 0  # batches of the date that is being written or matched
    done: list[str] = []
    next_page: int = 1
    reading: list[int] = []
    sent: list[int] = []

    @property
    def at(self) -> str:
        """The date under way."""
        return self.dates[0]


class Question(Struct, frozen=True, kw_only=True):
    """A proposal or an approval that waits for a look at its report."""

    id: str
    verb: str  # propose | approve
    date: str
    number: int
    user_id: str
    merchant_id: str | None
    asker: Asker | None
    correlation_id: str


class Proposal(Struct, frozen=True, kw_only=True):
    """The suggested posting of one break on its way into the books."""

    break_id: str
    date: str
    number: int
    row: SettledRow
    proposed_by: str
    proposed_at: str
    approved_by: str | None = None
    approved_at: str | None = None
    booked: bool = False
    asker: Asker | None = None  # who waits for the booking
    already: bool = False  # nothing of it was left to be posted: the books had it


class BatchHeard(Struct, frozen=True, tag_field="type", tag="batch.heard"):
    """A provider has told of a batch that it closed."""

    batch: BatchClosed


class RunQueued(Struct, frozen=True, tag_field="type", tag="run.queued"):
    """An order that waits for the run under way, if there is one."""

    run: Run


class RunJoined(Struct, frozen=True, tag_field="type", tag="run.joined"):
    """One more who waits for the answer of a run that was known; `as_id`: of an order of its own,
    whose key means this answer from now on."""

    run_id: str
    asker: Asker
    as_id: str = ""


class RunMoved(Struct, frozen=True, tag_field="type", tag="run.moved"):
    """The run under way as it stands now; None: it has ended."""

    run: Run | None


class RunAnswered(Struct, frozen=True, tag_field="type", tag="run.answered"):
    """The answer of a run that has ended, for whoever asks the same again."""

    run_id: str
    status: int
    body: dict[str, Any]


class RunTaken(Struct, frozen=True, tag_field="type", tag="run.taken"):
    """The first of the queue is under way."""


class FileWritten(Struct, frozen=True, tag_field="type", tag="file.written"):
    """The settlement file of a date is in place; it covers so many of its batches."""

    written: SettlementWritten
    batches: int


class ReportMade(Struct, frozen=True, tag_field="type", tag="report.made"):
    """The report of a date is in place; it covers so many of its batches."""

    reported: Reported
    batches: int


class DateBooked(Struct, frozen=True, tag_field="type", tag="date.booked"):
    """The gateway has booked all pages of a report; what hashes alike is not booked again."""

    date: str
    pages_sha256: str


class BreakAsked(Struct, frozen=True, tag_field="type", tag="break.asked"):
    """Somebody proposes or approves a posting, and the break is looked up first."""

    question: Question


class QuestionEnded(Struct, frozen=True, tag_field="type", tag="question.ended"):
    """It was looked up, and its asker was answered or waits for the booking."""

    id: str


class ProposalMoved(Struct, frozen=True, tag_field="type", tag="proposal.moved"):
    """A proposal as it stands now: proposed, approved or booked."""

    proposal: Proposal


class BooksAsked(Struct, frozen=True, tag_field="type", tag="books.asked"):
    """An incarnation began: the ledger may lack lines until the gateway has answered `id`."""

    id: str


class BooksFound(Struct, frozen=True, tag_field="type", tag="books.found"):
    """The gateway has answered: what it had booked stands in the ledger."""


class JobsBegan(Struct, frozen=True, tag_field="type", tag="jobs.began"):
    """Written by houses whose regular runs had timers that always stood."""

    at_ms: int


Event = (
    BatchHeard
    | RunQueued
    | RunJoined
    | RunMoved
    | RunTaken
    | RunAnswered
    | FileWritten
    | ReportMade
    | DateBooked
    | BreakAsked
    | QuestionEnded
    | ProposalMoved
    | PayoutsWanted
    | PayoutsDone
    | BooksAsked
    | BooksFound
    | JobsBegan
)


class ReconcilerState(Struct):
    """The whole of it. Mutable: `apply` changes it in place."""

    batches: dict[str, BatchClosed] = field(default_factory=dict)  # by id
    days: dict[str, Day] = field(default_factory=dict)  # by date
    run: Run | None = None
    queue: list[Run] = field(default_factory=list)
    answers: dict[str, RunAnswered] = field(default_factory=dict)  # of the last runs, by id
    questions: dict[str, Question] = field(default_factory=dict)
    proposals: dict[str, Proposal] = field(default_factory=dict)  # by break id
    jobs_began_ms: int = 0
    payouts: payout_files.Files = field(default_factory=dict)  # that are to be made
    payout_marks: int = 0
    books_asked: str = ""  # what the gateway has still to answer before the ledger is read

    def day(self, date: str) -> Day:
        """A date; one that was never heard of is empty."""
        return self.days.get(date) or Day()


_decode_event: Callable[[bytes], Event] = msgspec.json.Decoder(Event).decode
_decode_state = msgspec.json.Decoder(ReconcilerState).decode


def read_event(line: bytes) -> Event:
    """An event of the reconciler. Raises LineDamaged."""
    try:
        return _decode_event(line)
    except msgspec.MsgspecError as error:
        raise LineDamaged(f"not an event of the reconciler: {error}") from error


def apply(state: ReconcilerState, event: Struct) -> None:
    """Fold one event."""
    if isinstance(event, RunQueued | RunJoined | RunMoved | RunTaken | RunAnswered):
        _run(state, event)
        return
    match event:
        case BatchHeard(batch):
            _hear(state, batch)
        case FileWritten(written, batches):
            _write(state.days.setdefault(written.date, Day()), written, batches)
        case ReportMade(reported, batches):
            day = state.days.setdefault(reported.date, Day())
            day.reported, day.reported_batches = reported, batches
        case DateBooked(date, pages_sha256):
            state.days[date].booked = pages_sha256
        case BreakAsked(question):
            state.questions[question.id] = question
        case QuestionEnded(id=ident):
            state.questions.pop(ident, None)
        case ProposalMoved(proposal):
            state.proposals[proposal.break_id] = proposal
        case PayoutsWanted() | PayoutsDone():
            payout_files.fold(state.payouts, event)
            state.payout_marks = max(state.payout_marks, event.mark)
        case BooksAsked(ident):
            state.books_asked = ident
        case BooksFound():
            state.books_asked = ""
        case JobsBegan(at_ms):
            state.jobs_began_ms = at_ms


def _run(
    state: ReconcilerState, event: RunQueued | RunJoined | RunMoved | RunTaken | RunAnswered
) -> None:
    match event:
        case RunQueued(run):
            state.queue.append(run)
        case RunJoined():
            _join(state, event)
        case RunMoved(moved):
            state.run = moved
        case RunTaken():
            state.run = state.queue.pop(0)
        case RunAnswered():
            _answer(state, event)


def _hear(state: ReconcilerState, batch: BatchClosed) -> None:
    state.batches[batch.batch_id] = batch
    day = state.days.setdefault(batch.date, Day())
    day.batches.append(batch.batch_id)
    day.closed_ms = max(day.closed_ms, batch.closed_ms)


def _write(day: Day, written: SettlementWritten, batches: int) -> None:
    """A file written again without new batches keeps the ledger's prefix that it had: a report
    is about the moment of its last closing."""
    if day.written is None or batches != day.written_batches:
        day.written, day.written_batches = written, batches


def _answer(state: ReconcilerState, answered: RunAnswered) -> None:
    state.answers.pop(answered.run_id, None)
    state.answers[answered.run_id] = answered
    while len(state.answers) > ANSWERS_MAX:
        del state.answers[next(iter(state.answers))]


def _join(state: ReconcilerState, joined: RunJoined) -> None:
    if state.run is not None and state.run.id == joined.run_id:
        state.run = _joined(state.run, joined)
    state.queue = [_joined(r, joined) if r.id == joined.run_id else r for r in state.queue]


def _joined(run: Run, joined: RunJoined) -> Run:
    also = run.also
    if joined.as_id and joined.as_id not in (run.id, *also):
        also = [*also, joined.as_id]
    return msgspec.structs.replace(with_asker(run, joined.asker), also=also)


def with_asker(run: Run, asker: Asker) -> Run:
    """The run with one more who waits for it; a question that is repeated waits once."""
    known = [a for a in run.askers if (a.to, a.re) != (asker.to, asker.re)]
    return msgspec.structs.replace(run, askers=[*known, asker])


def documents(state: ReconcilerState) -> dict[str, Any]:
    """The state as its one document."""
    return {STATE_PATH: msgspec.to_builtins(state)}


def load(found: Mapping[str, bytes]) -> ReconcilerState:
    """The state that `documents` wrote. Raises LineDamaged."""
    try:
        return _decode_state(found[STATE_PATH])
    except (KeyError, msgspec.MsgspecError) as error:
        raise LineDamaged(f"not the document of the reconciler: {error}") from error
