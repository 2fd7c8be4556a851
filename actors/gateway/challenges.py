"""Challenges as the gateway opens and ends them: a provider asks for the cardholder, time runs.

The challenge's id is all that its page asks for, so it is a MAC of the charge's reference: it can
be made again by a replay, and guessed by nobody. What the cardholder answers is in
`challenge_answers`. Never: holds money; the charge that asked is over.
"""

import hashlib
import hmac
from base64 import b32encode

from actors.gateway.booking import Booking
from actors.gateway.settings import Rules
from actors.gateway.state import GatewayState
from payrail.domain.challenges import ActionRequired, challenge_path
from payrail.domain.ledger import PaymentReversed
from payrail.domain.payments import PaymentView
from payrail.domain.timestamps import parse_iso
from payrail.domain.words.payments import ChallengeExpiry
from payrail.domain.words.providers import Action
from payrail.runtime.actor import CancelTimer, Message, Moment, SetTimer, Step

#: 160 bits: 32 characters of base32 without padding.
_ID_BYTES = 20


def open_one(booking: Booking, action: Action, latency_ms: int, rules: Rules) -> SetTimer:
    """Book that the cardholder is asked for. Result: the timer of the challenge's end."""
    view = booking.view
    if view is None or view.open is None:
        raise TypeError("a challenge needs an open charge")
    call, challenge_id = view.open, _challenge_id(rules.challenge_key, view.open.reference)
    data = ActionRequired(
        number=len(view.attempts),
        provider=call.provider,
        reference=call.reference,
        challenge_id=challenge_id,
        action=action.id,
        url=challenge_path(challenge_id),
        expires_at=action.expires_at,
        latency_ms=latency_ms,
    )
    booking.book("payment.requires_action", data, view.amount)
    body = ChallengeExpiry(view.id, challenge_id)
    due_ms = parse_iso(action.expires_at)
    return SetTimer(_timer(challenge_id), "challenge.expired", body, due_ms, business=True)


def expired(
    state: GatewayState,
    message: Message,
    moment: Moment,
    rules: Rules,
) -> Step:
    """Nobody came: the payment is given up."""
    timer: ChallengeExpiry = message.body
    view = state.payments.get(timer.payment_id)
    challenge = view.challenge if view is not None else None
    if view is None or challenge is None or challenge.id != timer.challenge_id:
        return Step()
    booking = Booking(view, message, moment)
    booking.book("payment.reversed", PaymentReversed("expired", None, None), 0)
    return Step(posts=booking.posts)


def timers_over(view: PaymentView) -> list[SetTimer | CancelTimer]:
    """An open challenge of this payment has its answer: it does not expire any more."""
    return [] if view.challenge is None else [CancelTimer(_timer(view.challenge.id))]


def _timer(challenge_id: str) -> str:
    return f"challenge:{challenge_id}"


def _challenge_id(key: bytes, reference: str) -> str:
    digest = hmac.digest(key, f"challenge:{reference}".encode(), hashlib.sha256)
    return f"chl_{b32encode(digest[:_ID_BYTES]).decode().lower()}"
