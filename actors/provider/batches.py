"""A provider's batches: when one ends, what it covers, and what the reconciler is told.

State keeps counts and places in the truth, never lines: a statement is made of the truth's file
as it lies there. Batches close one after the other, also when time jumps over many cut-offs.
"""

from collections.abc import Mapping

from msgspec import Struct, structs

from actors.provider.mismatches import Planned, planned
from actors.provider.truth import MONEY, Truth, paid_out
from payrail.domain.fault_rules import FaultRule
from payrail.domain.settlement.cutoffs import date_of, next_cut_off_ms
from payrail.domain.words.kinds import RECONCILER
from payrail.domain.words.settlement import (
    BankRow,
    BatchClosed,
    Carried,
    CloseBatch,
    CutOff,
    Injected,
    StatementWritten,
)
from payrail.runtime.actor import Errand, Message, Moment, Send, SetTimer, Step

TIMER = "cut_off"
WORK = "statement"
#: Cut-offs closed in one step; time that jumps over more is caught up in several.
CUT_OFFS_MAX = 30


class Closing(Struct, frozen=True, omit_defaults=True):
    """A batch that has ended and has no statement yet. Times are business time."""

    id: str
    date: str
    opened_ms: int
    closed_ms: int
    last_seq: int  # the truth had as many lines
    is_extra: bool = False
    run: str | None = None


class ClosedBatch(Struct, frozen=True):
    """What stays of a batch: where its files are, and what drills put into them."""

    date: str
    opened_ms: int
    closed_ms: int
    path: str
    sha256: str
    lines: int
    bank: list[BankRow]
    injected: list[Injected]


class BatchingBegan(Struct, frozen=True, tag_field="type", tag="batching.began"):
    """The first batch is open since then, in business time."""

    at_ms: int


class BatchEnded(Struct, frozen=True, tag_field="type", tag="batch.ended"):
    """A batch takes nothing more; its statement is still to be written."""

    closing: Closing


class StatementBegun(Struct, frozen=True, tag_field="type", tag="statement.begun"):
    """The intent to write a statement, with the drills that have part in it."""

    batch_id: str
    plan: list[Planned]


class StatementFinished(Struct, frozen=True, tag_field="type", tag="statement.finished"):
    """The statement is in place, and the reconciler is told."""

    written: StatementWritten


BatchEvent = BatchingBegan | BatchEnded | StatementBegun | StatementFinished


class Batching(Struct):
    """What a provider knows of its batches."""

    began_ms: int = 0  # 0: not yet
    opened_ms: int = 0  # of the open batch
    lines: int = 0  # of the truth
    money: int = 0  # those that a statement has a line for
    taken: int = 0  # of those, how many are in a statement
    next_seq: int = 1  # where the next statement begins in the truth
    next_offset: int = 0
    carried: list[Carried] = []
    last_date: str = ""
    last_number: int = 0  # batches of that date
    queue: list[Closing] = []
    plan: list[Planned] = []  # of the first in the queue
    closed: dict[str, ClosedBatch] = {}


class WriteStatement(Struct):
    """The body of the errand."""

    provider: str
    closing: Closing
    from_seq: int
    from_offset: int
    carried: list[Carried]
    plan: list[Planned]
    bank: list[BankRow]  # of the same date's earlier batches
    seed: int


class Clerk(Struct, frozen=True):
    """Who closes batches: a provider's name and its seed."""

    provider: str
    seed: int


def fold(batching: Batching, event: BatchEvent | Truth) -> None:
    """Fold one event, or one line of the truth."""
    match event:
        case Truth(operation=operation):
            batching.lines += 1
            batching.money += operation in MONEY
        case BatchingBegan(at_ms=at_ms):
            batching.began_ms = batching.opened_ms = at_ms
        case BatchEnded(closing=closing):
            same = closing.date == batching.last_date
            batching.last_number = batching.last_number + 1 if same else 1
            batching.last_date = closing.date
            batching.opened_ms = closing.closed_ms
            batching.queue.append(closing)
        case StatementBegun(plan=plan):
            batching.plan = list(plan)
        case StatementFinished(written=written):
            _finish(batching, written)


def _finish(batching: Batching, written: StatementWritten) -> None:
    closing = batching.queue.pop(0)
    batching.plan = []
    batching.taken += written.taken
    batching.next_seq, batching.next_offset = written.next_seq, written.next_offset
    batching.carried = list(written.carried)
    batching.closed[closing.id] = ClosedBatch(
        closing.date,
        closing.opened_ms,
        closing.closed_ms,
        written.path,
        written.sha256,
        written.lines,
        list(written.bank),
        list(written.injected),
    )


def opened(clerk: Clerk, batching: Batching, moment: Moment) -> Step:
    """At the first start, the first cut-off; at every start, the statement that was under way."""
    step = Step()
    if not batching.began_ms:
        step.events.append(BatchingBegan(moment.business_ms))
        step.timers.append(_timer(next_cut_off_ms(clerk.provider, moment.business_ms)))
    if batching.queue:
        head = batching.queue[0]
        step.errands.append(_errand(clerk, batching, head, batching.plan, f"cor_{head.id}"))
    return step


def cut_off(
    clerk: Clerk,
    batching: Batching,
    faults: Mapping[str, FaultRule],
    message: Message,
    moment: Moment,
) -> Step:
    """A cut-off has passed, or many: each closes its batch, one after the other."""
    timer: CutOff = message.body
    at_ms, ended = timer.at_ms, copied(batching)
    step = Step()
    while at_ms <= moment.business_ms and len(step.events) < CUT_OFFS_MAX:
        _end(clerk, ended, step, at_ms, is_extra=False, run=None)
        at_ms = next_cut_off_ms(clerk.provider, at_ms)
    step.timers.append(_timer(at_ms))
    return _begun(clerk, batching, ended, faults, step, message)


def close_extra(
    clerk: Clerk,
    batching: Batching,
    faults: Mapping[str, FaultRule],
    message: Message,
    moment: Moment,
) -> Step:
    """Somebody wants a batch now. An empty one is not made: it would only move the numbers."""
    order: CloseBatch = message.body
    if batching.money == batching.taken and not batching.queue:
        told = BatchClosed(provider=clerk.provider, run=order.run)
        return Step(out=[Send(RECONCILER, "batch.closed", told)])
    step, ended = Step(), copied(batching)
    closed_ms = max(moment.business_ms, batching.opened_ms)
    _end(clerk, ended, step, closed_ms, is_extra=True, run=order.run)
    return _begun(clerk, batching, ended, faults, step, message)


def finished(
    clerk: Clerk,
    batching: Batching,
    faults: Mapping[str, FaultRule],
    message: Message,
    moment: Moment,
) -> Step:
    """The statement is in place: pay out, tell the reconciler, and write the next one. The drills
    that had part in it are used by the caller."""
    written: StatementWritten = message.body
    if not batching.queue or batching.queue[0].id != written.batch_id:
        return Step()
    closing, after = batching.queue[0], copied(batching)
    done = StatementFinished(written)
    fold(after, done)
    told = BatchClosed(
        provider=clerk.provider,
        run=closing.run,
        batch_id=closing.id,
        date=closing.date,
        opened_ms=closing.opened_ms,
        closed_ms=closing.closed_ms,
        path=written.path,
        bank_path=written.bank_path,
        sha256=written.sha256,
        lines=written.lines,
    )
    posts = [paid_out(row, written, moment) for row in written.bank]
    step = Step(events=[done], posts=posts, out=[Send(RECONCILER, "batch.closed", told)])
    return _begin(clerk, after, faults, step, message) if after.queue else step


def _end(
    clerk: Clerk, batching: Batching, step: Step, closed_ms: int, *, is_extra: bool, run: str | None
) -> None:
    date = date_of(clerk.provider, closed_ms)
    number = batching.last_number + 1 if date == batching.last_date else 1
    closing = Closing(
        id=f"{clerk.provider}-{date}-{number:02d}",
        date=date,
        opened_ms=batching.opened_ms,
        closed_ms=closed_ms,
        last_seq=batching.lines,
        is_extra=is_extra,
        run=run,
    )
    step.events.append(BatchEnded(closing))
    fold(batching, BatchEnded(closing))


def _begun(
    clerk: Clerk,
    before: Batching,
    after: Batching,
    faults: Mapping[str, FaultRule],
    step: Step,
    message: Message,
) -> Step:
    """`step`, and the first statement of the queue begun if none was under way."""
    if before.queue or not after.queue:
        return step
    return _begin(clerk, after, faults, step, message)


def _begin(
    clerk: Clerk,
    batching: Batching,
    faults: Mapping[str, FaultRule],
    step: Step,
    message: Message,
) -> Step:
    head, plan = batching.queue[0], planned(faults)
    step.events.append(StatementBegun(head.id, plan))
    step.errands.append(_errand(clerk, batching, head, plan, message.correlation_id))
    return step


def _errand(
    clerk: Clerk, batching: Batching, head: Closing, plan: list[Planned], correlation_id: str
) -> Errand:
    same_date = [b for b in batching.closed.values() if b.date == head.date]
    body = WriteStatement(
        provider=clerk.provider,
        closing=head,
        from_seq=batching.next_seq,
        from_offset=batching.next_offset,
        carried=list(batching.carried),
        plan=list(plan),
        bank=[row for batch in same_date for row in batch.bank],
        seed=clerk.seed,
    )
    return Errand(f"statement:{head.id}", WORK, body, correlation_id)


def _timer(at_ms: int) -> SetTimer:
    return SetTimer(TIMER, "batch.cut_off", CutOff(at_ms), at_ms, business=True)


def copied(batching: Batching) -> Batching:
    """A copy that may be folded further within a step."""
    return structs.replace(
        batching,
        carried=list(batching.carried),
        queue=list(batching.queue),
        plan=list(batching.plan),
        closed=dict(batching.closed),
    )
