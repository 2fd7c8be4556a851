"""Flows of forgers: nobody believes their notices, and a genuine one counts once, however often it
comes.
"""

from actors.simulation.flows.claims import (
    DISPUTE_ENDS,
    DISPUTED_CARD,
    REFUND_ENDS,
    SENT_BACK_CARD,
    opened,
)
from actors.simulation.forging import AGAIN, FORGED, NOTICES, WAYS, Forgery
from actors.simulation.shops import ECHO, FORGER, Pause, Request, Shop, Steps, Strange
from payrail.security.notices import SCHEMES

#: How long an echo waits for the next notice, and how many are posted again at most.
ECHO_MS, ECHOES_MAX = 500, 5
_OPERATIONS = ("authorize", "capture", "refund", "reverse")


def forges(shop: Shop) -> Steps[None]:
    """Somebody tells what never was about a payment: before it is held, while it is, and after."""
    token = yield from shop.card()
    made = yield from shop.created(token)
    payment_id = str(made["id"])
    yield from _forged(shop, payment_id, 0)
    yield from shop.about(payment_id, "authorize")
    yield from _forged(shop, payment_id, 1)
    yield from shop.about(payment_id, "capture" if shop.wish.choice % 3 else "cancel")
    yield from _forged(shop, payment_id, 2)


def _forged(shop: Shop, payment_id: str, part: int) -> Steps[None]:
    """One way to forge after the other, of seed to seed another one."""
    at = shop.wish.choice // 4 + part
    how, operation = FORGED[at % len(FORGED)], _OPERATIONS[at // 8 % len(_OPERATIONS)]
    forgery = Forgery(
        how,
        payment_id,
        tuple(SCHEMES)[at // 32 % len(SCHEMES)],
        operation,
        number=1 + part,
        amount_minor=shop.wish.amount_minor,
        currency=shop.wish.currency,
        place=at,
    )
    yield from shop.refused(_posted(shop, forgery, FORGER), WAYS[how].status, WAYS[how].code)


def repeats(shop: Shop) -> Steps[None]:
    """Whoever overheard a provider posts the same again: it was told before."""
    road = ("cancel", "refund", "sent back", "disputed", "capture")[shop.wish.choice % 5]
    if road == "sent back":
        yield from _refunded(shop, SENT_BACK_CARD)
    elif road == "disputed":
        yield from _disputed(shop)
    elif road == "refund":
        yield from _refunded(shop)
    else:
        payment_id = yield from shop.held()
        yield from _again(shop, payment_id)
        yield from shop.about(payment_id, road)
        yield from _again(shop, payment_id)


def _refunded(shop: Shop, card: str = "") -> Steps[None]:
    payment_id = yield from shop.captured(card)
    body = {"payment_intent": payment_id, "amount": shop.wish.amount_minor, "reason": "came back"}
    made = yield from shop.order("refund", "/refunds", body, role="operator")
    path = f"/refunds/{made['id']}"
    yield from shop.order("approve", f"{path}/approve", role="approver")
    yield from shop.ends(path, REFUND_ENDS)
    if card:
        yield from shop.advanced("5m")
        yield from shop.ends(path, frozenset({"failed"}))
    yield from _again(shop, payment_id)


def _disputed(shop: Shop) -> Steps[None]:
    payment_id = yield from shop.captured(DISPUTED_CARD)
    yield from shop.advanced("5m")
    path = f"/disputes/{(yield from opened(shop, payment_id))['id']}"
    yield from _again(shop, payment_id)
    yield from shop.order(
        "resolve", f"{path}/resolve", {"outcome": ("won", "lost")[shop.wish.choice // 5 % 2]}
    )
    yield from shop.ends(path, DISPUTE_ENDS)
    yield from _again(shop, payment_id)


def _again(shop: Shop, payment_id: str) -> Steps[None]:
    yield Pause(ECHO_MS)
    for place in range(ECHOES_MAX):
        request = _posted(shop, Forgery(AGAIN, payment_id, place=place), ECHO)
        answer = yield from shop.until_final(request)
        code = answer.body.get("code")
        # None was overheard, or clocks were set since: then it is refused, which is right too.
        if answer.status != 200 and code not in ("signature-invalid", "timestamp-out-of-tolerance"):
            raise Strange(f"a notice that came before: {answer.status} {code}")


def _posted(shop: Shop, forgery: Forgery, role: str) -> Request:
    return Request("POST", NOTICES, None, None, shop.wish.merchant, role, forged=forgery)
