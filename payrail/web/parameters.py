"""Parameters of an operation, typed: from the route's own words, from what it answers, by name.

A filter that is named as a field of the list's rows has that field's schema; a parameter nobody
knows is text. Never: says a shape that the handler would not take.
"""

import re
from collections.abc import Mapping
from typing import Any, Protocol

from payrail.domain.money import currency_codes

Schema = Mapping[str, Any]

#: What a string from outside may hold: no control characters, no ends of lines but none.
PLAIN_TEXT = r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*$"
_NAMES = re.compile(r"\{([a-z_]+)\}")
_ID = {
    "payment-intents": "pi",
    "refunds": "re",
    "disputes": "dp",
    "webhook-endpoints": "we",
    "cases": "case",
    "payouts": "po",
}
_TIME = {"type": "string", "format": "date-time", "examples": ["2026-02-09T12:00:00Z"]}
_PAGE = {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}
_CURSOR = {"type": "string", "pattern": "^[0-9]{1,15}$"}


def _id(prefix: str) -> Schema:
    pattern = f"^{prefix}_[a-z0-9]{{16}}$"
    return {"type": "string", "pattern": pattern, "examples": [f"{prefix}_{'0' * 16}"]}


_TEXT = {"type": "string", "pattern": PLAIN_TEXT, "minLength": 1, "maxLength": 100}
_AMOUNT = {"type": "integer", "minimum": 0, "maximum": 99_999_999, "examples": [1099]}
#: Bare, or quoted with a backslash before a quote or a backslash.
_KEY = r'^(?:[!#-~](?:[ -~]{0,253}[!-~])?|"(?:[ !#-\[\]-~]|\\["\\]){1,255}")$'

#: By name, wherever a route does not say otherwise: schema and what is meant.
KNOWN: dict[str, tuple[Schema, str]] = {
    "limit": (_PAGE, "How many rows a page has at most."),
    "cursor": (_CURSOR, "`next_cursor` of the page before."),
    "at": (_TIME, "The books as they were at this time."),
    "created_from": (_TIME, "Not before this time, which belongs to it."),
    "created_to": (_TIME, "Not after this time, which belongs to it."),
    "amount_min": (_AMOUNT, "Minor units, this amount or more."),
    "amount_max": (_AMOUNT, "Minor units, this amount or less."),
    "provider": (
        {"type": "string", "enum": ["providerA", "providerB", "provider-a", "provider-b"]},
        "In either spelling.",
    ),
    "currency": ({"type": "string", "enum": currency_codes()}, "ISO 4217, upper case."),
    "payment_intent": (
        {"type": "string", "pattern": "^pi_[a-z0-9]{16}$", "examples": [f"pi_{'0' * 16}"]},
        "Only what is about this payment.",
    ),
    "dry_run": (
        {"type": "boolean", "default": False},
        "Say what would be answered, and write nothing.",
    ),
    "merchant": (
        {"type": "string", "pattern": "^m_[A-Za-z0-9_-]{1,60}$", "examples": ["m_001"]},
        "Only this merchant's; a merchant's key sees its own in any case.",
    ),
    "last4": ({"type": "string", "pattern": "^[0-9]{4}$"}, "Last four digits of the card."),
    "email": ({**_TEXT, "examples": ["ada@shop.example"]}, "The customer's whole address."),
    "endpoint_id": (_id("we"), "Only to this endpoint."),
    "event_id": (_id("evt"), "Only of this event."),
    "q": (_TEXT, "A part of the id, the customer's name or email, or a value of the metadata."),
    "reference": (
        {"type": "string", "pattern": "^[!-~]{1,80}$", "examples": ["pi_0000000000000000.1"]},
        "Our name for a call.",
    ),
    "date": ({"type": "string", "format": "date", "examples": ["2026-02-09"]}, "A day."),
    "n": ({"type": "integer", "minimum": 1, "maximum": 9_999_999}, "Number of the break."),
    "token": ({"type": "string", "pattern": "^tok_[A-Za-z0-9_-]{1,64}$"}, "A card's token."),
}


class Asked(Protocol):
    """What is needed of a route; see `payrail.web.openapi.Route`."""

    @property
    def path(self) -> str: ...
    @property
    def query(self) -> tuple[str, ...]: ...
    @property
    def needs(self) -> tuple[str, ...]: ...
    @property
    def keyed(self) -> bool: ...
    @property
    def schemas(self) -> Mapping[str, Schema]: ...
    @property
    def heads(self) -> Mapping[str, Schema]: ...
    @property
    def may_head(self) -> Mapping[str, Schema]: ...


def parameters(route: Asked, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Of the path, the query and the head. `row`: the properties of what its list is of."""
    own = route.schemas
    found = [_path(name, route.path, own) for name in _NAMES.findall(route.path)]
    found += [{**_query(name, own, row), "required": name in route.needs} for name in route.query]
    found += [_head(name, schema, needed=True) for name, schema in route.heads.items()]
    found += [_head(name, schema, needed=False) for name, schema in route.may_head.items()]
    return [*found, _IDEMPOTENCY_KEY] if route.keyed else found


_IDEMPOTENCY_KEY: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "New for each thing you want; the same one again gets the same answer, "
    "byte for byte, for at least 24 hours. Bare or in quotes. With `Prefer: wait=N`, N from 0 to "
    "30 seconds, one whose answer is not final yet waits for its end: `Preference-Applied`.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 512, "pattern": _KEY},
    "example": "order-1042-try-1",
}


def _head(name: str, schema: Schema, *, needed: bool) -> dict[str, Any]:
    said = {key: value for key, value in schema.items() if key != "description"}
    found = {"name": name, "in": "header", "required": needed, "schema": said}
    return found | ({"description": schema["description"]} if "description" in schema else {})


def _path(name: str, path: str, own: Mapping[str, Schema]) -> dict[str, Any]:
    schema = own.get(name) or _path_schema(name, path)
    found = {"name": name, "in": "path", "required": True, "schema": dict(schema)}
    if name in KNOWN:
        found["description"] = KNOWN[name][1]
    return found


def _path_schema(name: str, path: str) -> Schema:
    first = path.split("/")[1]
    if name == "id" and first in _ID:
        return _id(_ID[first])
    if name in KNOWN:
        return KNOWN[name][0]
    return {"type": "string", "minLength": 1, "maxLength": 80, "examples": [_example(path, name)]}


def _example(path: str, name: str) -> str:
    return {"providers": "providerA", "ledger": f"pi_{'0' * 16}", "actors": "provider-a"}.get(
        path.split("/")[1] if name != "ref" else "", f"{name}_1"
    )


def _query(name: str, own: Mapping[str, Schema], row: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"name": name, "in": "query"}
    if name in own:
        return {**found, "schema": dict(own[name])}
    if name in KNOWN:
        schema, meaning = KNOWN[name]
        return {**found, "description": meaning, "schema": dict(schema)}
    if name in row:
        return {**found, "description": "Only rows that say this.", "schema": _single(row[name])}
    return {**found, "schema": {"type": "string"}}


def _single(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A row's field as a filter: what may be null in a row cannot be asked for as null."""
    kept = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    chosen = dict(kept[0] if len(kept) == 1 else schema)
    return {name: value for name, value in chosen.items() if name not in ("title", "default")}
