"""The reconciler as an actor: what comes in, and which of its rooms decides it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from msgspec import Struct

from actors.reconciler import approvals, payout_files
from actors.reconciler import state as reconciler_state
from actors.reconciler.runs import Flow
from actors.reconciler.state import BooksAsked, ReconcilerState, Run
from payrail.domain.ids import derived_id
from payrail.domain.providers import actor_of
from payrail.domain.settlement.cutoffs import is_date
from payrail.domain.words.kinds import GATEWAY
from payrail.domain.words.payouts import PayoutsChanged, PayoutsWritten
from payrail.domain.words.settlement import (
    ApproveBreak,
    AskBooks,
    BatchClosed,
    BooksWhole,
    BreakSeen,
    CloseLate,
    Job,
    PageRead,
    ProposeBreak,
    Reported,
    RunFailed,
    RunReconciliation,
    RunSettlement,
    SettledBooked,
    SettlementWritten,
)
from payrail.errors import RequestError
from payrail.runtime.actor import BookSpec, Message, Moment, Send, SetTimer, Step, asker_of

SETTLE, FETCH, RECONCILE = "settle", "fetch", "reconcile"


@dataclass(frozen=True, slots=True)
class Jobs:
    """How often closed batches are fetched and reconciled by themselves, in business time."""

    settle_every_ms: int = 3_600_000
    reconcile_every_ms: int = 3_600_000

    def every_ms(self, what: str) -> int:
        return self.settle_every_ms if what == SETTLE else self.reconcile_every_ms


class Reconciler:
    """See `payrail.runtime.actor.Actor`."""

    name = "reconciler"
    books: Mapping[str, BookSpec] = {}
    peers: Sequence[str] = ("frontdoor", "gateway", "provider-a", "provider-b")

    def __init__(self, jobs: Jobs | None = None) -> None:
        self._jobs = jobs or Jobs()

    def fresh(self) -> ReconcilerState:
        return ReconcilerState()

    def opened(self, state: ReconcilerState, moment: Moment) -> Step:
        """Go on with whatever was under way, but read the ledger only when the gateway says that
        it is whole: a power cut takes lines of books, and their writer puts them back."""
        ident = moment.new_id("ask")
        step = Step(
            events=[BooksAsked(ident)],
            out=[Send(GATEWAY, "books.ask", AskBooks(ident))],
            shows=[approvals.view(state)] if state.proposals else [],
        )
        step.timers += [self._timer(what, moment) for what in _undone(state)]
        if state.run is not None and state.run.phase == "booking":
            step.errands += Flow(state, moment).errands()
        step.errands += [approvals.look(question) for question in state.questions.values()]
        return step

    def decide(self, state: ReconcilerState, message: Message, moment: Moment) -> Step:
        match message.body:
            case RunSettlement():
                return self._ordered(state, SETTLE, message, moment)
            case RunReconciliation():
                return self._ordered(state, RECONCILE, message, moment)
            case ProposeBreak() | ApproveBreak():
                _must_be_known(state, message.body.date)
                return approvals.asked(message, asker_of(message))
            case BatchClosed() as batch:
                return self._heard(state, batch, message, moment)
            case Job() as job:
                return self._job(state, job, message, moment)
            case BooksWhole(id=ident):
                return _whole(state, ident, moment)
            case PayoutsChanged():
                step = payout_files.changed(state.payouts, state.payout_marks, message)
                return replace(step, errands=[]) if state.books_asked else step
            case PayoutsWritten() as written:
                return payout_files.made(state.payouts, written)
            case CloseLate() as late:
                return Flow(state, moment).go_on_without(late)
        return self._outcome(state, message, moment)

    def _outcome(self, state: ReconcilerState, message: Message, moment: Moment) -> Step:
        flow = Flow(state, moment)
        match message.body:
            case SettlementWritten() as told:
                return flow.written(told)
            case Reported() as told:
                return flow.reported(told)
            case PageRead() as told:
                return flow.page_read(told)
            case RunFailed() as told:
                return flow.failed(told)
            case BreakSeen() as told:
                return approvals.seen(state, told, moment)
            case SettledBooked(name=name, already=already) if name.startswith("break:"):
                return approvals.booked(state, name, already)
            case SettledBooked(name=name):
                return flow.page_booked(name)
        raise ValueError(f"{self.name} has no answer to {message.kind}")

    def apply(self, state: ReconcilerState, event: Struct) -> None:
        reconciler_state.apply(state, event)

    def read_event(self, line: bytes) -> Struct:
        return reconciler_state.read_event(line)

    def documents(self, state: ReconcilerState) -> dict[str, Any]:
        return reconciler_state.documents(state)

    def load(self, documents: Mapping[str, bytes]) -> ReconcilerState:
        return reconciler_state.load(documents)

    def _ordered(
        self,
        state: ReconcilerState,
        kind: str,
        message: Message,
        moment: Moment,
    ) -> Step:
        date = message.body.date
        if date is not None:
            _must_be_known(state, date)
        asker = asker_of(message)
        run = Run(
            id=_run_id(kind, message),
            kind=kind,
            date=date,
            correlation_id=message.correlation_id,
            askers=[asker] if asker else [],
        )
        return Flow(state, moment).order(run)

    def _heard(
        self, state: ReconcilerState, batch: BatchClosed, message: Message, moment: Moment
    ) -> Step:
        """A batch is closed. One that closed by itself is fetched; and reconciled at once when
        the job that would do it should have run already, as after a jump of time. Raises
        ValueError, which makes a dead letter, for a provider that speaks for another."""
        if message.sender != actor_of(batch.provider):
            raise ValueError(f"{message.sender} speaks for {batch.provider}")
        flow = Flow(state, moment)
        flow.hear(batch, message.sender)
        if batch.run is None and batch.batch_id:
            late_ms = moment.business_ms - batch.closed_ms
            kinds = [FETCH, RECONCILE] if late_ms >= self._jobs.reconcile_every_ms else [FETCH]
            _order_jobs(flow, kinds, message, moment)
        flow.step.timers += [self._timer(what, moment) for what in _undone(flow.state)]
        return flow.step

    def _job(self, state: ReconcilerState, job: Job, message: Message, moment: Moment) -> Step:
        """Once in a while: fetch what is closed, or reconcile it, and look again later whether
        it is done. Never closes a batch."""
        flow = Flow(state, moment)
        if job.what in _undone(state):
            flow.step.timers.append(self._timer(job.what, moment))
            kind = FETCH if job.what == SETTLE else RECONCILE
            _order_jobs(flow, [kind], message, moment)
        return flow.step

    def _timer(self, what: str, moment: Moment) -> SetTimer:
        """On the full hour, or whatever the span is: setting it again does not move it."""
        every_ms = self._jobs.every_ms(what)
        due_ms = (moment.business_ms // every_ms + 1) * every_ms
        return SetTimer(f"job:{what}", "reconciler.job", Job(what), due_ms, business=True)


def _whole(state: ReconcilerState, ident: str, moment: Moment) -> Step:
    """The ledger is whole: begin what has to read it. An answer to an incarnation that is over
    says nothing about what a power cut took since."""
    if ident != state.books_asked:
        return Step()
    flow = Flow(state, moment)
    flow.found()
    flow.step.errands += payout_files.errands(state.payouts)
    return flow.step


def _undone(state: ReconcilerState) -> list[str]:
    """The jobs that have something to do. The timer of one that has not need not stand."""
    days = state.days.values()
    found = [SETTLE] if any(day.is_unwritten for day in days) else []
    return [*found, RECONCILE] if any(day.is_unreported for day in days) else found


def _order_jobs(flow: Flow, kinds: list[str], message: Message, moment: Moment) -> None:
    """Runs of our own, that nobody waits for."""
    for index, kind in enumerate(kinds):
        ident = derived_id("run", message.id, moment.step, index)
        correlation_id = message.correlation_id
        flow.order(Run(id=ident, kind=kind, date=None, correlation_id=correlation_id))


def _run_id(kind: str, message: Message) -> str:
    """The same for a question that is asked again: after our rebirth, or with the same key."""
    order: RunSettlement | RunReconciliation = message.body
    said = f"{message.sender} {message.reply_to or message.id}"
    if order.idempotency_key is not None:
        said = f"{order.user_id} {order.date} {order.idempotency_key}"
    return derived_id("run", f"{kind} {said}", 0, 0)


def _must_be_known(state: ReconcilerState, date: str) -> None:
    """Raises RequestError 422 for what is no date, 404 for one without a batch."""
    if not is_date(date):
        errors = [{"field": "date", "message": "must be a day, written YYYY-MM-DD"}]
        raise RequestError(422, "validation-error", "This is not a date.", errors=errors)
    if date not in state.days:
        raise RequestError(404, "not-found", f"No batch of {date} is known.")
