"""Flows of tokens that end: a card is deleted, and a token for one payment is used for two."""

from typing import Any

from actors.simulation.shops import Answer, Request, Shop, Steps, Strange

TOKENS = "/tokens"


def deletes(shop: Shop) -> Steps[None]:
    """A card is charged and then deleted: what was charged stays, and nothing new is. Nobody else
    can delete it."""
    token = yield from shop.card()
    made = yield from shop.created(token)
    yield from shop.about(str(made["id"]), "authorize")
    yield from shop.refused(_delete(shop, token, "viewer"), 403, "forbidden")
    yield from shop.refused(_delete(shop.stranger, token), 404, "not-found")
    gone = yield from shop.until_final(_delete(shop, token))
    if gone.status not in (200, 404):  # the second, where the first answer was lost
        raise Strange(f"a deletion: {gone.status} {gone.body.get('code')}")
    yield from shop.refused(_delete(shop, token), 404, "not-found")
    yield from _buys_nothing(shop, token)
    yield from shop.about(str(made["id"]), "capture")


def used_twice(shop: Shop) -> Steps[None]:
    """Two payments are charged at once with a token for one."""
    token = yield from shop.card(usage="single_use")
    paths = []
    for number in (1, 2):
        made = yield from shop.order(f"create-{number}", "/payment-intents", _body(shop, token))
        paths.append(f"/payment-intents/{made['id']}/authorize")
    wants = [shop.wants(f"authorize-{number}", path) for number, path in enumerate(paths, 1)]
    answers = yield from shop.at_once(*wants)
    if not any(map(_is_refused, answers)):
        raise Strange(f"one token, two payments: {[answer.status for answer in answers]}")


def _buys_nothing(shop: Shop, token: str) -> Steps[None]:
    """Whoever was not told of the deletion yet, after a power cut, asks the vault, and is."""
    request = shop.wants("create-after", "/payment-intents", _body(shop, token))
    answer = yield from shop.until_final(request)
    if (answer.status, answer.body.get("code")) == (422, "unknown-token"):
        return
    if answer.status != 201:
        raise Strange(f"a payment with a deleted card: {answer.status} {answer.body.get('code')}")
    path = f"/payment-intents/{answer.body['id']}/authorize"
    charged = yield from shop.until_final(shop.wants("authorize-after", path))
    if charged.status == 200:
        raise Strange("a deleted card was charged")


def _is_refused(answer: Answer) -> bool:
    return answer.status == 402 and answer.body.get("code") == "card-declined"


def _delete(shop: Shop, token: str, role: str = "admin") -> Request:
    path = f"{TOKENS}/{token}"
    return Request("DELETE", path, None, None, shop.wish.merchant, role, "vault")


def _body(shop: Shop, token: str) -> dict[str, Any]:
    wish = shop.wish
    return {
        "amount": wish.amount_minor,
        "currency": wish.currency,
        "payment_method": token,
        "capture_method": "manual",
    }
