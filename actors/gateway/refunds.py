"""What is asked about refunds: one person makes it, another approves or rejects it.

From its making on the amount is reserved. Approved, it leaves for the provider in the same step and
the answer tells `processing`: `actors.gateway.refund_outcomes` books how it ended. A payment has at
most one call under way, so that a second refund of it is approved once the first has an end.
"""

from actors.gateway import calls
from actors.gateway import idempotency as keys
from actors.gateway.booking import Booking
from actors.gateway.commands import found, must_be, must_have_no_call
from actors.gateway.settings import Rules
from actors.gateway.state import GatewayState
from payrail.domain.claim_entries import (
    RefundApproved,
    RefundExpired,
    RefundRejected,
    RefundRequested,
)
from payrail.domain.money import check_amount
from payrail.domain.refund_approval import AUTOMATIC_TIER, is_expired, must_be_checker
from payrail.domain.refunds import (
    RefundView,
    legal_verbs,
    must_be_refundable,
    must_be_sendable,
    render,
)
from payrail.domain.timestamps import parse_iso
from payrail.domain.words.refunds import ApproveRefund, CreateRefund, RefundExpiry, RejectRefund
from payrail.errors import RequestError
from payrail.runtime.actor import CancelTimer, Message, Moment, SetTimer, Step


def create(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """Reserve the amount, and wait for a second person. Refuses: not-found, illegal-transition,
    dispute-open, amount-exceeds."""
    order: CreateRefund = message.body
    payment = found(state, order, order.payment_intent)
    must_be("amount", check_amount, order.amount)
    must_be_refundable(payment, order.amount)
    tier = rules.refunds.tier(order.amount, payment.currency)
    data = RefundRequested(
        payment.id,
        payment.provider or "",
        order.reason,
        order.user_id,
        rules.refunds.expires_at(moment.business_ms),
        tier,
        order.idempotency_key,
    )
    booking = Booking(payment, message, moment)
    ident = moment.new_id("re")
    view = booking.book_refund(None, "refund.requested", data, order.amount, ref=ident)
    if tier == AUTOMATIC_TIER and payment.open is None:
        return _sent(booking, view, None, message, moment, rules, status=201)
    step = _answered(Step(posts=booking.posts), view, message, moment, 201)
    due_ms = parse_iso(view.expires_at)
    body = RefundExpiry(view.id)
    step.timers = [SetTimer(_timer(view), "refund.expiry", body, due_ms, business=True)]
    return step


def approve(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """The second person says yes. Refuses: not-found, four-eyes, forbidden, illegal-transition,
    operation-in-doubt, dispute-open, amount-exceeds."""
    order: ApproveRefund = message.body
    view = _waiting(state, order, moment)
    payment = state.payments[view.payment_id]
    must_have_no_call(payment)
    must_be_sendable(payment)
    booking = Booking(payment, message, moment)
    step = _sent(booking, view, order.user_id, message, moment, rules, status=200)
    step.timers.append(CancelTimer(_timer(view)))
    return step


def reject(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """The second person says no: what was reserved is free again."""
    order: RejectRefund = message.body
    view = _waiting(state, order, moment)
    booking = Booking(state.payments[view.payment_id], message, moment)
    data = RefundRejected(view.payment_id, order.user_id, order.reason)
    after = booking.book_refund(view, "refund.rejected", data, view.amount, ref=view.id)
    step = _answered(Step(posts=booking.posts), after, message, moment, 200)
    step.timers = [CancelTimer(_timer(view))]
    return step


def expired(state: GatewayState, message: Message, moment: Moment) -> Step:
    """Nobody approved it in time."""
    timer: RefundExpiry = message.body
    view = state.refunds.get(timer.refund_id)
    if view is None or not is_expired(view, moment.business_ms):
        return Step()
    booking = Booking(state.payments[view.payment_id], message, moment)
    data = RefundExpired(view.payment_id)
    booking.book_refund(view, "refund.expired", data, view.amount, ref=view.id)
    return Step(posts=booking.posts)


def _waiting(
    state: GatewayState, order: ApproveRefund | RejectRefund, moment: Moment
) -> RefundView:
    """The refund if this user may judge it now. Another merchant's is as one that never was."""
    known = state.refunds.get(order.id) or state.closed_refunds.get(order.id)
    if known is None or order.merchant_id not in (None, known.merchant_id):
        raise RequestError(404, "not-found", "no such refund")
    if not isinstance(known, RefundView):
        raise _illegal(known.state)
    must_be_checker(known, order.user_id, order.role)
    if not legal_verbs(known) or is_expired(known, moment.business_ms):
        raise _illegal(known.state.value)
    return known


def _illegal(word: str) -> RequestError:
    detail = f"a refund that is {word} does not allow this"
    return RequestError(409, "illegal-transition", detail, extra={"legal": []})


def _sent(
    booking: Booking,
    view: RefundView,
    approved_by: str | None,
    message: Message,
    moment: Moment,
    rules: Rules,
    *,
    status: int,
) -> Step:
    data = RefundApproved(view.payment_id, approved_by)
    view = booking.book_refund(view, "refund.approved", data, view.amount, ref=view.id)
    view = calls.submit_refund(booking, view)
    return _answered(calls.refund(booking, moment, rules, view), view, message, moment, status)


def _answered(step: Step, view: RefundView, message: Message, moment: Moment, status: int) -> Step:
    """The answer is final: how the refund ends is told by its events."""
    return keys.done(step, message, moment, view.payment_id, status, render(view))


def _timer(view: RefundView) -> str:
    return f"refund:{view.id}"
