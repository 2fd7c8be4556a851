"""Flows of clients that may not do what they try, or say it badly: each is refused with its code,
before anything happens.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from actors.simulation.shops import CARDHOLDER, Request, Shop, Steps, Strange

#: Of one flow so many are tried.
TRIED = 5
JSON = "application/json"
_LONG = b'{"metadata":{"a":"%b"}}' % (b"x" * 1_000_000)
_INVALID = 422, "validation-error"


@dataclass(frozen=True, slots=True)
class Misuse:
    """One order, and its refusal. `change` is what is wrong with a body that would do; `raw`
    stands in its place. In the path {id} is a payment that is captured."""

    status: int
    code: str
    path: str = "/payment-intents"
    change: Mapping[str, Any] = field(default_factory=dict)
    raw: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    role: str = "admin"
    key: str | None = ""  # "": a good one


def _create(change: Mapping[str, Any]) -> Misuse:
    return Misuse(*_INVALID, change=change)


_CREATED: tuple[Misuse, ...] = (
    _create({"amount": None}),
    _create({"amount": -1}),
    _create({"amount": 0}),
    _create({"amount": 10.5}),
    _create({"amount": 1.0}),
    _create({"amount": "100"}),
    _create({"amount": True}),
    _create({"amount": 100_000_000}),
    _create({"amount": 10**30}),
    _create({"currency": "usd"}),
    _create({"currency": "XXX"}),
    _create({"currency": None}),
    _create({"confirm": "yes"}),
    _create({"state": "captured"}),
    _create({"merchant_id": "m_002"}),
    _create({"payment_method": "4242424242424242"}),
    _create({"metadata": {"card": "4242 4242 4242 4242"}}),
    _create({"metadata": {"a": {"b": 1}}}),
    Misuse(422, "unknown-token", change={"payment_method": "tok_" + "0" * 32}),
)
_WRITTEN: tuple[Misuse, ...] = (
    Misuse(400, "malformed-json", raw=b'{"amount":'),
    Misuse(400, "malformed-json", raw=b'{"amount":1,"amount":2}'),
    Misuse(400, "malformed-json", raw=b'{"amount":NaN}'),
    Misuse(400, "malformed-json", raw=b'{"currency":"\xff"}'),
    Misuse(400, "malformed-json", raw=b"[" * 5_000),
    Misuse(*_INVALID, raw=b"[]"),
    Misuse(413, "body-too-large", raw=_LONG),
    Misuse(415, "unsupported-media-type", headers={"Content-Type": "text/plain"}),
    Misuse(415, "unsupported-media-type", headers={"Content-Type": "application/x-www-form"}),
    Misuse(400, "idempotency-key-missing", key=None),
    Misuse(400, "idempotency-key-invalid", key="x" * 256),
    Misuse(400, "idempotency-key-invalid", key="4242424242424242"),
    Misuse(400, "idempotency-key-missing", raw=b"{", key=None),
)
_REFUND = "/refunds"
_CLAIMED: tuple[Misuse, ...] = (
    Misuse(*_INVALID, _REFUND, change={"amount": 0}),
    Misuse(*_INVALID, _REFUND, change={"amount": -5}),
    Misuse(*_INVALID, _REFUND, change={"amount": 1.5}),
    Misuse(422, "amount-exceeds", _REFUND, change={"amount": 99_999_999}),
    Misuse(409, "illegal-transition", "/payment-intents/{id}/authorize", raw=b""),
    Misuse(409, "illegal-transition", "/payment-intents/{id}/cancel", raw=b""),
    Misuse(*_INVALID, "/payment-intents/{id}/capture", raw=b'{"amount":-1}'),
    Misuse(*_INVALID, "/payment-intents/{id}/capture", raw=b'{"amount":1,"tip":1}'),
    Misuse(415, "unsupported-media-type", _REFUND, headers={"Content-Type": "text/xml"}),
)
_FORBIDDEN = 403, "forbidden"
_ROLES: tuple[Misuse, ...] = (
    Misuse(*_FORBIDDEN, role="viewer"),
    Misuse(*_FORBIDDEN, role="auditor"),
    Misuse(*_FORBIDDEN, role="approver"),
    Misuse(*_FORBIDDEN, role="publishable"),
    Misuse(*_FORBIDDEN, "/payment-intents/{id}/capture", raw=b"", role="viewer"),
    Misuse(*_FORBIDDEN, _REFUND, role="approver"),
    Misuse(*_FORBIDDEN, _REFUND, role="viewer"),
    Misuse(*_FORBIDDEN, "/keys", raw=b'{"user":"usr_m001_viewer","role":"admin"}', role="operator"),
    Misuse(*_FORBIDDEN, "/users", raw=b'{"name":"A"}', role="approver"),
    Misuse(*_FORBIDDEN, "/merchants", raw=b'{"name":"A","mcc":"5942"}'),
    Misuse(*_FORBIDDEN, "/payouts", raw=b'{"currency":"USD"}', role="viewer"),
    Misuse(*_FORBIDDEN, "/webhook-endpoints", raw=b'{"url":"https://a.example"}', role="viewer"),
    Misuse(*_FORBIDDEN, "/providers/providerA/inject-failure", raw=b"{}", role="operator"),
    Misuse(*_FORBIDDEN, headers={"X-Merchant-Id": "m_002"}),
    Misuse(401, "unauthenticated", role=CARDHOLDER),
    Misuse(401, "unauthenticated", role="sk_test_m001admin_" + "0" * 32),
    Misuse(401, "unauthenticated", role="sk_test_nobody_" + "0" * 32),
    Misuse(401, "unauthenticated", headers={"Authorization": "Basic bTpt"}, role=CARDHOLDER),
)


def misuses(shop: Shop) -> Steps[None]:
    """Bad bodies, bad heads, wrong roles and wrong keys, about a payment that is captured."""
    token = yield from shop.card()
    made = yield from shop.created(token, confirm=True, capture_method="automatic")
    payment_id = str(made["id"])
    for number in range(TRIED):
        table = (_CREATED, _WRITTEN, _CLAIMED, _ROLES)[number % 4]
        misuse = table[(shop.wish.choice // 7 + number) % len(table)]
        request = _asked(shop, misuse, payment_id, token, number)
        yield from shop.refused(request, misuse.status, misuse.code)


def _asked(shop: Shop, misuse: Misuse, payment_id: str, token: str, number: int) -> Request:
    body: dict[str, Any] = {"amount": 100, "currency": "USD", "payment_method": token}
    if misuse.path == _REFUND:
        body = {"payment_intent": payment_id, "amount": 1, "reason": "came back"}
    changed = {
        name: value for name, value in {**body, **misuse.change}.items() if value is not None
    }
    return Request(
        "POST",
        misuse.path.replace("{id}", payment_id),
        None,
        shop.wish.key(f"misuse-{number}") if misuse.key == "" else misuse.key,
        shop.wish.merchant,
        misuse.role,
        raw=msgspec.json.encode(changed) if misuse.raw is None else misuse.raw,
        headers=misuse.headers,
    )


def approves_alone(shop: Shop) -> Steps[None]:
    """Whoever asked for a refund may not approve it, not even with another key; who may not
    approve at all is told so. Then somebody else does."""
    payment_id = yield from shop.captured()
    body = {"payment_intent": payment_id, "amount": 1, "reason": "came back"}
    made = yield from shop.order("refund", "/refunds", body)
    path = f"/refunds/{made['id']}/approve"
    user = f"usr_{shop.wish.merchant.replace('_', '')}_admin"
    yield from shop.refused(shop.wants("own", path), 403, "four-eyes")
    for role in ("operator", "viewer")[shop.wish.choice % 2 :]:
        yield from shop.refused(shop.wants(f"as-{role}", path, role=role), 403, "forbidden")
    second = yield from shop.order("key", "/keys", {"user": user, "role": "approver"})
    key, merchant = shop.wish.key("second-key"), shop.wish.merchant
    again = Request("POST", path, {}, key, merchant, str(second["key"]), user=user)
    yield from shop.refused(again, 403, "four-eyes")
    yield from shop.order("revoke", f"/keys/{second['id']}/revoke")
    yield from shop.refused(again, 401, "unauthenticated")
    yield from shop.order("approve", path, role="approver")
    yield from shop.ends(f"/refunds/{made['id']}", frozenset({"succeeded", "failed"}))


def comes_in_by_the_wrong_door(shop: Shop) -> Steps[None]:
    """A merchant's key opens no inner door, and a cardholder's page is of one challenge."""
    payment_id = yield from shop.held()
    for path in ("/providers/providerA/refund", "/providers/providerA/disputes"):
        body = {"reference": f"{payment_id}.1", "amount": 1, "currency": "USD"}
        inner = Request("POST", path, body, None, shop.wish.merchant, "admin", "inner")
        yield from shop.refused(inner, 401, "unauthenticated")
    charge = {"token": "tok_x", "provider": "providerA", "purpose": "charge.authorize"}
    vault = Request("POST", "/charge-token", charge, None, shop.wish.merchant, "admin", "vault")
    yield from shop.refused(vault, 401, "unauthenticated")
    page = f"/challenges/chl_{'a' * 32}"
    body = {"outcome": "approve"}
    unknown = Request("POST", page, body, None, shop.wish.merchant, CARDHOLDER)
    yield from shop.refused(unknown, 404, "not-found")
    found = yield from shop.look(f"/payment-intents/{payment_id}")
    if found.body.get("next_action"):
        raise Strange("a payment that is held asks its cardholder")
    yield from shop.about(payment_id, "cancel")
