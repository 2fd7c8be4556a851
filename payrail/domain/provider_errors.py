"""What is wrong with a call, as each provider says it, beside the problem that says it for us.

providerA: an `error` with its type and code. providerB: `errorCode`, `message`, `errorType` and a
reference of sixteen characters. Both follow from the code of the problem, so that whoever raises
one needs to know of neither. Never: repeats a value that was sent.
"""

import hashlib
from base64 import b32encode
from collections.abc import Sequence
from typing import Any

from payrail.domain.provider_declines import words_of

PROVIDER_B = "providerB"
_INVALID, _IDEMPOTENCY, _BROKEN = "invalid_request_error", "idempotency_error", "api_error"

# code of the problem -> type and code of providerA's error
_A_ERRORS = {
    "malformed-json": (_INVALID, "parameter_invalid"),
    "validation-error": (_INVALID, "parameter_invalid"),
    "unsupported-media-type": (_INVALID, "parameter_invalid"),
    "body-too-large": (_INVALID, "parameter_invalid"),
    "unauthenticated": (_INVALID, "secret_key_required"),
    "not-found": (_INVALID, "resource_missing"),
    "amount-exceeds": (_INVALID, "amount_too_large"),
    "illegal-transition": (_INVALID, "charge_already_captured"),
    "seal-broken": (_INVALID, "payment_method_invalid_parameter"),
    "expired": (_INVALID, "request_expired"),
    "reference-reused": (_IDEMPOTENCY, "idempotency_key_reused"),
    "reference-fenced": (_IDEMPOTENCY, "idempotency_key_fenced"),
    "operation-in-doubt": (_IDEMPOTENCY, "idempotency_key_in_use"),
    "not-accepted": (_BROKEN, "api_unavailable"),
    "overloaded": (_BROKEN, "rate_limit"),
    "rate-limited": (_INVALID, "rate_limit"),
}
# code of the problem -> number and type of providerB's error
_B_ERRORS = {
    "malformed-json": ("702", "validation"),
    "validation-error": ("702", "validation"),
    "unsupported-media-type": ("702", "validation"),
    "body-too-large": ("702", "validation"),
    "unauthenticated": ("000", "security"),
    "forbidden": ("010", "security"),
    "not-found": ("167", "validation"),
    "amount-exceeds": ("137", "validation"),
    "illegal-transition": ("167", "validation"),
    "seal-broken": ("174", "validation"),
    "reference-reused": ("704", "validation"),
    "reference-fenced": ("704", "validation"),
    "operation-in-doubt": ("704", "validation"),
}


def psp_reference(of: str) -> str:
    """Sixteen characters that providerB gives to what it did not do; the same for the same."""
    return b32encode(hashlib.sha256(of.encode()).digest()[:10]).decode()


def native_error(
    provider: str,
    status: int,
    code: str,
    message: str,
    *,
    about: str,
    params: Sequence[str] = (),
    charge: str | None = None,
) -> dict[str, Any]:
    """Fields beside those of a problem. `about` names the call, `params` what is wrong in it."""
    if provider == PROVIDER_B:
        number, kind = _B_ERRORS.get(code, ("000", "internal" if status >= 500 else "validation"))
        return {
            "errorCode": number,
            "message": message,
            "errorType": kind,
            "pspReference": psp_reference(about),
        }
    kind, name = _A_ERRORS.get(code, (_BROKEN if status >= 500 else _INVALID, None))
    error = {"type": kind, "code": name, "message": message, "charge": charge}
    return {"error": error | ({"param": params[0]} if params else {})}


def card_error(code: str, message: str, charge: str | None) -> dict[str, Any]:
    """What providerA says of a card that was declined."""
    said = words_of(code)
    return {
        "type": "card_error",
        "code": said.a_code,
        "decline_code": code if said.a_code == "card_declined" else said.a_decline,
        "message": message,
        "charge": charge,
        "network_decline_code": said.network or None,
    }
