"""Refusals over HTTP: RFC 9457 problems, the same fields as a reply's (domain/problems.py)."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from aiohttp import web
from pydantic import BaseModel

from payrail.domain.problems import problem_fields
from payrail.errors import RequestError
from payrail.web.correlation import correlation_id

CONTENT_TYPE = "application/problem+json"
#: The rest of such a body is not wanted, so neither is the connection that it comes on.
_CLOSING = frozenset({408, 413})
_CODES = {401: "unauthenticated", 413: "body-too-large", 500: "internal-error"}

_encode = msgspec.json.Encoder().encode


class Problem(BaseModel):
    """The shape of a problem, for the documents of our doors."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    retryable: bool
    correlation_id: str
    errors: list[dict[str, Any]]


def problem(
    request: web.BaseRequest,
    status: int,
    code: str,
    detail: str,
    *,
    errors: Sequence[Mapping[str, Any]] = (),
    retryable: bool = False,
    extra: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """An answer that says what is wrong and whose turn it is. Never holds what was sent to us."""
    fields = problem_fields(
        status,
        code,
        detail,
        correlation_id(request),
        errors=errors,
        retryable=retryable,
        extra=extra,
    )
    answer = web.Response(
        body=_encode(fields), status=status, headers=headers, content_type=CONTENT_TYPE
    )
    if status in _CLOSING:
        answer.force_close()
    return answer


def from_request_error(request: web.BaseRequest, refusal: RequestError) -> web.Response:
    """The answer that a refusal stands for."""
    return problem(
        request,
        refusal.status,
        refusal.code,
        refusal.detail,
        errors=refusal.errors,
        retryable=refusal.retryable,
        extra=refusal.extra,
        headers=refusal.headers,
    )


def from_http_error(request: web.BaseRequest, error: web.HTTPException) -> web.Response:
    """What the router refuses: no such path (404), no such method there (405, with Allow)."""
    allow = error.headers.get("Allow")
    return problem(
        request,
        error.status,
        code_of(error.status),
        _DETAILS.get(error.status, "The request cannot be served as it stands."),
        headers={"Allow": allow} if allow is not None else None,
    )


def code_of(status: int) -> str:
    """The problem code of a bare HTTP status: our own, or its name with dashes."""
    if status in _CODES:
        return _CODES[status]
    try:
        return HTTPStatus(status).phrase.lower().replace(" ", "-")
    except ValueError:
        return "refused"


_DETAILS = {
    404: "There is nothing under this path; /openapi.json lists what there is.",
    405: "This path does not take this method; the Allow header lists those it takes.",
    413: "The body is larger than this path takes.",
}
