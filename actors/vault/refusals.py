"""Why a card was not handed out, and what the asker is told of it.

The code stands in the access log as `refused:<code>`. Never: says whether a token of another
merchant exists, or repeats what was sent.
"""

import re
from typing import Any

from payrail.domain.problems import problem_fields
from payrail.errors import BadSettings, PayRailError

# code: (status, problem code, detail). What is missing here is a matter of rights.
_PROBLEMS = {
    "unknown_token": (422, "unknown-token", "There is no such token."),
    "purpose_missing": (422, "validation-error", "Say what the card is wanted for."),
    "purpose_unknown": (422, "validation-error", "There is no such purpose."),
    "purpose_refused": (403, "forbidden", "A card is not given out for this purpose."),
    "provider_unknown": (422, "validation-error", "Name a provider and an operation."),
    "provider_key_missing": (503, "provider-key-missing", "The provider has published no key yet."),
    "vault_record_mismatch": (503, "vault-record-mismatch", "The stored card does not open."),
    "key_retired": (503, "actor-restarting", "The key was rotated meanwhile; send it again."),
    "rotation_under_way": (409, "rotation-under-way", "A new key is being made; ask again."),
    "too_many_keys": (
        409,
        "rotation-under-way",
        "Too many older keys have cards under them; GET /rotate-keys tells which.",
    ),
    "unauthenticated": (401, "unauthenticated", "This needs the internal secret."),
    "expired_token": (422, "expired-token", "This token has expired; tokenize the card again."),
    "token_used": (422, "token-used", "This token has served another payment, and serves one."),
    "token_taken": (409, "token-taken", "This token stands for a card already."),
}
_RIGHTS = (403, "forbidden", "This key may not use the card in this way.")
_NOT_FOUND = (404, "not-found", "There is no such token.")
_FIELD_OF = {
    "purpose_missing": "purpose",
    "purpose_unknown": "purpose",
    "provider_unknown": "provider",
}
#: These are over by themselves.
_PASSING = ("provider_key_missing", "key_retired", "rotation_under_way")
_CODE = re.compile(r"[a-z0-9_]{1,40}")


class CardWithheld(PayRailError):
    """The card stays where it is; `code` says why, in words of ours alone."""

    def __init__(self, code: str) -> None:
        self.code = code if _CODE.fullmatch(code) else "refused"
        super().__init__(self.code)


class VaultSealed(BadSettings):
    """The vault may not serve as its files are; `why` ends in what to put right, never in a key."""

    def __init__(self, why: str) -> None:
        super().__init__(f"vault sealed: {why}")
        self.why = why


def problem_of(code: str, want: str, correlation_id: str) -> tuple[int, dict[str, Any]]:
    """Status and problem for the HTTP door. A token named by a path is not found, with 404."""
    status, problem, detail = _PROBLEMS.get(code, _RIGHTS)
    if code == "unknown_token" and want == "metadata":
        status, problem, detail = _NOT_FOUND
    field = _FIELD_OF.get(code)
    return status, problem_fields(
        status,
        problem,
        detail,
        correlation_id,
        errors=[{"field": field, "message": detail}] if field else [],
        retryable=code in _PASSING,
    )
