"""What an outcome leaves in the book: a capture with its fee, the end of a hold, a decline.

Each takes the call that is open and books what the provider said of it. Never: answers anybody, or
judges a provider; `outcomes` does.
"""

from actors.gateway.booking import Booking
from actors.gateway.settings import Rules
from payrail.domain.declines import DeclineClass, decline_of
from payrail.domain.fees import FeeTable
from payrail.domain.ledger import (
    AttemptEnd,
    FeeCharged,
    PaymentCaptured,
    PaymentDeclined,
    PaymentReleased,
    PaymentReversed,
)
from payrail.domain.messages import Outcome
from payrail.domain.payments import OpenOperation, PaymentView
from payrail.domain.postings import capture_postings, fee_postings
from payrail.domain.timestamps import iso, parse_iso
from payrail.runtime.actor import Moment


def capture(booking: Booking, told: Outcome, moment: Moment, fees: FeeTable) -> None:
    """What the provider took is what is booked; never more than is held."""
    view, call = open_call(booking)
    merchant, capture_id = view.merchant_id or "", call.capture_id or ""
    amount = min(told.amount, view.amount_held)
    rest = view.amount_held - amount
    final = call.final_capture
    booking.book(
        "payment.captured",
        PaymentCaptured(
            capture_id,
            call.provider,
            call.reference,
            told.provider_reference or "",
            final,
            iso(moment.business_ms),
        ),
        amount,
        postings=capture_postings(call.provider, merchant, amount, view.currency),
    )
    ours = fees.merchant_fee(merchant, amount, view.currency)
    theirs = fees.provider_fee(call.provider, amount, view.currency, view.payment_method.bin)
    booking.book(
        "fee.charged",
        FeeCharged(capture_id, call.provider, ours, theirs),
        ours,
        postings=fee_postings(call.provider, merchant, ours, theirs, view.currency),
    )
    if final and rest:
        booking.book("payment.released", PaymentReleased(call.provider, call.reference), rest)


def reversal(booking: Booking, call: OpenOperation) -> None:
    view, _ = open_call(booking)
    held = view.amount_held
    if view.amount_captured:
        booking.book("payment.released", PaymentReleased(call.provider, call.reference), held)
        return
    reason = call.reason or "canceled"
    booking.book("payment.reversed", PaymentReversed(reason, call.provider, call.reference), held)


def decline(
    booking: Booking,
    call: OpenOperation,
    code: str,
    moment: Moment,
    rules: Rules,
    refusal: str | None = None,
) -> None:
    view, _ = open_call(booking)
    row = decline_of(code, rules.declines)
    data = PaymentDeclined(
        len(view.attempts),
        call.provider,
        call.reference,
        code,
        latency_ms(call, moment),
        refusal,
        row.class_.value,
        row.payer_message,
    )
    booking.book("payment.declined", data, view.amount)


def end_of(call: OpenOperation, told: Outcome, moment: Moment, rules: Rules) -> AttemptEnd:
    """How the attempt ended that is followed by another one."""
    took_ms = latency_ms(call, moment)
    if told.result != "declined":
        technical = DeclineClass.TECHNICAL.value
        return AttemptEnd("not_accepted", told.code, took_ms, technical)
    row = decline_of(told.code, rules.declines)
    return AttemptEnd("declined", told.code, took_ms, row.class_.value, row.payer_message)


def open_call(booking: Booking) -> tuple[PaymentView, OpenOperation]:
    view = booking.view
    if view is None or view.open is None:
        raise TypeError("this needs an open call")
    return view, view.open


def latency_ms(call: OpenOperation, moment: Moment) -> int:
    return max(0, moment.wire_ms - parse_iso(call.since))
