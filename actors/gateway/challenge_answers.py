"""What a cardholder answers: approve, fail or abandon. Each finds, checks, decides.

An approved challenge charges anew at the provider that asked, with the action that was passed; who
answered waits for the end of that charge. The others end the payment at once. One challenge takes
one answer.
"""

from typing import NoReturn

from actors.gateway import calls, challenges, routing
from actors.gateway.booking import Booking
from actors.gateway.commands import done, parked
from actors.gateway.settings import Rules
from actors.gateway.state import GatewayState
from payrail.domain.challenges import AUTHENTICATION_FAILED, Challenge
from payrail.domain.declines import decline_of
from payrail.domain.ledger import PaymentDeclined, PaymentReversed
from payrail.domain.payments import PaymentView
from payrail.domain.timestamps import parse_iso
from payrail.domain.words.payments import AnswerChallenge
from payrail.errors import RequestError
from payrail.runtime.actor import Message, Moment, Step


def answer(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """Take the one answer. Refuses: not-found, challenge-used, challenge-expired."""
    order: AnswerChallenge = message.body
    view, challenge = _found(state, order)
    if moment.business_ms >= parse_iso(challenge.expires_at):
        raise RequestError(410, "challenge-expired", "this challenge was not answered in time")
    booking = Booking(view, message, moment)
    if order.outcome == "approve":
        step = _charged(state, booking, challenge, message, moment, rules)
    else:
        _give_up(booking, view, challenge, rules, has_failed=order.outcome == "fail")
        step = done(booking, message, moment, 200)
    step.timers.extend(challenges.timers_over(view))
    return step


def _found(state: GatewayState, order: AnswerChallenge) -> tuple[PaymentView, Challenge]:
    view = state.payments.get(order.id)
    if view is None and order.id not in state.closed:
        raise RequestError(404, "not-found", "no such challenge")
    challenge = view.challenge if view is not None else None
    if view is None or challenge is None or challenge.id != order.challenge_id:
        _refuse_again()
    return view, challenge


def _refuse_again() -> NoReturn:
    raise RequestError(409, "challenge-used", "this challenge has had its answer")


def _charged(
    state: GatewayState,
    booking: Booking,
    challenge: Challenge,
    message: Message,
    moment: Moment,
    rules: Rules,
) -> Step:
    """The cardholder is known now: charge again, at the provider that asked for that."""
    charge = routing.charge_of(booking.view)
    choice = routing.signed_in(rules.routing, charge, state.standing, challenge.provider)
    step = calls.authorize(booking, moment, rules, choice, authenticated=challenge.action)
    return parked(step, message, moment, charge.payment_id)


def _give_up(
    booking: Booking, view: PaymentView, challenge: Challenge, rules: Rules, *, has_failed: bool
) -> None:
    if not has_failed:
        booking.book("payment.reversed", PaymentReversed("canceled", None, None), 0)
        return
    attempt, row = view.attempts[-1], decline_of(AUTHENTICATION_FAILED, rules.declines)
    data = PaymentDeclined(
        attempt.number,
        challenge.provider,
        challenge.reference,
        AUTHENTICATION_FAILED,
        attempt.latency_ms or 0,
        decline_class=row.class_.value,
        payer_message=row.payer_message,
    )
    booking.book("payment.declined", data, view.amount)
