"""How a refund ended at its provider, and what comes back after it had succeeded.

A refusal without effect (refused, fenced) ends the refund as failed: its amount is free, and two
people may order it anew. Doubt is no end: the refund stays `processing` and is asked about. Words
come in any order: one that it was sent back, heard first, says that it had succeeded too.
"""

from actors.gateway import broken_fences, calls, cases
from actors.gateway.booking import Booking
from actors.gateway.facts import ClosedRefund
from actors.gateway.settings import ask_wait_ms
from actors.gateway.state import GatewayState
from payrail.domain.claim_entries import RefundFailed, RefundSucceeded
from payrail.domain.messages import AskAgain, Outcome
from payrail.domain.payments import FENCED, PaymentView
from payrail.domain.postings import refund_failed_postings
from payrail.domain.refunds import RefundState, RefundView
from payrail.domain.timestamps import iso
from payrail.runtime.actor import CancelTimer, Message, Moment, SetTimer, Step


def ended(state: GatewayState, booking: Booking, message: Message, moment: Moment) -> Step:
    """The provider says what became of the open refund; `pending` and doubt do not come here."""
    told: Outcome = message.body
    call = booking.view.open if booking.view else None
    if call is None or call.refund_id is None:
        raise TypeError("this needs an open refund")
    refund = state.refunds[call.refund_id]
    if told.result == "approved" or told.is_sent_back:
        after = _book_success(booking, refund, told, moment)
        if (told.amount, told.currency) != (refund.amount, refund.currency):
            cases.opened(booking, message, moment, "amount_mismatch")
        if told.is_sent_back:
            _book_return(booking, after, message, moment)
    else:
        code = FENCED if told.result == "fenced" else told.code
        data = RefundFailed(refund.payment_id, refund.provider, call.reference, code)
        booking.book_refund(refund, "refund.failed", data, refund.amount, ref=refund.id)
    return Step(posts=booking.posts, timers=calls.timers_over(call.reference))


def _book_success(
    booking: Booking, refund: RefundView, told: Outcome, moment: Moment
) -> RefundView:
    data = RefundSucceeded(
        refund.payment_id,
        refund.provider,
        told.reference,
        told.provider_reference or "",
        iso(moment.business_ms),
    )
    return booking.book_refund(refund, "refund.succeeded", data, refund.amount, ref=refund.id)


def _book_return(booking: Booking, refund: RefundView, message: Message, moment: Moment) -> None:
    """Nobody had told us of its success before the cardholder's bank sent it back."""
    told: Outcome = message.body
    at = iso(moment.business_ms)
    data = RefundFailed(refund.payment_id, refund.provider, told.reference, told.code, True, at)
    booking.book_refund(refund, "refund.failed", data, refund.amount, ref=refund.id)
    cases.opened(booking, message, moment, "refund_failed")


def waits(view: PaymentView, told: Outcome, moment: Moment) -> Step:
    """The provider has taken the call in and will tell. Of a refund that is no doubt: it is asked
    about now and then. Of another call, or when we asked, the next ask is already set."""
    call = view.open
    if call is None or call.operation != "refund" or call.in_doubt or told.asked:
        return Step()
    due_ms = moment.wire_ms + ask_wait_ms(1)
    body = AskAgain(view.id, call.reference, 1)
    return Step(
        timers=[
            CancelTimer(f"attempt:{call.reference}"),
            SetTimer(f"ask:{call.reference}", "ask.again", body, due_ms),
        ]
    )


def come_back(state: GatewayState, message: Message, moment: Moment) -> Step:
    """A word about a refund that is over: the same fact once more, or the cardholder's bank sent
    back what had succeeded."""
    told: Outcome = message.body
    ident = state.refund_of.get(told.reference)
    if told.result != "declined" or ident is None:
        return broken_fences.told(state, message, moment)
    return _sent_back(state, ident, state.closed_refunds[ident], message, moment)


def _sent_back(
    state: GatewayState, ident: str, closed: ClosedRefund, message: Message, moment: Moment
) -> Step:
    told: Outcome = message.body
    provider, amount, currency = closed.provider, closed.amount, closed.currency
    if told.provider != provider:
        raise ValueError(f"{told.provider} speaks about a refund at {provider}")
    booking = Booking(state.payments[closed.payment_id], message, moment)
    postings = refund_failed_postings(
        provider, closed.merchant_id or "", amount, currency, was_succeeded=True
    )
    shown = {"id": ident, "object": "refund", "state": RefundState.FAILED.value, "amount": amount}
    shown |= {"currency": currency, "payment_intent": closed.payment_id}
    shown |= {"provider": provider, "failure_reason": told.code}
    at = iso(moment.business_ms)
    data = RefundFailed(closed.payment_id, provider, closed.reference, told.code, True, at)
    seq = closed.object_seq + 1
    booking.book_claim(
        "refund.failed", data, amount, ref=ident, postings=postings, seq=seq, shown=shown
    )
    cases.opened(booking, message, moment, "refund_failed")
    return Step(posts=booking.posts)
