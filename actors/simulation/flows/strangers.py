"""Flows of another merchant, who knows ids that are none of its own: each is as unknown to it as
one that never was, to the last byte, and nothing comes of asking.
"""

from collections.abc import Callable, Mapping
from typing import Any

from actors.simulation.shops import Answer, Request, Shop, Steps, Strange

#: Of a table so many are tried by one flow: of seed to seed others.
LOOKS_MAX = 3
_IDENT_CHARACTERS = "abcdefghijklmnopqrstuvwxyz234567"
#: What may differ between two problems about two ids.
_OF_ONE_REQUEST = ("correlation_id", "instance")

#: (method, path with {id}, body with {id} in its values, role)
Look = tuple[str, str, Mapping[str, Any] | None, str]

_PAYMENT: tuple[Look, ...] = (
    ("GET", "/payment-intents/{id}", None, "viewer"),
    ("GET", "/payment-intents/{id}/routing", None, "admin"),
    ("GET", "/ledger/{id}", None, "admin"),
    ("POST", "/payment-intents/{id}/capture", {}, "operator"),
    ("POST", "/payment-intents/{id}/cancel", {}, "admin"),
    ("POST", "/payment-intents/{id}/authorize", {}, "admin"),
    ("POST", "/refunds", {"payment_intent": "{id}", "amount": 1, "reason": "mine"}, "operator"),
    ("POST", "/disputes", {"payment_intent": "{id}", "reason": "fraudulent"}, "admin"),
)
_REFUND: tuple[Look, ...] = (
    ("GET", "/refunds/{id}", None, "viewer"),
    ("GET", "/ledger/{id}", None, "auditor"),
    ("POST", "/refunds/{id}/approve", {}, "approver"),
    ("POST", "/refunds/{id}/reject", {"reason": "mine"}, "admin"),
)
_DISPUTE: tuple[Look, ...] = (
    ("GET", "/disputes/{id}", None, "viewer"),
    ("GET", "/ledger/{id}", None, "viewer"),
    ("POST", "/disputes/{id}/evidence", {"evidence": {"order_details": "mine"}}, "admin"),
    ("POST", "/disputes/{id}/submit", {}, "operator"),
    ("POST", "/disputes/{id}/accept", {}, "admin"),
    ("POST", "/disputes/{id}/resolve", {"outcome": "lost"}, "admin"),
)
_ENDPOINT: tuple[Look, ...] = (
    ("GET", "/webhook-endpoints/{id}", None, "viewer"),
    ("POST", "/webhook-endpoints/{id}/rotate-secret", {}, "admin"),
    ("POST", "/webhook-endpoints/{id}/disable", {}, "operator"),
)
_KEY: tuple[Look, ...] = (
    ("GET", "/keys/{id}", None, "admin"),
    ("POST", "/keys/{id}/rotate", {}, "admin"),
    ("POST", "/keys/{id}/revoke", {}, "admin"),
)
_USER: tuple[Look, ...] = (
    ("GET", "/users/{id}", None, "admin"),
    ("POST", "/users/{id}/deactivate", {}, "admin"),
    ("POST", "/keys", {"user": "{id}", "role": "viewer"}, "admin"),
)
_PAYOUT: tuple[Look, ...] = (
    ("GET", "/payouts/{id}", None, "viewer"),
    ("POST", "/payouts/{id}/resolve", {"outcome": "failed"}, "admin"),
)
_EVENT: tuple[Look, ...] = (("GET", "/events?after={id}", None, "viewer"),)


def asks_for_anothers(shop: Shop) -> Steps[None]:
    """Something of one merchant is there, and another asks for it by its id."""
    kind = _KINDS[shop.wish.choice % len(_KINDS)]
    yield from kind(shop)


def of_a_payment(shop: Shop) -> Steps[None]:
    payment_id = yield from shop.held()
    yield from _asked_for(shop, payment_id, _PAYMENT)
    listed = yield from shop.look("/events?limit=5")
    mine = [one for one in listed.body["data"] if one["merchant_id"] == shop.wish.merchant]
    for event in mine[:1]:  # those of a provider are everybody's
        yield from _asked_for(shop, str(event["id"]), _EVENT)
    yield from shop.about(payment_id, "capture")


def of_a_refund(shop: Shop) -> Steps[None]:
    payment_id = yield from shop.captured()
    body = {"payment_intent": payment_id, "amount": 1, "reason": "came back"}
    made = yield from shop.order("refund", "/refunds", body, role="operator")
    yield from _asked_for(shop, str(made["id"]), _REFUND)
    yield from _lists_nothing(shop, f"/refunds?payment_intent={payment_id}")


def of_a_dispute(shop: Shop) -> Steps[None]:
    payment_id = yield from shop.captured()
    body = {"payment_intent": payment_id, "reason": "product_not_received"}
    made = yield from shop.order("dispute", "/disputes", body)
    yield from _asked_for(shop, str(made["id"]), _DISPUTE)
    yield from _lists_nothing(shop, f"/disputes?payment_intent={payment_id}")


def of_the_house(shop: Shop) -> Steps[None]:
    """Where webhooks go, who may come in."""
    url = f"https://shop.example/w{shop.wish.number}"
    made = yield from shop.order("endpoint", "/webhook-endpoints", {"url": url})
    yield from _asked_for(shop, str(made["id"]), _ENDPOINT)
    yield from _lists_nothing(shop, f"/deliveries?endpoint_id={made['id']}")
    key = shop.wish.merchant.replace("_", "")
    if shop.wish.choice // len(_KINDS) % 2:
        yield from _asked_for(shop, f"{key}operator", _KEY)
    else:
        yield from _asked_for(shop, f"usr_{key}_operator", _USER)


_KINDS: tuple[Callable[[Shop], Steps[None]], ...] = (
    of_a_payment,
    of_a_refund,
    of_a_payment,
    of_a_dispute,
    of_the_house,
)


def asks_for_a_payout(shop: Shop, payout_id: str) -> Steps[None]:
    """Another merchant says what its bank says about this payout."""
    yield from _asked_for(shop, payout_id, _PAYOUT)


def uses_anothers(shop: Shop) -> Steps[None]:
    """The same key of two merchants is two keys; a token is of one merchant alone."""
    stranger, token = shop.stranger, (yield from shop.card())
    made = yield from shop.created(token)
    body = {"amount": 100, "currency": "USD", "payment_method": token}
    request = stranger.wants("with-your-token", "/payment-intents", body)
    yield from stranger.refused(request, 422, "unknown-token")
    for look in (("GET", "/tokens/{id}", None, "auditor"),):
        yield from _asked_for(shop, token, (look,), door="vault")
    own = yield from stranger.card()
    theirs = yield from stranger.created(own)
    if theirs["id"] == made["id"]:
        raise Strange("one key of two merchants made one payment")
    yield from shop.about(str(made["id"]), "authorize")
    yield from stranger.about(str(theirs["id"]), "authorize")


def _lists_nothing(shop: Shop, path: str) -> Steps[None]:
    answer = yield from shop.stranger.look(path)
    if answer.status != 200 or answer.body["data"]:
        raise Strange(f"a list of another merchant's: {answer.status}")


def _asked_for(shop: Shop, ident: str, looks: tuple[Look, ...], door: str = "api") -> Steps[None]:
    """Another merchant asks for this, and for what is not there: in some of these ways."""
    stranger, unknown = shop.stranger, _never_made(shop, ident)
    first = shop.wish.choice // len(_KINDS)
    for look in [looks[(first + n) % len(looks)] for n in range(min(LOOKS_MAX, len(looks)))]:
        told = yield from stranger.until_final(_request(stranger, look, ident, "yours", door))
        same = yield from stranger.until_final(_request(stranger, look, unknown, "none", door))
        if _is_other(told, same) or told.status not in (404, 422):
            what = f"{look[0]} {look[1]} of another merchant: {told.status}"
            raise Strange(f"{what} {told.body.get('code')}, of an unknown one {same.status}")


def _is_other(told: Answer, same: Answer) -> bool:
    return told.status != same.status or _essence(told) != _essence(same)


def _essence(answer: Answer) -> dict[str, Any]:
    return {name: text for name, text in answer.body.items() if name not in _OF_ONE_REQUEST}


def _never_made(shop: Shop, ident: str) -> str:
    """An id of the same shape."""
    head, line, tail = ident.rpartition("_")
    if not line:
        return f"{ident[:-3]}xyz"
    return f"{head}_{''.join(shop.chance.choice(_IDENT_CHARACTERS) for _ in tail)}"


def _request(stranger: Shop, look: Look, ident: str, what: str, door: str) -> Request:
    """One look; each order has a key of its own."""
    method, path, body, role = look
    given = body and {name: ident if text == "{id}" else text for name, text in body.items()}
    verb = path.rpartition("/")[2].partition("?")[0]
    key = stranger.wish.key(f"{what}-{verb}-{ident[:3]}") if method == "POST" else None
    merchant = stranger.wish.merchant
    return Request(method, path.replace("{id}", ident), given, key, merchant, role, door)
