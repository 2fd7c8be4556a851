"""What is asked of a provider at its inner door: calls for money, looks, disputes.

A call from outside of the house is the same call as the gateway's, answered to whoever asked; the
gateway hears of it by notice. Calls and disputes are idempotent by their reference: the same
reference for something else is refused with the difference. Looks fence nothing.
"""

from dataclasses import replace

from msgspec import Struct, structs

from actors.provider import injected, looks
from actors.provider.afterwards import set_off
from actors.provider.asks import look_drill
from actors.provider.calls import Desk, take
from actors.provider.dispute_calls import (
    differs,
    opened_at_the_door,
    resolved_at_the_door,
    unknown,
)
from actors.provider.drilling import listed
from actors.provider.ended import ended, waits
from actors.provider.notices import with_notice
from actors.provider.personality import spoken, undecided
from actors.provider.rules import SAFE
from actors.provider.state import (
    CallTakenIn,
    Operation,
    OperationFinished,
    Order,
    ProviderState,
    Waiting,
)
from payrail.domain.fault_rules import FaultRule
from payrail.domain.messages import Outcome
from payrail.domain.provider_amounts import check_written
from payrail.domain.provider_errors import native_error
from payrail.domain.words.providers import (
    ListBatches,
    ListFaults,
    OpenDispute,
    ProviderCall,
    ResolveDispute,
    ShowProvider,
    StatusOf,
)
from payrail.errors import RequestError
from payrail.runtime.actor import Message, Moment, Reply, Step, answer, asker_of

#: What may be asked here.
Question = (
    ProviderCall | StatusOf | ShowProvider | ListFaults | ListBatches | OpenDispute | ResolveDispute
)


def at_the_door(desk: Desk, state: ProviderState, message: Message, moment: Moment) -> Step:
    """The answer to a question at the inner door. Raises RequestError, in both manners: as our
    problem, and with the error that this provider would answer."""
    try:
        return _answered(desk, state, message, moment)
    except RequestError as refusal:
        said = native_error(
            desk.provider,
            refusal.status,
            refusal.code,
            _in_words(refusal),
            about=message.correlation_id,
            params=[str(error["field"]) for error in refusal.errors],
        )
        refusal.extra = {**said, **refusal.extra}
        raise


def _in_words(refusal: RequestError) -> str:
    """The detail, with the fields that differ or are wrong."""
    named = [str(one["field"]) for one in (*refusal.errors, *refusal.extra.get("diff", ()))]
    return f"{refusal.detail} ({', '.join(named)})" if named else refusal.detail


def _answered(desk: Desk, state: ProviderState, message: Message, moment: Moment) -> Step:
    match message.body:
        case ProviderCall() as given:
            return _call(desk, state, given, message, moment)
        case StatusOf() as given:
            return _looked(desk, state, given, message)
        case ShowProvider():
            body = looks.shown(desk, state, moment)
        case ListFaults():
            body = listed(state)
        case ListBatches() as given:
            body = looks.batches(desk, state, given)
        case OpenDispute():
            return opened_at_the_door(desk, state, message, moment)
        case _:
            return resolved_at_the_door(desk, state, message, moment)
    return Step(replies=answer(message, 200, body))


def _call(
    desk: Desk, state: ProviderState, given: ProviderCall, message: Message, moment: Moment
) -> Step:
    order = _order(state, given, message.correlation_id)
    known = state.operations.get(order.reference)
    if known is not None:
        _must_be_same(known, order)
        told = ended(desk.provider, state, order.reference, known)
        return Step(replies=spoken(message, told, again=True))
    if order.reference in state.waiting:
        return _in_doubt(desk, state, order, message)
    _must_be_sayable(desk.provider, order)
    step = set_off(state, take(desk, state, order, moment), moment)
    step = with_notice(desk, state, order, step, message, moment, at_the_door=True)
    step.events = [_asked_by(event, message) for event in step.events]
    return _told_back(desk, state, step, message)


def answered_late(
    desk: Desk, state: ProviderState, step: Step, message: Message, waiting: Waiting
) -> Step:
    """The end of a call that was put off, told to whoever asked for it."""
    asker = waiting.asker
    if asker is None:
        return step
    about = asker.correlation_id
    if waiting.is_pending:  # They have been told so; the end is told by notice.
        step.out = []
        return step
    asked = replace(message, sender=asker.to, reply_to=asker.re, correlation_id=about)
    return _told_back(desk, state, step, asked)


def _told_back(desk: Desk, state: ProviderState, step: Step, message: Message) -> Step:
    """`step`, told to whoever asked, in place of the gateway, which asked for nothing."""
    for send in step.out:
        if isinstance(send.body, Outcome):
            step.replies.extend(_reply(desk, state, step, send.body, message))
    step.out = []
    return step


def _reply(
    desk: Desk, state: ProviderState, step: Step, told: Outcome, message: Message
) -> list[Reply]:
    """What is answered to whoever called, of what `step` will have done."""
    for event in step.events:
        if isinstance(event, OperationFinished):
            about = ended(desk.provider, state, event.reference, event.done)
            return spoken(message, about, again=False)
        if isinstance(event, CallTakenIn):
            about = waits(desk.provider, state, event.waiting)
            return spoken(message, about, again=False)
    return undecided(message, told)


def _asked_by(event: Struct, message: Message) -> Struct:
    """A call that is put off remembers who waits for it."""
    if not isinstance(event, CallTakenIn):
        return event
    return CallTakenIn(structs.replace(event.waiting, asker=asker_of(message)))


def _in_doubt(desk: Desk, state: ProviderState, order: Order, message: Message) -> Step:
    """A call that was taken in: only one that is documented to take a while is told again."""
    waiting = state.waiting[order.reference]
    if waiting.is_pending:
        told = waits(desk.provider, state, waiting)
        _must_be_same(told.call, order)
        return Step(replies=spoken(message, told, again=True))
    detail = "This call was taken in and has no end yet; ask for its status."
    raise RequestError(409, "operation-in-doubt", detail, retryable=True, extra={"legal": []})


def _must_be_sayable(provider: str, order: Order) -> None:
    """Raises RequestError 422 for an amount that this provider's interface has no number for."""
    try:
        check_written(provider, order.amount, order.currency)
    except ValueError as error:
        raise RequestError(
            422,
            "validation-error",
            "Something in it cannot be meant.",
            errors=[{"field": "amount", "message": str(error)}],
        ) from None


def _order(state: ProviderState, given: ProviderCall, correlation_id: str) -> Order:
    """The call as an order; what it leaves out is the charge's. Raises RequestError."""
    if given.operation == "authorize":
        return Order(
            operation="authorize",
            reference=given.reference,
            payment_id=given.payment_id or _payment_of(given.reference),
            merchant_id=given.merchant_id or "",
            operation_id=given.operation_id or given.reference,
            amount=given.amount,
            currency=given.currency or "",
            token=given.token,
            sealed=given.sealed or "",
            capture=given.capture,
            authenticated=given.authenticated,
            fault=given.fault,
            correlation_id=correlation_id,
        )
    reference, hold = _charge(state, given)
    return Order(
        operation=given.operation,
        reference=given.reference,
        payment_id=given.payment_id or hold.payment_id,
        merchant_id=given.merchant_id or hold.merchant_id,
        operation_id=given.operation_id or given.reference,
        amount=given.amount,
        currency=given.currency or hold.currency,
        authorization=reference,
        fault=given.fault,
        correlation_id=correlation_id,
    )


def _charge(state: ProviderState, given: ProviderCall) -> tuple[str, Operation]:
    """The charge that a call is about, by its own reference or by that of a capture of it."""
    about = state.operations.get(given.capture_of or "")
    reference = given.authorization or (about.authorization if about else None) or ""
    hold = state.operations.get(reference)
    if hold is None or hold.operation != "authorize":
        raise unknown("charge")
    return reference, hold


def _must_be_same(known: Operation, order: Order) -> None:
    pairs = (
        ("operation", known.operation, order.operation),
        ("amount", known.asked or known.amount, order.amount),
        ("currency", known.currency, order.currency),
        ("authorization", known.authorization, order.authorization),
        ("payment_id", known.payment_id, order.payment_id),
        ("merchant_id", known.merchant_id, order.merchant_id),
    )
    differs([(field, first, now) for field, first, now in pairs if first != now])


def _looked(desk: Desk, state: ProviderState, given: StatusOf, message: Message) -> Step:
    """A look at a call, unless a drill lies over it."""
    drill = look_drill(state, given, desk.seed)
    if drill is None:
        return Step(replies=answer(message, 200, looks.status(desk, state, given)))
    step = Step(errors=1)
    if drill.rule.deed != "hang":
        step.replies = undecided(message, _unanswered(desk, given, drill.rule))
    return injected.told(step, drill, "status", given.reference)


def _unanswered(desk: Desk, given: StatusOf, rule: FaultRule) -> Outcome:
    """What a look hears that a drill keeps from its answer."""
    is_safe = rule.deed in SAFE
    return Outcome(
        payment_id=given.reference.rpartition(".")[0],
        reference=given.reference,
        operation="status",
        result="refused" if is_safe else "ambiguous",
        code="not_accepted" if is_safe else rule.do.replace(":", "_"),
        provider=desk.provider,
        provider_reference=None,
        amount=0,
        currency="",
    )


def _payment_of(reference: str) -> str:
    return reference.rpartition(".")[0] or reference
