"""Late approvals: a charge that happened although we had closed its payment is given back.

The state of the payment stays. The reversal has a reference of its own, is asked about until the
provider confirmed it, is booked then, and a case tells people that it happened.
"""

from actors.gateway import broken_fences, cases
from actors.gateway.booking import Booking
from actors.gateway.facts import Closed, LateReversal, LateReversalEnded, LateReversalStarted
from actors.gateway.settings import ask_wait_ms
from actors.gateway.state import GatewayState
from payrail.domain.ledger import LateApprovalReversed, LedgerEntry
from payrail.domain.messages import Ask, AskAgain, Outcome, ReverseHold
from payrail.domain.payments import PaymentView
from payrail.domain.providers import actor_of
from payrail.domain.timestamps import iso
from payrail.runtime.actor import CancelTimer, Message, Moment, Send, SetTimer, Step

LATE_CODE = "late_approval_reversed"  # of an attempt whose approval was given back


def consider(state: GatewayState, message: Message, moment: Moment) -> Step:
    """An outcome about a call that is over: the same fact again, or an approval too late."""
    told: Outcome = message.body
    if told.operation != "authorize":
        return broken_fences.told(state, message, moment)
    if told.result != "approved":
        return Step()
    payment = state.closed.get(told.payment_id) or state.payments.get(told.payment_id)
    under_way = [late for late in state.late.values() if late.payment_id == told.payment_id]
    known = {late.reference for late in under_way}
    if payment is None or told.reference in known | _dealt_with(payment):
        return Step()
    step = give_back(
        message, moment, call_number=payment.calls + 1, merchant_id=payment.merchant_id
    )
    booking = Booking(None, message, moment)
    cases.opened(
        booking,
        message,
        moment,
        "late_approval",
        merchant_id=payment.merchant_id,
        currency=payment.currency,
    )
    step.posts.extend(booking.posts)
    return step


def _dealt_with(payment: PaymentView | Closed) -> set[str]:
    """References of charges whose approval is known."""
    if isinstance(payment, Closed):
        return set(payment.approved)
    given_back = {a.reference for a in payment.attempts if a.code == LATE_CODE}
    return given_back | {payment.authorization or ""}


def give_back(
    message: Message, moment: Moment, *, call_number: int, merchant_id: str | None
) -> Step:
    """Reverse what was approved, under the payment's next reference."""
    told: Outcome = message.body
    return _started(
        LateReversal(
            told.payment_id,
            told.reference,
            f"{told.payment_id}.{call_number}",
            told.provider,
            told.amount,
            told.currency,
            merchant_id,
        ),
        moment,
    )


def _started(late: LateReversal, moment: Moment) -> Step:
    order = ReverseHold(
        late.payment_id,
        late.reversal_reference,
        late.merchant_id or "",
        late.reference,
        late.amount,
        late.currency,
        late.reversal_reference,
    )
    return Step(
        events=[LateReversalStarted(late)],
        out=[Send(actor_of(late.provider), "reverse", order, key=late.payment_id)],
        timers=[_ask_timer(late, 1, ask_wait_ms(late.tries), moment)],
    )


def _ask_timer(late: LateReversal, number: int, wait_ms: int, moment: Moment) -> SetTimer:
    reference = late.reversal_reference
    body = AskAgain(late.payment_id, reference, number)
    return SetTimer(f"ask:{reference}", "ask.again", body, moment.wire_ms + wait_ms)


def ask_again(late: LateReversal, number: int, moment: Moment) -> Step:
    """No word yet about a reversal: ask, and again later if that brings nothing."""
    question = Ask(late.payment_id, late.reversal_reference, "reverse", number)
    return Step(
        out=[Send(actor_of(late.provider), "ask", question, key=late.payment_id)],
        timers=[_ask_timer(late, number + 1, ask_wait_ms(number), moment)],
        retries=int(number > 1),
    )


def ended(state: GatewayState, message: Message, moment: Moment) -> Step:
    """The provider has spoken about a reversal of ours. Only `fenced` and `declined` are news
    beside the approval: whatever else it says, the next ask tells more."""
    told: Outcome = message.body
    late = state.late[told.reference]
    match told.result:
        case "approved":
            step = _booked(state, late, message, moment)
        case "fenced":
            step = _tried_again(state, late, moment)
        case "declined":
            step = _given_up(late, message, moment)
        case _:
            return Step()
    step.events[:0] = [LateReversalEnded(late.reversal_reference)]
    step.timers[:0] = [CancelTimer(f"ask:{late.reversal_reference}")]
    return step


def _tried_again(state: GatewayState, late: LateReversal, moment: Moment) -> Step:
    payment = state.closed.get(late.payment_id) or state.payments[late.payment_id]
    reference = f"{late.payment_id}.{payment.calls + 1}"
    return _started(
        LateReversal(
            late.payment_id,
            late.reference,
            reference,
            late.provider,
            late.amount,
            late.currency,
            late.merchant_id,
            late.tries + 1,
        ),
        moment,
    )


def _given_up(late: LateReversal, message: Message, moment: Moment) -> Step:
    """There is nothing to give back, the provider says: people have to look."""
    booking = Booking(None, message, moment)
    cases.opened(
        booking,
        message,
        moment,
        "late_reversal_refused",
        merchant_id=late.merchant_id,
        currency=late.currency,
    )
    return Step(posts=booking.posts)


def _booked(state: GatewayState, late: LateReversal, message: Message, moment: Moment) -> Step:
    """Given back: the state stays."""
    data = LateApprovalReversed(late.provider, late.reference, late.reversal_reference)
    view = state.payments.get(late.payment_id)
    booking = Booking(view, message, moment)
    if view is not None:
        booking.book("payment.late_approval_reversed", data, late.amount)
        return Step(posts=booking.posts)
    closed = state.closed[late.payment_id]
    entry = LedgerEntry(
        event_id=moment.new_id("evt"),
        type="payment.late_approval_reversed",
        ref=late.payment_id,
        merchant_id=closed.merchant_id,
        timestamp=iso(moment.wire_ms),
        amount=late.amount,
        currency=closed.currency,
        data=data,
        postings=[],
        correlation_id=message.correlation_id,
        causation_id=message.id,
    )
    shown = {"id": late.payment_id, "object": "payment_intent", "state": closed.state}
    booking.closed_entry(entry, closed.object_seq + 1, shown)
    return Step(posts=booking.posts)
