"""Examples made from schemas, so that every body and answer in a document has one.

What a schema says itself (`examples`, `const`, `enum`, `default`) comes first, then the words that
a field of that name has in this trade, then the plainest value of the type.
Never: a card number that is not one of the documented test cards.
"""

from collections.abc import Mapping
from typing import Any

#: Deeper than any answer of ours; a model that holds itself ends here.
_DEPTH_MAX = 12
_ZEROS = "0" * 16
_AT = "2026-02-09T12:00:00.123Z"

WORDS: dict[str, Any] = {
    "number": "4242424242424242",
    "exp_month": 12,
    "exp_year": 2030,
    "cvc": "123",
    "token": f"tok_{_ZEROS * 2}",
    "payment_method": f"tok_{_ZEROS * 2}",
    "payment_intent": f"pi_{_ZEROS}",
    "payment_id": f"pi_{_ZEROS}",
    "merchant_id": "m_001",
    "provider": "providerA",
    "amount": 1099,
    "currency": "USD",
    "brand": "visa",
    "bin": "424242",
    "last4": "4242",
    "email": "ada@shop.example",
    "name": "Ada Lovelace",
    "country": "GB",
    "ip": "203.0.113.7",
    "metadata": {"order": "1042"},
    "reason": "sent back",
    "reference": f"pi_{_ZEROS}.1",
    "authorization": f"pi_{_ZEROS}.1",
    "event_id": "evt_00000000000000001043",
    "endpoint_id": f"we_{_ZEROS}",
    "correlation_id": f"cor_{_ZEROS}",
    "user_id": "usr_m001operator",
    "requested_by": "usr_m001operator",
    "url": "https://shop.example/hooks",
    "latency_ms": 42,
    "evidence": {"order_details": "Order 1042, one kite, sent on 9 February."},
    "type": "payment.captured",
    "purpose": "support.last4",
    "idempotency_key": "order-1042-try-1",
    "operation": "authorize",
    "do": "error",
    "date": "2026-02-09",
    "at": _AT,
    "since": _AT,
    "timestamp": _AT,
    "business_time": _AT,
    "wire_time": _AT,
}


def example(schema: Mapping[str, Any], schemas: Mapping[str, Any], name: str = "") -> Any:
    """A value that the schema allows. `schemas`: what its references mean."""
    return _made(schema, schemas, name, 0)


def _made(schema: Mapping[str, Any], schemas: Mapping[str, Any], name: str, depth: int) -> Any:
    if "$ref" in schema:
        return _made(schemas[schema["$ref"].rpartition("/")[2]], schemas, name, depth)
    if told := schema.get("examples"):
        return told[0]
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        word = WORDS.get(name)
        return word if word in schema["enum"] else schema["enum"][0]
    for key in ("anyOf", "oneOf"):
        if key in schema and "properties" not in schema:
            return _made(_first(schema[key], name), schemas, name, depth)
    return _typed(schema, schemas, name, depth)


def _first(choices: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """What there is rather than null, except where the usual case is that there is nothing."""
    if name in _USUALLY_NONE:
        return next((one for one in choices if one.get("type") == "null"), choices[0])
    return choices[0]


#: Ids of what has a shape of its own, by the name of the shape.
_ID_OF = {
    "Customer": "customer-17",
    "Refund": f"re_{_ZEROS}",
    "Dispute": f"dp_{_ZEROS}",
    "Endpoint": f"we_{_ZEROS}",
    "Case": f"case_{_ZEROS}",
    "Payout": f"po_{_ZEROS}",
    "Capture": f"cap_{_ZEROS}",
    "Event": WORDS["event_id"],
    "Provider": "providerA",
    "Merchant": "m_001",
    "User": "usr_m001operator",
    "Key": "m001operator",
}
_USUALLY_NONE = frozenset(
    {"next_cursor", "decline_code", "failure_reason", "rejected_by", "rejection_reason"}
    | {"disabled_reason", "pending_operation", "capture", "closed_at", "closed_by", "resolution"}
)


def _typed(schema: Mapping[str, Any], schemas: Mapping[str, Any], name: str, depth: int) -> Any:
    kind = schema.get("type")
    if kind == "object" or "properties" in schema:
        return _object(schema, schemas, name, depth)
    if kind == "array":
        item = schema.get("items")
        one = name.removesuffix("s")
        return [_made(item, schemas, one, depth + 1)] if item and depth < _DEPTH_MAX else []
    word = WORDS.get(name, _AT if name.endswith("_at") else None)
    if kind == "string":
        return word if isinstance(word, str) else _text(schema, name)
    if kind == "integer":
        least = schema.get("minimum", 0)
        return word if isinstance(word, int) else least
    return {"number": 0, "boolean": bool(schema.get("default", False)), "null": None}.get(
        kind or "", {}
    )


def _object(schema: Mapping[str, Any], schemas: Mapping[str, Any], name: str, depth: int) -> Any:
    if depth > _DEPTH_MAX:
        return {}
    if "properties" not in schema:
        return WORDS.get(name, {}) if isinstance(WORDS.get(name), dict) else {}
    found = {
        field: _made(inner, schemas, field, depth + 1)
        for field, inner in schema["properties"].items()
    }
    if isinstance(found.get("id"), str):
        found["id"] = _ID_OF.get(str(schema.get("title", "")).removesuffix("Shown"), found["id"])
    return found


def _text(schema: Mapping[str, Any], name: str) -> str:
    if schema.get("format") == "date":
        return "2026-02-09"
    if name == "id":
        return f"pi_{_ZEROS}"
    return "text" if schema.get("minLength", 0) <= 4 else "x" * schema["minLength"]
