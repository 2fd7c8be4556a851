"""Calls to a provider: each has a reference of its own, is booked before it leaves, and is timed.

Our reference `<payment>.<k>` is the provider's idempotency key: k has no gaps over all calls of
one payment. A card goes by way of the vault; everything else goes straight.
"""

from actors.gateway.booking import Booking
from actors.gateway.facts import ChargeOffered
from actors.gateway.routing import Choice
from actors.gateway.settings import Rules, ask_wait_ms
from payrail.domain.claim_entries import RefundSubmitted
from payrail.domain.ledger import AttemptEnd, AttemptStarted, CaptureRequested, ReversalRequested
from payrail.domain.messages import (
    Ask,
    AskAgain,
    AttemptTimeout,
    ChargeCard,
    ClaimHold,
    ReverseHold,
)
from payrail.domain.payments import PaymentView, next_reference
from payrail.domain.providers import actor_of
from payrail.domain.refunds import RefundView
from payrail.domain.words.providers import RefundCapture
from payrail.runtime.actor import CancelTimer, Moment, Send, SetTimer, Step


def authorize(
    booking: Booking,
    moment: Moment,
    rules: Rules,
    choice: Choice,
    before: AttemptEnd | None = None,
    authenticated: str | None = None,
) -> Step:
    """Book an attempt and send the card, by way of the vault, to the chosen provider. `before`:
    how the attempt before it ended. `authenticated`: its action that the cardholder passed."""
    view, provider = _view(booking), choice.provider
    if provider is None:
        raise TypeError("a charge needs a provider")
    reference = next_reference(view)
    number = len(view.attempts) + 1
    booking.book(
        "payment.attempt_started",
        AttemptStarted(number, provider, reference, routing=choice.decision, before=before),
        view.amount,
    )
    charge = ChargeCard(
        token=view.payment_method.token,
        merchant_id=view.merchant_id or "",
        payment_id=view.id,
        reference=reference,
        provider=provider,
        amount=view.amount,
        currency=view.currency,
        authenticated=authenticated,
    )
    return Step(
        events=[ChargeOffered(name) for name in choice.offered],
        posts=booking.posts,
        out=[Send("vault", "card.charge", charge, key=view.id)],
        timers=[_attempt_timer(view, reference, moment, rules)],
        retries=int(number > 1),
    )


def capture(booking: Booking, moment: Moment, rules: Rules, *, amount: int, final: bool) -> Step:
    """Book the request and claim `amount` of the hold."""
    view = _view(booking)
    reference, capture_id = next_reference(view), moment.new_id("cap")
    provider = view.provider or ""
    booking.book(
        "payment.capture_requested",
        CaptureRequested(capture_id, provider, reference, final),
        amount,
    )
    claim = ClaimHold(
        view.id,
        reference,
        view.merchant_id or "",
        view.authorization or "",
        amount,
        view.currency,
        capture_id,
    )
    return Step(
        posts=booking.posts,
        out=[Send(actor_of(provider), "capture", claim, key=view.id)],
        timers=[_attempt_timer(view, reference, moment, rules)],
    )


def reverse(booking: Booking, moment: Moment, rules: Rules, *, reason: str) -> Step:
    """Book the request and give back what is still held."""
    view = _view(booking)
    reference, provider = next_reference(view), view.provider or ""
    amount = view.amount_held
    booking.book(
        "payment.reversal_requested", ReversalRequested(provider, reference, reason), amount
    )
    order = ReverseHold(
        view.id,
        reference,
        view.merchant_id or "",
        view.authorization or "",
        amount,
        view.currency,
        reference,
    )
    return Step(
        posts=booking.posts,
        out=[Send(actor_of(provider), "reverse", order, key=view.id)],
        timers=[_attempt_timer(view, reference, moment, rules)],
    )


def submit_refund(booking: Booking, refund: RefundView) -> RefundView:
    """Book that an approved refund is sent. Result: the refund after it, for `refund`."""
    data = RefundSubmitted(refund.payment_id, refund.provider, next_reference(_view(booking)))
    return booking.book_refund(refund, "refund.submitted", data, refund.amount, ref=refund.id)


def refund(booking: Booking, moment: Moment, rules: Rules, sent: RefundView) -> Step:
    """Send a refund that is booked as sent."""
    view, reference = _view(booking), sent.reference or ""
    order = RefundCapture(
        view.id,
        reference,
        view.merchant_id or "",
        view.authorization or "",
        sent.amount,
        sent.currency,
        sent.id,
    )
    return Step(
        posts=booking.posts,
        out=[Send(actor_of(sent.provider), "refund", order, key=view.id)],
        timers=[_attempt_timer(view, reference, moment, rules)],
    )


def ask(view: PaymentView, number: int, moment: Moment) -> Step:
    """Ask what became of the open call, and again later if that brings nothing."""
    open_call = view.open
    if open_call is None:
        return Step()
    question = Ask(view.id, open_call.reference, open_call.operation, number)
    return Step(
        out=[Send(actor_of(open_call.provider), "ask", question, key=view.id)],
        timers=[
            SetTimer(
                f"ask:{open_call.reference}",
                "ask.again",
                AskAgain(view.id, open_call.reference, number + 1),
                moment.wire_ms + ask_wait_ms(number),
            )
        ],
        retries=int(number > 1),
    )


def timers_over(reference: str) -> list[SetTimer | CancelTimer]:
    """The call has an outcome: nothing is to be timed or asked about it any more."""
    return [CancelTimer(f"attempt:{reference}"), CancelTimer(f"ask:{reference}")]


def _attempt_timer(view: PaymentView, reference: str, moment: Moment, rules: Rules) -> SetTimer:
    return SetTimer(
        f"attempt:{reference}",
        "attempt.timeout",
        AttemptTimeout(view.id, reference),
        moment.wire_ms + rules.provider_timeout_ms,
    )


def _view(booking: Booking) -> PaymentView:
    if booking.view is None:
        raise TypeError("a call needs a payment")
    return booking.view
