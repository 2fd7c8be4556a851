"""A challenge: the cardholder proves who they are before the issuer says yes or no (3-D Secure).

    processing ── requires_action ──▶ approve: charged anew, as signed in
                                      fail:    declined authentication_failed
                                      abandon: reversed canceled; nobody came: reversed expired

No money is held while one is open: the charge that asked for it is over at its provider.
Never: a card number, or a decision.
"""

from typing import Any

from msgspec import Struct

#: Why a payment whose cardholder failed the challenge is declined.
AUTHENTICATION_FAILED = "authentication_failed"
#: Why a payment is declined that asks for its cardholder after the shop was told to wait.
AUTHENTICATION_REQUIRED = "authentication_required"
#: What a provider's outcome and an attempt say when the cardholder is asked for.
REQUIRES_ACTION = "requires_action"


class ActionRequired(Struct, frozen=True):
    """The issuer wants to know that it is the cardholder: data of `payment.requires_action`."""

    number: int  # of the attempt
    provider: str
    reference: str
    challenge_id: str  # chl_…; who knows it may answer, so that it cannot be guessed
    action: str  # the provider's own name for it
    url: str  # path of the page, at the front door
    expires_at: str  # ISO, business time
    latency_ms: int


class Challenge(Struct):
    """One challenge of a payment. `outcome`: None while it is open, then approved | failed |
    canceled | expired."""

    id: str
    provider: str
    reference: str
    action: str
    url: str
    expires_at: str
    outcome: str | None = None


def challenge_path(challenge_id: str) -> str:
    """Where the cardholder answers it."""
    return f"/challenges/{challenge_id}"


def next_action(challenge: Challenge | None) -> dict[str, Any] | None:
    """What a shop is to do now: send its customer there. None: nothing."""
    if challenge is None:
        return None
    return {
        "type": "redirect_to_url",
        "url": challenge.url,
        "expires_at": challenge.expires_at,
    }
