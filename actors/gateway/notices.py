"""What a provider tells by webhook: the same fact as its reply, whichever comes first.

A notice about a call of ours goes the way of an outcome; told before, it is a duplicate and changes
nothing. One about a reference that we never gave out is parked for a while: it is applied when the
reference turns up, and dropped otherwise. Never: makes a payment out of a notice.
"""

from dataclasses import replace

from actors.gateway import outcomes
from actors.gateway.facts import LateReversalStarted, NoticeParked, NoticeUnparked
from actors.gateway.settings import Rules
from actors.gateway.state import GatewayState
from payrail.domain.ledger import LedgerEntry
from payrail.domain.messages import Outcome
from payrail.domain.providers import actor_of
from payrail.domain.words.providers import ParkedNoticeDue, ProviderNotice
from payrail.runtime.actor import CancelTimer, Message, Moment, SetTimer, Step, answer

#: How long an unknown reference may take to turn up, in business time.
PARKED_MS = 3_600_000
#: So many wait at most; then the oldest makes room.
PARKED_MAX = 1_000


def notice(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """A provider's notice. It is always taken: whoever posted it is not to post it again."""
    told: ProviderNotice = message.body
    if _is_ours(state, told):
        step = _applied(state, message, moment, rules)
        word = "applied" if step.events or step.posts or step.out else "duplicate"
    else:
        step, word = _parked(state, told, moment), "parked"
    body = {"object": "notice", "id": told.notice_id, "outcome": word}
    step.replies.extend(answer(message, 200, body))
    return step


def woken(state: GatewayState, step: Step, moment: Moment) -> Step:
    """`step`, after which a parked notice may be due: a call that it begins was told of before."""
    if not state.parked:
        return step
    begun = {getattr(entry.data, "reference", "") for entry in _entries(step)}
    begun |= {
        event.late.reversal_reference
        for event in step.events
        if isinstance(event, LateReversalStarted)
    }
    step.timers += [
        _timer(told, moment.wire_ms) for told in state.parked.values() if told.reference in begun
    ]
    return step


def parked_due(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """A parked notice: applied if its reference is known by now, else dropped."""
    timer: ParkedNoticeDue = message.body
    key = _key(timer.provider, timer.reference)
    told = state.parked.get(key)
    if told is None:
        return Step()
    if not _is_ours(state, told):
        return Step(events=[NoticeUnparked(key, "expired")])
    step = _applied(state, replace(message, body=told), moment, rules)
    step.events.insert(0, NoticeUnparked(key, "applied"))
    return step


def _applied(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """The notice as the outcome that it tells of."""
    told: ProviderNotice = message.body
    if not _speaks_for_its_own(state, told):
        return Step()
    outcome = Outcome(
        payment_id=_payment_of(told.reference),
        reference=told.reference,
        operation=told.operation,
        result=told.result,
        code=told.code,
        provider=told.provider,
        provider_reference=told.provider_reference,
        amount=told.amount,
        currency=told.currency,
    )
    as_reply = replace(message, sender=actor_of(told.provider), body=outcome, reply_to=None)
    return outcomes.outcome(state, as_reply, moment, rules)


def _is_ours(state: GatewayState, told: ProviderNotice) -> bool:
    """Whether we gave out this reference: `<payment>.<k>`, with k up to the last call's."""
    payment_id, k = _payment_of(told.reference), told.reference.rpartition(".")[2]
    payment = state.payments.get(payment_id) or state.closed.get(payment_id)
    number = int(k) if k.isdecimal() else 0
    return payment is not None and k == str(number) and 1 <= number <= payment.calls


def _speaks_for_its_own(state: GatewayState, told: ProviderNotice) -> bool:
    """Whether a call that is open is the one that the notice tells of: the same provider, the same
    operation and, for a capture, the same id."""
    late = state.late.get(told.reference)
    if late is not None:
        return (late.provider, "reverse") == (told.provider, told.operation)
    view = state.payments.get(_payment_of(told.reference))
    call = view.open if view is not None else None
    if call is None or call.reference != told.reference:
        return True
    about = call.capture_id or call.refund_id or told.operation_id
    ours = (call.provider, call.operation, about)
    return ours == (told.provider, told.operation, told.operation_id)


def _parked(state: GatewayState, told: ProviderNotice, moment: Moment) -> Step:
    key = _key(told.provider, told.reference)
    if key in state.parked:
        return Step()
    step = Step(events=[NoticeParked(key, told)])
    step.timers = [_timer(told, moment.business_ms + PARKED_MS, business=True)]
    if len(state.parked) >= PARKED_MAX:
        oldest = next(iter(state.parked))
        step.events.insert(0, NoticeUnparked(oldest, "crowded_out"))
        step.timers.append(CancelTimer(f"notice:{oldest}"))
    return step


def _timer(told: ProviderNotice, due_ms: int, *, business: bool = False) -> SetTimer:
    body = ParkedNoticeDue(told.reference, told.provider)
    key = _key(told.provider, told.reference)
    return SetTimer(f"notice:{key}", "notice.parked", body, due_ms, business=business)


def _entries(step: Step) -> list[LedgerEntry]:
    return [post.record for post in step.posts if isinstance(post.record, LedgerEntry)]


def _key(provider: str, reference: str) -> str:
    return f"{provider} {reference}"


def _payment_of(reference: str) -> str:
    return reference.rpartition(".")[0]
