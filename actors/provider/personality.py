"""How each provider speaks at its inner door: the same ends in two sets of manners.

providerA answers as Stripe does: an object, or 402 with an `error`. providerB answers as Adyen
does: 200 with a `resultCode`, also for a refusal by the issuer. What was not decided (refused,
broken) is a problem at both. Never: decides anything.
"""

from typing import Any

from payrail.domain.challenges import REQUIRES_ACTION
from payrail.domain.messages import Outcome
from payrail.domain.problems import problem_fields
from payrail.domain.words.providers import Action
from payrail.runtime.actor import Message, Reply, answer

_NOUNS = {"authorize": "charge", "capture": "capture", "refund": "refund", "reverse": "reversal"}
_AMBIGUOUS = 502
# why a call was not taken -> status and problem code
_REFUSALS = {
    "not_accepted": (503, "not-accepted", "Nothing was processed; try again or elsewhere."),
    "fenced": (409, "reference-fenced", "This reference was asked about first; use a new one."),
    "expired": (504, "expired", "It came too late, and nothing was processed."),
    "seal_broken": (422, "seal-broken", "The seal is not for this provider and this reference."),
}


def spoken(message: Message, told: Outcome) -> list[Reply]:
    """The reply to `message` that says what came of its call."""
    status, body = _answer(told, message.correlation_id)
    headers = {"Retry-After": "1"} if status == 503 else {}
    return answer(message, status, body, headers)


def _answer(told: Outcome, correlation_id: str) -> tuple[int, dict[str, Any]]:
    if told.action is not None:
        return 200, _challenging(told, told.action)
    if told.result not in ("approved", "declined"):
        return _undecided(told, correlation_id)
    if told.provider == "providerB":
        return 200, _result(told)
    if told.result == "approved":
        return 200, _object(told)
    return 402, _declined(told, correlation_id)


def _challenging(told: Outcome, action: Action) -> dict[str, Any]:
    """The cardholder is asked for; the charge is sent again, with a new reference, once passed."""
    asked = {"id": action.id, "type": "challenge", "expires_at": action.expires_at}
    if told.provider == "providerB":
        return {
            "pspReference": "",
            "merchantReference": told.reference,
            "resultCode": "ChallengeShopper",
            "action": asked,
        }
    return {
        "id": None,
        "object": _NOUNS[told.operation],
        "reference": told.reference,
        "status": REQUIRES_ACTION,
        "next_action": asked,
    }


def _undecided(told: Outcome, correlation_id: str) -> tuple[int, dict[str, Any]]:
    if told.result == "refused":
        status, code, detail = _REFUSALS.get(told.code, (503, "not-accepted", "Not processed."))
        retryable = status == 503
    else:
        number = told.code.removeprefix("http_")
        status = int(number) if number.isdigit() else _AMBIGUOUS
        code, detail = "provider-broken", "This answer says nothing about the call; ask for it."
        retryable = False
    extra = {"reference": told.reference}
    return status, problem_fields(
        status, code, detail, correlation_id, retryable=retryable, extra=extra
    )


def _object(told: Outcome) -> dict[str, Any]:
    return {
        "id": told.provider_reference,
        "object": _NOUNS[told.operation],
        "reference": told.reference,
        "amount": told.amount,
        "currency": told.currency.lower(),
        "status": "succeeded",
    }


def _declined(told: Outcome, correlation_id: str) -> dict[str, Any]:
    error = {"type": "card_error", "code": "card_declined", "decline_code": told.code}
    extra = {"decline_code": told.code, "reference": told.reference, "error": error}
    detail = "The provider did not accept this."
    return problem_fields(402, "card-declined", detail, correlation_id, extra=extra)


def _result(told: Outcome) -> dict[str, Any]:
    refused = {"refusalReason": told.code} if told.result != "approved" else {}
    good = "Authorised" if told.operation == "authorize" else "Received"
    return {
        "pspReference": told.provider_reference or "",
        "merchantReference": told.reference,
        "resultCode": "Refused" if refused else good,
        **refused,
        "amount": {"value": told.amount, "currency": told.currency},
    }
