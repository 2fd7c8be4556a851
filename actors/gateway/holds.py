"""Holds that end: what is still held at `capture_before` is given back.

A hold has one timer in business time, set again whenever a call about its payment has ended. While
a call is open it waits for that end: what is in doubt is never crossed by a reversal. A hold that
could not be given back is tried again; when the provider says that there is none, people look.
What a lost dispute left of a hold ends the same way: the payment stays a chargeback.
"""

from actors.gateway import calls, cases
from actors.gateway.booking import Booking
from actors.gateway.settings import Rules
from actors.gateway.state import GatewayState
from payrail.domain.messages import Outcome
from payrail.domain.payments import PaymentView
from payrail.domain.timestamps import parse_iso
from payrail.domain.words.payments import HoldExpiry
from payrail.runtime.actor import CancelTimer, Message, Moment, SetTimer, Step

#: How long after a reversal that was not taken the next one is sent, in business time.
AGAIN_MS = 3_600_000
EXPIRED = "expired"


def expired(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """The time to capture is over: give back what is still held."""
    timer: HoldExpiry = message.body
    view = state.payments.get(timer.payment_id)
    if view is None or view.open is not None or not is_over(view, moment.business_ms):
        return Step()
    if not view.amount_held:
        return Step()
    return calls.reverse(Booking(view, message, moment), moment, rules, reason=EXPIRED)


def is_over(view: PaymentView, business_ms: int) -> bool:
    """Whether what is held may not be captured any more."""
    return view.capture_before is not None and business_ms >= parse_iso(view.capture_before)


def timer(view: PaymentView) -> SetTimer | CancelTimer:
    """What follows for the hold when no call is open: it ends in time, or there is none."""
    if not view.amount_held or view.capture_before is None:
        return CancelTimer(_name(view))
    return _at(view, parse_iso(view.capture_before))


def after(
    booking: Booking, was: PaymentView, message: Message, moment: Moment
) -> list[CancelTimer | SetTimer]:
    """What follows for the hold when a call has ended. `was`: the payment while it was open."""
    view, told = booking.view, message.body
    if view is None or view.capture_before is None:
        return []
    if not isinstance(told, Outcome) or told.result == "approved" or not _was_reversal(was):
        return [timer(view)]
    if told.result == "declined" and was.open is not None and was.open.reason == EXPIRED:
        cases.opened(booking, message, moment, "hold_not_released", exposure=view.amount_held)
        return [CancelTimer(_name(view))]
    return [_at(view, max(parse_iso(view.capture_before), moment.business_ms + AGAIN_MS))]


def _was_reversal(was: PaymentView) -> bool:
    return was.open is not None and was.open.operation == "reverse"


def _at(view: PaymentView, due_ms: int) -> SetTimer:
    return SetTimer(_name(view), "hold.expiry", HoldExpiry(view.id), due_ms, business=True)


def _name(view: PaymentView) -> str:
    return f"hold:{view.id}"
