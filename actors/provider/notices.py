"""Notices: each real effect and each decline is also told over HTTP, until somebody took it.

The intent is an event in the journal, the post an errand, what came of it a message; a try that
failed waits for a timer, longer each time. Whoever is silent by drill (`approve_then_hang`) sends
none, and what had no effect (refused, fenced, broken) has none to send.
Never: slows a call. A notice leaves beside the outcome, and nobody waits for it.
"""

from collections.abc import Mapping

from msgspec import structs

from actors.provider import injected
from actors.provider.calls import Desk
from actors.provider.outcomes import done
from actors.provider.owed import (
    HELD,
    SENDING,
    WAITING,
    Notice,
    NoticeBegun,
    NoticeOwed,
    NoticePutOff,
    NoticeTaken,
)
from actors.provider.rules import Drill, Subject, choose, wished
from actors.provider.state import Operation, OperationFinished, Order, ProviderState
from payrail.domain.fault_rules import FaultRule
from payrail.domain.notices import DECLINED
from payrail.domain.words.disputes import SendDisputeNotice
from payrail.domain.words.providers import (
    NoticeDue,
    NoticePosted,
    ProviderNotice,
    ReplyDue,
    SendNotice,
)
from payrail.runtime.actor import CancelTimer, Errand, Message, Moment, SetTimer, Step

WORK = "notice"
#: Pause before a notice is tried again: doubles from the first figure up to the second.
AGAIN_MS, AGAIN_MS_MAX = 500, 60_000
#: How far an early notice is ahead of its reply.
EARLY_MS = 300
#: A notice that is held for another to overtake it goes anyway after this.
HELD_MS_MAX = 10_000
_DRILLS = ("duplicate_webhook", "late_webhook", "early_webhook", "reorder_webhooks")


def with_notice(
    desk: Desk,
    state: ProviderState,
    order: Order,
    step: Step,
    message: Message,
    moment: Moment,
    *,
    at_the_door: bool = False,
) -> Step:
    """`step`, which ended the call `order`, with the notice that is owed for it. `at_the_door`:
    its asker waits for a reply, which nothing overtakes."""
    ended = next((e for e in step.events if isinstance(e, OperationFinished)), None)
    if ended is None or not step.out or ended.done.action is not None:
        return step  # nothing happened, or the provider is silent about it
    notice = Notice(
        id=moment.new_id("evt"),
        reference=order.reference,
        operation_id=order.operation_id,
        at_ms=moment.business_ms,
        correlation_id=message.correlation_id,
        authorization=order.authorization,
    )
    subject, allowed = _subject(order, ended.done), _allowed(state)
    own = wished(order.fault, subject, allowed)
    drill = own or choose(state.faults, subject, desk.seed, allowed)
    return _owed(desk, state, notice, ended.done, drill, step, moment, at_the_door=at_the_door)


def owed(desk: Desk, state: ProviderState, notice: Notice, step: Step, moment: Moment) -> Step:
    """`step`, after which `notice` is owed about something that nobody called for: a dispute, or
    the end of `notice.reference`, an operation."""
    about = notice.reference if notice.fact is None else notice.authorization or ""
    known = state.operations[about]
    subject = Subject(
        operation="webhook",
        reference=about,
        merchant_id=known.merchant_id,
        payment_id=known.payment_id,
        token=known.token,
        amount=known.amount,
        is_documented=known.is_documented,
    )
    drill = choose(state.faults, subject, desk.seed, _allowed(state))
    return _owed(desk, state, notice, known, drill, step, moment, at_the_door=True)


def _owed(
    desk: Desk,
    state: ProviderState,
    notice: Notice,
    operation: Operation,
    drill: Drill | None,
    step: Step,
    moment: Moment,
    *,
    at_the_door: bool,
) -> Step:
    if drill is not None:
        injected.told(step, drill, "webhook", notice.reference)
        notice = _drilled(notice, drill.rule)
        _put_off(step, notice, drill.rule, moment, at_the_door=at_the_door)
    step.events.append(NoticeOwed(notice))
    if notice.state == SENDING:
        step.errands.append(_errand(notice, operation, desk, state.operations))
    return step


def _allowed(state: ProviderState) -> tuple[str, ...]:
    """Drills of notices. While one is held, the next is the one that overtakes it."""
    return _DRILLS if held(state) is None else _DRILLS[:-1]


def held(state: ProviderState) -> Notice | None:
    """The notice that waits for another to overtake it."""
    return state.notices.get(state.held_notice)


def _subject(order: Order, operation: Operation) -> Subject:
    return Subject(
        operation="webhook",
        reference=order.reference,
        merchant_id=order.merchant_id,
        payment_id=order.payment_id,
        token=operation.token,
        amount=operation.amount,
        is_documented=operation.is_documented,
    )


def _drilled(notice: Notice, rule: FaultRule) -> Notice:
    match rule.deed:
        case "duplicate_webhook":
            return structs.replace(notice, copies=2)
        case "late_webhook":
            return structs.replace(notice, state=WAITING, tries=0)
        case "reorder_webhooks":
            return structs.replace(notice, state=HELD, tries=0)
    return notice


def _put_off(
    step: Step, notice: Notice, rule: FaultRule, moment: Moment, *, at_the_door: bool
) -> None:
    """What a drill lets wait: the notice, or the reply that it overtakes."""
    if rule.deed == "late_webhook":
        due_ms = moment.business_ms + int(rule.argument) * 1000
        step.timers.append(_timer(notice.id, due_ms, business=True))
    elif rule.deed == "reorder_webhooks":
        step.timers.append(_timer(notice.id, moment.wire_ms + HELD_MS_MAX))
    elif rule.deed == "early_webhook" and not at_the_door:
        step.out = []
        reply = ReplyDue(notice.reference)
        due_ms = moment.wire_ms + EARLY_MS
        step.timers.append(SetTimer(f"reply:{notice.reference}", "reply.due", reply, due_ms))


def reply_due(state: ProviderState, timer: ReplyDue, provider: str) -> Step:
    """The reply that its notice has overtaken."""
    operation = state.operations.get(timer.reference)
    if operation is None:
        return Step()
    return Step(out=[done(operation, timer.reference, provider, asked=False)])


def taken(state: ProviderState, posted: NoticePosted, desk: Desk) -> Step:
    """Somebody has it durably. A drill may want it told twice, or another told only now."""
    notice = state.notices.get(posted.id)
    if notice is None:
        return Step()
    step = Step(events=[NoticeTaken(notice.id)])
    if notice.copies > 1:
        step.errands.append(_again(state, notice, desk))
    overtaken = held(state)
    if overtaken is not None and overtaken.id != notice.id:
        step.events.append(NoticeBegun(overtaken.id))
        step.timers.append(CancelTimer(f"notice:{overtaken.id}"))
        step.errands.append(_again(state, overtaken, desk))
    return step


def failed(state: ProviderState, posted: NoticePosted, moment: Moment) -> Step:
    """Nobody took it: again, after a pause."""
    notice = state.notices.get(posted.id)
    if notice is None:
        return Step()
    pause_ms = min(AGAIN_MS_MAX, AGAIN_MS * 2 ** min(notice.tries - 1, 10))
    timer = _timer(notice.id, moment.wire_ms + pause_ms)
    return Step(events=[NoticePutOff(notice.id)], timers=[timer], retries=1)


def due(state: ProviderState, timer: NoticeDue, desk: Desk) -> Step:
    """The time of a notice has come, or come again."""
    notice = state.notices.get(timer.id)
    if notice is None or notice.state == SENDING:
        return Step()
    return Step(events=[NoticeBegun(notice.id)], errands=[_again(state, notice, desk)])


def under_way(state: ProviderState, desk: Desk) -> list[Errand]:
    """The errands of all notices that the last incarnation was about to post."""
    return [
        _errand(notice, _operation(state, notice), desk, state.operations)
        for notice in state.notices.values()
        if notice.state == SENDING
    ]


def _operation(state: ProviderState, notice: Notice) -> Operation:
    """What a notice is about: a call, or the charge that is disputed."""
    about = notice.reference if notice.fact is None else notice.authorization
    return state.operations[about or ""]


def _timer(notice_id: str, due_ms: int, *, business: bool = False) -> SetTimer:
    body = NoticeDue(notice_id)
    return SetTimer(f"notice:{notice_id}", "notice.due", body, due_ms, business=business)


def _again(state: ProviderState, notice: Notice, desk: Desk) -> Errand:
    """The errand of the next try."""
    operation = _operation(state, notice)
    return _errand(notice, operation, desk, state.operations, number=notice.tries + 1)


def _errand(
    notice: Notice,
    operation: Operation,
    desk: Desk,
    operations: Mapping[str, Operation],
    number: int | None = None,
) -> Errand:
    hold = operations.get(notice.authorization or "")
    errand_id = f"{notice.id}:{number or notice.tries}"
    if notice.fact is not None:
        about_dispute = SendDisputeNotice(
            notice=notice.fact,
            notice_id=notice.id,
            merchant_id=operation.merchant_id,
            original=operation.provider_reference,
            at_ms=notice.at_ms,
            correlation_id=notice.correlation_id,
        )
        return Errand(errand_id, WORK, about_dispute, notice.correlation_id)
    body = SendNotice(
        notice=ProviderNotice(
            provider=desk.provider,
            notice_id=notice.id,
            reference=notice.reference,
            operation=operation.operation,
            operation_id=notice.operation_id,
            result=DECLINED if notice.outcome else operation.result,
            code=notice.outcome or operation.code,
            provider_reference=operation.provider_reference,
            amount=operation.amount,
            currency=operation.currency,
        ),
        merchant_id=operation.merchant_id,
        original=hold.provider_reference if hold else None,
        at_ms=notice.at_ms,
        correlation_id=notice.correlation_id,
    )
    return Errand(errand_id, WORK, body, notice.correlation_id)
