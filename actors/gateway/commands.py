"""What a merchant asks for: create, authorize, capture, cancel. Each finds, checks, decides.

A command that needs a provider parks its asker; `actors.gateway.outcomes` answers when it is known.
"""

from collections.abc import Callable
from typing import Any

from actors.gateway import calls, card_news, challenges, holds, routing
from actors.gateway import idempotency as keys
from actors.gateway.booking import Booking
from actors.gateway.facts import Closed, Parked, Pending
from actors.gateway.routing import Choice
from actors.gateway.settings import Rules
from actors.gateway.state import GatewayState
from payrail.domain.ledger import PaymentCreated, PaymentMethod, PaymentReversed
from payrail.domain.messages import (
    AuthorizePayment,
    CancelPayment,
    CapturePayment,
    Command,
    CreatePayment,
)
from payrail.domain.money import check_amount, exponent
from payrail.domain.payments import PaymentState, PaymentView, legal_verbs, render
from payrail.errors import RequestError
from payrail.runtime.actor import Message, Moment, Step, asker_of


def create(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """A new payment; with `confirm` it is authorized at once. Refuses: unknown-token."""
    order: CreatePayment = message.body
    card = state.cards.get(order.payment_method)
    if card is None or card.merchant_id != order.merchant_id:
        raise card_news.unknown(state)
    _must_be_money(order)
    booking = Booking(None, message, moment)
    payment_id = moment.new_id("pi")
    method = PaymentMethod(order.payment_method, card.brand, card.bin, card.last4)
    booking.book(
        "payment.created",
        PaymentCreated(
            method,
            order.capture_method,
            order.customer,
            order.metadata,
            order.idempotency_key,
            order.user_id,
        ),
        order.amount,
        ref=payment_id,
        merchant_id=order.merchant_id,
        currency=order.currency,
    )
    if order.confirm:
        step = calls.authorize(booking, moment, rules, _first(state, booking, rules))
        return parked(step, message, moment, payment_id)
    return done(booking, message, moment, 201)


def authorize(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """Ask a provider to hold the amount. Refuses: not-found, illegal-transition, in doubt."""
    order: AuthorizePayment = message.body
    view = found(state, order, order.id)
    _must_allow(view, "authorize")
    booking = Booking(view, message, moment)
    step = calls.authorize(booking, moment, rules, _first(state, booking, rules))
    return parked(step, message, moment, view.id)


def capture(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """Claim held money, all of it or a part. Refuses also: amount-exceeds, expired."""
    order: CapturePayment = message.body
    view = found(state, order, order.id)
    must_have_no_call(view)
    if holds.is_over(view, moment.business_ms) and view.amount_captured < view.amount_authorized:
        raise _expired(legal_verbs(view))
    _must_allow(view, "capture")
    amount = view.amount_capturable if order.amount is None else order.amount
    must_be("amount", check_amount, amount)
    if amount > view.amount_capturable:
        raise RequestError(
            422,
            "amount-exceeds",
            f"at most {view.amount_capturable} can be captured",
            errors=[{"field": "amount", "message": f"at most {view.amount_capturable}"}],
        )
    step = calls.capture(
        Booking(view, message, moment), moment, rules, amount=amount, final=order.final_capture
    )
    return parked(step, message, moment, view.id)


def cancel(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """Give up a payment, or what is still held of it."""
    order: CancelPayment = message.body
    view = found(state, order, order.id)
    _must_allow(view, "cancel")
    booking = Booking(view, message, moment)
    if view.state in (PaymentState.CREATED, PaymentState.REQUIRES_ACTION):  # nothing is held
        booking.book("payment.reversed", PaymentReversed("canceled", None, None), 0)
        step = done(booking, message, moment, 200)
        step.timers.extend(challenges.timers_over(view))
        return step
    step = calls.reverse(booking, moment, rules, reason="canceled")
    return parked(step, message, moment, view.id)


def _first(state: GatewayState, booking: Booking, rules: Rules) -> Choice:
    return routing.first(rules.routing, routing.charge_of(booking.view), state.standing)


def found(state: GatewayState, order: Command, payment_id: str) -> PaymentView:
    """The payment if it is this merchant's; another's is as unknown as one that never was."""
    view = state.payments.get(payment_id)
    owner = view.merchant_id if view else getattr(state.closed.get(payment_id), "merchant_id", None)
    known = view is not None or payment_id in state.closed
    if not known or order.merchant_id not in (None, owner):
        raise RequestError(404, "not-found", "no such payment")
    if view is None:
        closed = state.closed[payment_id]
        if closed.is_expired and isinstance(order, CapturePayment):
            raise _expired(())
        raise illegal(closed, ())
    return view


def _expired(legal: tuple[str, ...]) -> RequestError:
    """409 for a capture that comes too late."""
    verbs = [verb for verb in legal if verb != "capture"]
    detail = "the hold has expired"
    return RequestError(409, "authorization-expired", detail, extra={"legal": verbs})


def illegal(payment: PaymentView | Closed, legal: tuple[str, ...]) -> RequestError:
    """409 with what may be done instead."""
    return RequestError(
        409,
        "illegal-transition",
        f"a payment that is {payment.state} does not allow this",
        extra={"legal": list(legal)},
    )


def _must_allow(view: PaymentView, verb: str) -> None:
    must_have_no_call(view)
    legal = legal_verbs(view)
    if verb not in legal:
        raise illegal(view, legal)


def must_have_no_call(view: PaymentView) -> None:
    """Refuses while a call to a provider has no outcome: illegal-transition, or in doubt."""
    if view.open is None:
        return
    raise RequestError(
        409,
        "operation-in-doubt" if view.open.in_doubt else "illegal-transition",
        f"{view.open.operation} of this payment has no outcome yet; try again later",
        retryable=True,
        extra={"legal": []},
        headers={"Retry-After": keys.RETRY_S},
    )


def _must_be_money(order: CreatePayment) -> None:
    for field, check, value in (
        ("currency", exponent, order.currency),
        ("amount", check_amount, order.amount),
    ):
        must_be(field, check, value)


def must_be(field: str, check: Callable[[Any], object], value: object) -> None:
    """Refuses a value that its check does not take: validation-error 422."""
    try:
        check(value)
    except ValueError as error:
        raise RequestError(
            422,
            "validation-error",
            f"this {field} cannot be used",
            errors=[{"field": field, "message": str(error)}],
        ) from None


def done(booking: Booking, message: Message, moment: Moment, status: int) -> Step:
    """Nothing is open: the answer is final now."""
    view = booking.view
    if view is None:
        raise TypeError("nothing was booked")
    return keys.done(Step(posts=booking.posts), message, moment, view.id, status, render(view))


def parked(step: Step, message: Message, moment: Moment, payment_id: str) -> Step:
    """A provider has been asked: who asked us waits until it is known."""
    pending = Pending(
        keys.key_of(message.body),
        asker_of(message),
        message.kind == "payment.create",
        waits_until_ms=message.deadline_ms,
    )
    step.events[:0] = [*keys.taken(message, moment, payment_id), Parked(payment_id, pending)]
    return step
