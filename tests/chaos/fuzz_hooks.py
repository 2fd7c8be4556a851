"""What the fuzzer knows of this house beyond its documents.

Loaded by schemathesis. A schema-valid body is given the ids of things that are really there, so
that it gets past the first check; orders that would end the run itself are left out; and a
schema-valid request may be refused only for what no schema can say, by a code that says which.
Never: hides an answer of 5xx, or one that its document does not tell.
"""

import json
import os
import re
from typing import Any

import schemathesis

from payrail.domain.durations import DURATION_PATTERN
from payrail.domain.problem_codes import CODES

#: Tokens and ids of this run's house: {"token": [...], "payment_intent": [...]}.
THERE: dict[str, list[str]] = json.loads(os.environ.get("PAYRAIL_FUZZ_THERE", "{}"))
#: Refusals of a schema-valid request that only the books and the world can tell.
WORLDLY = frozenset(
    {
        "amount-exceeds",
        "card-declined",
        "endpoint-not-allowed",
        "idempotency-key-reused",
        "reference-reused",
        "seal-broken",
        "timestamp-out-of-tolerance",
        "signature-invalid",
        "unknown-token",
    }
)
#: Fields that may be refused for what stands beside them or in the books, though each fits alone.
TOGETHER = frozenset(
    {"advance", "amount", "amount_min", "created_from", "number", "exp_year", "cvc", "user", ""}
    | {"PayRail-Fault", "PayRail-Fault.do"}  # JSON in a header, which no schema describes
)
_POSITIVE = "Schema-valid request rejected"


@schemathesis.hook
def before_load_schema(context: Any, raw_schema: dict[str, Any]) -> None:
    """An answer has no field that its document does not tell. Clients are not that strict."""
    for name, schema in raw_schema["components"]["schemas"].items():
        if schema.get("properties") and name != "Problem":
            schema.setdefault("additionalProperties", False)


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:
    """No order to an actor that is there, which is what chaos drills are for; and nobody takes away
    the key that this run asks with."""
    if case.method == "GET":
        return True
    named = str(next(iter((case.path_parameters or {}).values()), ""))
    return not (case.path.startswith(_LASTING) and named.startswith(_OURS))


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Real ids for made-up ones, whole numbers without a point, drills that touch nobody, and no
    year that goes by hop by hop."""
    if isinstance(case.body, dict):
        case.body = _known(_whole(case.body))
        if case.path.endswith("inject-failure") and isinstance(case.body, dict):
            case.body = {**case.body, "match": _NOBODY} if _is_rule(case.body) else case.body
        if case.path == "/clock" and _DURATION.fullmatch(str(case.body.get("advance"))):
            case.body = {**case.body, "advance": "30s"}
    if isinstance(case.body, list):
        case.body = _whole(case.body)


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """False for a refusal of schema-valid data that only the books could have foreseen."""
    if failure.title != _POSITIVE:
        return True
    problem = response.json()
    if problem.get("code") in WORLDLY:
        return False
    fields = {one.get("field") for one in problem.get("errors", [])}
    return not (problem.get("code") == "validation-error" and fields and fields <= TOGETHER)


@schemathesis.check
def problem_is_one_of_ours(ctx: Any, response: Any, case: Any) -> None:
    """A refusal is problem+json with every field, the request's id, and a remedy for each field."""
    if response.status_code < 400 or "text/html" in response.headers["content-type"][0]:
        return
    found = response.json()
    assert found["status"] == response.status_code
    if "idempotent-replayed" not in response.headers:  # those are the first answer's own bytes
        assert found["correlation_id"] == response.headers["x-correlation-id"][0]
    assert found["detail"]
    code = CODES.get(found["code"])
    assert code is not None, f"{found['code']} stands in no table of codes"
    assert response.status_code in (code.status, *code.also)
    if found["code"] == "validation-error":
        assert found["errors"]
        assert all({"field", "message"} <= one.keys() for one in found["errors"])


_TOKEN = re.compile(r"tok_[A-Za-z0-9_-]{1,64}", re.ASCII)
_PAYMENT = re.compile(r"pi_[a-z0-9]{16}", re.ASCII)
_IDS = {
    "payment_method": (_TOKEN, "token"),
    "token": (_TOKEN, "token"),
    "payment_intent": (_PAYMENT, "payment_intent"),
}
_LASTING = ("/actors/", "/keys/", "/users/", "/rules")
_OURS = (
    "gateway",
    "vault",
    "provider",
    "front",
    "console",
    "dispatch",
    "recon",
    "m001",
    "usr_m001",
)
_DURATION = re.compile(DURATION_PATTERN)
_NOBODY = {"payment": "pi_nobody"}


def _is_rule(body: dict[str, Any]) -> bool:
    return isinstance(body.get("operation"), str) and body.get("match") is None


def _known(body: dict[str, Any]) -> dict[str, Any]:
    """A token or payment that looks like one becomes one that is there, always the same for it."""
    found = dict(body)
    for name, (shape, kind) in _IDS.items():
        value, there = found.get(name), THERE.get(kind)
        if there and isinstance(value, str) and shape.fullmatch(value) and value not in there:
            found[name] = there[sum(value.encode()) % len(there)]
    return found


def _whole(value: Any) -> Any:
    """JSON Schema takes 1.0 for a whole number; this house does not, and says so in its words."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_whole(one) for one in value]
    if isinstance(value, dict):
        return {name: _whole(one) for name, one in value.items()}
    return value
