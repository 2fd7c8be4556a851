"""Problems as RFC 9457 has them, as plain fields: the same for a reply and for an HTTP answer."""

from collections.abc import Mapping, Sequence
from typing import Any

from payrail.errors import RequestError

#: Title of a code where the code itself does not read as one.
_TITLES = {
    "malformed-json": "The body is not valid JSON",
    "internal-error": "Something failed on our side",
    "four-eyes": "A second person has to do this",
}


def problem_fields(
    status: int,
    code: str,
    detail: str,
    correlation_id: str,
    *,
    errors: Sequence[Mapping[str, Any]] = (),
    retryable: bool = False,
    extra: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The body of an `application/problem+json` answer. Never holds a value that was sent to us."""
    return {
        "type": f"/problems/{code}",
        "title": _TITLES.get(code, code.replace("-", " ").capitalize()),
        "status": status,
        "detail": detail,
        "code": code,
        "retryable": retryable,
        "correlation_id": correlation_id,
        "errors": list(errors),
        **(extra or {}),
    }


def route_fields(route: str) -> dict[str, str]:
    """`POST /refunds` as fields of a diff; nothing for a request that came by no route."""
    method, _, path = route.partition(" ")
    return {"method": method, "path": path} if path else {}


def refusal_fields(refusal: RequestError, correlation_id: str) -> dict[str, Any]:
    """The problem that a RequestError stands for."""
    return problem_fields(
        refusal.status,
        refusal.code,
        refusal.detail,
        correlation_id,
        errors=refusal.errors,
        retryable=refusal.retryable,
        extra=refusal.extra,
    )
