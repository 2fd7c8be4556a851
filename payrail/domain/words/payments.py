"""What merchants ask for, and what the gateway tells itself about the calls that follow."""

from typing import Any

from msgspec import Struct

from payrail.domain.fault_wishes import FaultWish
from payrail.domain.words.kinds import HAND, TIMER, asked, kind


class Command(Struct, kw_only=True, forbid_unknown_fields=True):
    """What every public command says about its asker. The defaults are those of a hand line:
    operator over all merchants, no idempotency key."""

    merchant_id: str | None = None
    user_id: str = HAND
    role: str = "operator"
    idempotency_key: str | None = None
    request_hash: str = ""  # method, path with ids, canonical body
    fields: dict[str, Any] = {}  # the request's body as given, for the diff of a reused key
    route: str = ""  # method and path, for the same diff
    fault: FaultWish | None = None  # of the first call to a provider; no part of the hash


class CreatePayment(Command, kw_only=True):
    """Make a payment, and charge it at once with `confirm`; `amount` in minor units."""

    amount: int
    currency: str
    payment_method: str  # token
    capture_method: str = "manual"
    confirm: bool = False
    customer: dict[str, Any] | None = None
    metadata: dict[str, Any] = {}


class AuthorizePayment(Command, kw_only=True):
    """Hold the money."""

    id: str


class CapturePayment(Command, kw_only=True):
    """Claim held money, in minor units; without `amount`: all of it."""

    id: str
    amount: int | None = None
    final_capture: bool = True


class CancelPayment(Command, kw_only=True):
    """Give back what is held and not captured."""

    id: str


class AnswerChallenge(Command, kw_only=True):
    """The cardholder has answered the challenge `challenge_id` of payment `id`."""

    id: str
    challenge_id: str
    outcome: str  # approve | fail | abandon


class ChallengeExpiry(Struct):
    """The gateway's timer: nobody has answered a challenge in time."""

    payment_id: str
    challenge_id: str


class AttemptTimeout(Struct):
    """The gateway's timer: a provider call has had its time (PAYRAIL_PROVIDER_TIMEOUT)."""

    payment_id: str
    reference: str


class AskAgain(Struct):
    """The gateway's timer: ask about a reference once more."""

    payment_id: str
    reference: str
    number: int


class HoldExpiry(Struct):
    """The gateway's timer: a hold has lasted as long as it may."""

    payment_id: str


class BreakerPause(Struct):
    """The gateway's timer: a provider was left alone for long enough."""

    provider: str  # providerA
    move: int  # which move of its breaker set it


KINDS = (
    asked("payment.create", "frontdoor", CreatePayment),
    asked("payment.authorize", "frontdoor", AuthorizePayment),
    asked("payment.capture", "frontdoor", CapturePayment),
    asked("payment.cancel", "frontdoor", CancelPayment, by_hand=True),
    asked("challenge.answer", "frontdoor", AnswerChallenge),
    kind("challenge.expired", TIMER, ChallengeExpiry),
    kind("attempt.timeout", TIMER, AttemptTimeout),
    kind("ask.again", TIMER, AskAgain),
    kind("hold.expiry", TIMER, HoldExpiry),
    kind("breaker.pause", TIMER, BreakerPause),
)
