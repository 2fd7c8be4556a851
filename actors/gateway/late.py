"""Late approvals: a charge that happened although we had closed its payment is given back.

The state of the payment stays. The reversal has a reference of its own, is booked when the
provider confirmed it, and a case tells people that it happened.
"""

from actors.gateway.booking import Booking
from actors.gateway.state import (
    Closed,
    GatewayState,
    LateReversal,
    LateReversalEnded,
    LateReversalStarted,
)
from payrail.domain.ledger import CaseOpened, LateApprovalReversed, LedgerEntry
from payrail.domain.messages import Outcome, ReverseHold
from payrail.domain.payments import PaymentView
from payrail.domain.providers import actor_of
from payrail.domain.timestamps import iso
from payrail.runtime.actor import Message, Moment, Send, Step


def consider(state: GatewayState, message: Message, moment: Moment) -> Step:
    """An outcome about a call that is over: the same fact again, or an approval too late."""
    told: Outcome = message.body
    if told.operation != "authorize" or told.result != "approved":
        return Step()
    if any(late.reference == told.reference for late in state.late.values()):
        return Step()
    closed = state.closed.get(told.payment_id)
    if closed is not None:
        return _too_late(closed, message, moment, closed.approved, closed.calls)
    view = state.payments.get(told.payment_id)
    if view is None:
        return Step()
    return _too_late(view, message, moment, view.authorization, view.calls)


def _too_late(
    payment: PaymentView | Closed,
    message: Message,
    moment: Moment,
    approved: str | None,
    calls: int,
) -> Step:
    told: Outcome = message.body
    if approved == told.reference:
        return Step()
    step = give_back(message, calls=calls, amount=told.amount)
    booking = Booking(None, message, moment)
    open_case(
        booking,
        message,
        moment,
        "late_approval",
        merchant_id=payment.merchant_id,
        currency=payment.currency,
    )
    step.posts.extend(booking.posts)
    return step


def give_back(message: Message, *, calls: int, amount: int) -> Step:
    """Reverse what was approved, under the payment's next reference."""
    told: Outcome = message.body
    reference = f"{told.payment_id}.{calls + 1}"
    late = LateReversal(told.payment_id, told.reference, reference, told.provider, amount)
    order = ReverseHold(
        told.payment_id, reference, "", told.reference, amount, told.currency, reference
    )
    return Step(
        events=[LateReversalStarted(late)],
        out=[Send(actor_of(told.provider), "reverse", order, key=told.payment_id)],
    )


def ended(state: GatewayState, message: Message, moment: Moment) -> Step:
    """The provider has given a late approval back: book it, the state stays."""
    told: Outcome = message.body
    if told.result != "approved":
        return Step()
    late = state.late[told.reference]
    data = LateApprovalReversed(late.provider, late.reference, late.reversal_reference)
    step = Step(events=[LateReversalEnded(late.reversal_reference)])
    view = state.payments.get(late.payment_id)
    if view is not None:
        booking = Booking(view, message, moment)
        booking.book("payment.late_approval_reversed", data, late.amount)
        step.posts = booking.posts
        return step
    closed = state.closed[late.payment_id]
    booking = Booking(None, message, moment)
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
    booking.closed_entry(entry, closed.calls + 1, shown)
    step.posts = booking.posts
    return step


def open_case(
    booking: Booking,
    message: Message,
    moment: Moment,
    reason: str,
    *,
    merchant_id: str | None = None,
    currency: str | None = None,
) -> None:
    """Tell people: an entry about a case, with what is at stake."""
    told: Outcome = message.body
    booking.book(
        "case.opened",
        CaseOpened(told.payment_id, reason, told.amount),
        told.amount,
        ref=moment.new_id("case"),
        merchant_id=merchant_id,
        currency=currency,
    )
