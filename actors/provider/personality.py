"""How each provider speaks at its inner door: the same ends in two sets of manners.

providerA answers as Stripe does: an object, or 402 with an `error`. providerB answers as Adyen
does: 200 with a `resultCode`, also for a refusal by the issuer. What was not decided (refused,
broken) and what a charge does not allow is a problem at both, with the provider's own error in it.
Never: decides anything.
"""

from typing import Any

from actors.provider import manners_a, manners_b
from actors.provider.ended import Ended
from payrail.domain.fault_wishes import DROPPED
from payrail.domain.messages import Outcome
from payrail.domain.problems import problem_fields
from payrail.domain.provider_errors import PROVIDER_B, native_error
from payrail.domain.words.settlement import BankRow
from payrail.runtime.actor import Message, Reply, answer

_AMBIGUOUS = 502
#: Of an answer that its door is to drop with the connection.
RESET = "reset"
_REPLAYED = {"Idempotent-Replayed": "true"}
# why a call was not taken -> status and problem code
_REFUSALS = {
    "not_accepted": (503, "not-accepted", "Nothing was processed; try again or elsewhere."),
    "fenced": (409, "reference-fenced", "This reference was asked about first; use a new one."),
    "expired": (504, "expired", "It came too late, and nothing was processed."),
    "seal_broken": (422, "seal-broken", "The seal is not for this provider and this reference."),
}
# why a charge does not allow what is asked -> status and problem code; no issuer was asked
_NOT_ALLOWED = {
    "no_such_authorization": (404, "not-found", "This provider knows no such charge."),
    "amount_exceeds_hold": (422, "amount-exceeds", "More than is still held."),
    "amount_exceeds_captured": (422, "amount-exceeds", "More than was captured and is left."),
    "already_captured": (409, "illegal-transition", "All of the charge was captured."),
    "already_reversed": (409, "illegal-transition", "What was held is given back."),
    "nothing_captured": (409, "illegal-transition", "Nothing of the charge was captured."),
    "already_refunded": (409, "illegal-transition", "All of it was paid back."),
}


def spoken(message: Message, told: Ended, *, again: bool) -> list[Reply]:
    """The reply to `message` that says what came of its call; `again`: it was said before."""
    status, body = _answer(told, told.call.correlation_id or message.correlation_id)
    return answer(message, status, body, _REPLAYED if again else {})


def undecided(message: Message, told: Outcome) -> list[Reply]:
    """The reply about a call that was not decided: refused without a look, or a broken answer."""
    status, body = _undecided(told, message.correlation_id)
    headers = {"Retry-After": "1"} if status == 503 else {}
    if told.code == RESET:
        headers[DROPPED] = RESET
    return answer(message, status, body, headers)


def native(told: Ended) -> dict[str, Any]:
    """The provider's own object for a call, also for one that came to nothing."""
    return manners_b.spoken(told) if told.provider == PROVIDER_B else manners_a.spoken(told)


def paid_out(provider: str, row: BankRow) -> dict[str, Any]:
    """A payout to us as its provider shows it."""
    if provider == PROVIDER_B:
        return manners_b.paid_out(provider, row)
    return manners_a.paid_out(provider, row)


def _answer(told: Ended, correlation_id: str) -> tuple[int, dict[str, Any]]:
    if told.call.result == "declined":
        if told.call.code in _NOT_ALLOWED:
            return _not_allowed(told, correlation_id)
        if told.provider != PROVIDER_B:
            return 402, _declined(told, correlation_id)
    return 200, native(told)


def _not_allowed(told: Ended, correlation_id: str) -> tuple[int, dict[str, Any]]:
    status, code, detail = _NOT_ALLOWED[told.call.code]
    extra = {"reference": told.reference, "decline_code": told.call.code} | native_error(
        told.provider, status, code, detail, about=told.reference, charge=told.charge_name
    )
    if code == "illegal-transition":
        extra["legal"] = []
    return status, problem_fields(status, code, detail, correlation_id, extra=extra)


def _declined(told: Ended, correlation_id: str) -> dict[str, Any]:
    extra = {
        "decline_code": told.call.code,
        "reference": told.reference,
        "error": manners_a.declined(told),
    }
    detail = "The provider did not accept this."
    return problem_fields(402, "card-declined", detail, correlation_id, extra=extra)


def _undecided(told: Outcome, correlation_id: str) -> tuple[int, dict[str, Any]]:
    if told.result == "refused":
        status, code, detail = _REFUSALS.get(told.code, (503, "not-accepted", "Not processed."))
        retryable = status == 503
    else:
        number = told.code.removeprefix("http_")
        status = int(number) if number.isdigit() else _AMBIGUOUS
        code, detail = "provider-broken", "This answer says nothing about the call; ask for it."
        retryable = False
    extra = {"reference": told.reference} | native_error(
        told.provider, status, code, detail, about=told.reference
    )
    return status, problem_fields(
        status, code, detail, correlation_id, retryable=retryable, extra=extra
    )
