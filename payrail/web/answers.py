"""The answers of an operation as the document tells them: what was asked for, and each refusal.

Which refusals an operation can give follows from what it is: a key to show, an id to find, a body
to read, an actor to ask. A route adds the codes that are its own. Every answer names its headers.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from payrail.domain.problem_codes import CODES
from payrail.domain.problems import problem_fields

_HEADER = "#/components/headers/{name}"
_EVERYWHERE = ("bad-request", "internal-error", "actor-restarting", "file-damaged")
_BEHIND_A_KEY = ("unauthenticated", "forbidden", "not-found", "validation-error")
_WRITING = (
    "malformed-json",
    "request-timeout",
    "illegal-transition",
    "body-too-large",
    "unsupported-media-type",
    "validation-error",
    "not-found",
    "overloaded",
)
_KEYED = (
    "idempotency-key-missing",
    "idempotency-key-invalid",
    "idempotency-in-flight",
    "idempotency-key-reused",
    "operation-in-doubt",
)

_RATE_LIMIT = ["RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"]
_TEXT = {"type": "string"}
#: `components.headers` of every document.
HEADERS: dict[str, Any] = {
    "X-Correlation-Id": {
        "required": True,
        "description": "The id of this request in every log, mailbox, book and delivery: the one "
        "that was sent when it fits `[A-Za-z0-9_-]{1,64}`, else one of ours.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
    },
    "Idempotent-Replayed": {
        "description": "`true` when this is the stored answer of an earlier request.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "Retry-After": {
        "description": "Seconds to wait before asking again.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "RateLimit-Limit": {
        "description": "Requests a second that this key may make.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "RateLimit-Remaining": {
        "description": "Requests that it may make at once now.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "RateLimit-Reset": {
        "description": "Seconds until it may make a whole burst again.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "WWW-Authenticate": {"description": "How to show a key.", "schema": _TEXT},
}


def refusals(*, is_open: bool, writes: bool, keyed: bool, own: Iterable[str]) -> dict[str, Any]:
    """Responses of problems by status, for an operation of this kind."""
    names = {*_EVERYWHERE, *own}
    names |= set() if is_open else set(_BEHIND_A_KEY)
    names |= set(_WRITING) if writes else set()
    names |= set(_KEYED) if keyed else set()
    by_status: dict[int, list[str]] = {}
    for name, code in CODES.items():
        if name in names:
            for status in (code.status, *code.also):
                by_status.setdefault(status, []).append(name)
    return {
        str(status): refused(status, told, keyed=keyed)
        for status, told in sorted(by_status.items())
    }


def refused(status: int, names: list[str], *, keyed: bool) -> dict[str, Any]:
    """One response: its codes in words and as examples."""
    told = "; ".join(f"`{name}`: {CODES[name].meaning[:1].lower()}{CODES[name].meaning[1:-1]}"
                     for name in names)  # fmt: skip
    content = {
        "schema": {"$ref": "#/components/schemas/Problem"},
        "examples": {name: {"$ref": f"#/components/examples/{name}"} for name in names},
    }
    return {
        "description": f"{told}.",
        "headers": _headers(status, keyed=keyed),
        "content": {"application/problem+json": content},
    }


def given(
    status: int, content: Mapping[str, Any], links: Mapping[str, Any], *, keyed: bool
) -> dict[str, Any]:
    """The response with what was asked for."""
    found: dict[str, Any] = {
        "description": _GIVEN.get(status, "What was asked for."),
        "headers": _headers(status, keyed=keyed),
        "content": dict(content),
    }
    return {**found, "links": dict(links)} if links else found


_GIVEN = {
    201: "Made: this is how it stands.",
    202: "Taken, not final: ask again with the same Idempotency-Key, or look.",
}


def problem_examples() -> dict[str, Any]:
    """`components.examples`: one problem for each code of the table."""
    return {
        name: {
            "summary": code.meaning,
            "value": problem_fields(
                code.status, name, code.remedy, f"cor_{'0' * 16}", retryable=code.retryable
            ),
        }
        for name, code in CODES.items()
    }


def problem_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The model's schema with the codes there are, and what some of them carry beside it."""
    told = {**schema["properties"]}
    told["code"] = {**told["code"], "enum": list(CODES)}
    told["legal"] = {"type": "array", "items": _TEXT, "description": "What the state allows."}
    told["diff"] = {"type": "array", "items": {"type": "object"}, "description": "What differs."}
    told["decline_code"] = {**_TEXT, "description": "Why the issuer said no."}
    told["payment_intent"] = {"description": "The payment that was declined."}
    return {**schema, "properties": told}


def _headers(status: int, *, keyed: bool) -> dict[str, Any]:
    names = ["X-Correlation-Id"]
    names += ["Idempotent-Replayed"] if keyed and status in (200, 201, 202, 402, 409) else []
    names += ["Retry-After"] if status in (202, 409, 429, 503, 504) else []
    names += _RATE_LIMIT if status == 429 else []
    names += ["WWW-Authenticate"] if status == 401 else []
    return {name: {"$ref": _HEADER.format(name=name)} for name in names}
