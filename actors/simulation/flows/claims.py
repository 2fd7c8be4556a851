"""Flows about what was captured: refunds with a second person, disputes with their answers."""

from typing import Any

from actors.simulation.shops import LOOK_MS, Deed, Ended, Pause, Shop, Steps, Strange

#: Documented to be disputed, and to send its refunds back.
DISPUTED_CARD, SENT_BACK_CARD = "4000000000000259", "4000000000005126"
REFUND_ENDS = frozenset({"succeeded", "failed"})
DISPUTE_ENDS = frozenset({"won", "lost"})
#: How often somebody looks for a dispute that a cardholder should have opened.
LOOKS_MAX = 40
#: Orders that a chargeback or a refund may have crossed: their refusals are final and no fault.
CROSSED = (422,)


def refunds(shop: Shop) -> Steps[None]:
    """Half of a capture or all of it goes back, or a second person says no."""
    payment_id = yield from shop.captured()
    yield from _refunded(shop, payment_id)


def _refunded(shop: Shop, payment_id: str) -> Steps[None]:
    amount = shop.wish.amount_minor // (1 + shop.wish.choice % 2)
    body = {"payment_intent": payment_id, "amount": amount, "reason": "came back"}
    made = yield from shop.order("refund", "/refunds", body, role="operator")
    path = f"/refunds/{made['id']}"
    if shop.wish.choice % 4 == 0:
        yield from shop.order("reject", f"{path}/reject", {"reason": "not ours"}, role="approver")
        return
    yield from shop.order("approve", f"{path}/approve", role="approver")
    yield from shop.ends(path, REFUND_ENDS)


def refunded_twice(shop: Shop) -> Steps[None]:
    """Two refunds that together are the whole capture; a third has nothing left."""
    payment_id = yield from shop.captured()
    first = shop.wish.amount_minor // 2
    for number, amount in enumerate((first, shop.wish.amount_minor - first, 1)):
        body = {"payment_intent": payment_id, "amount": amount, "reason": "came back"}
        part = f"refund-{number}"
        made = yield from shop.order(part, "/refunds", body, role="operator", also=CROSSED)
        if "id" not in made:
            return
        path = f"/refunds/{made['id']}"
        yield from shop.order(f"approve-{number}", f"{path}/approve", role="approver")
        yield from shop.ends(path, REFUND_ENDS)


def sent_back(shop: Shop) -> Steps[None]:
    """A refund that the cardholder's bank sends back: the money is the merchant's again."""
    payment_id = yield from shop.captured(SENT_BACK_CARD)
    amount = shop.wish.amount_minor
    body = {"payment_intent": payment_id, "amount": amount, "reason": "came back"}
    made = yield from shop.order("refund", "/refunds", body, role="operator")
    path = f"/refunds/{made['id']}"
    yield from shop.order("approve", f"{path}/approve", role="approver")
    yield from shop.ends(path, REFUND_ENDS)
    yield from shop.advanced("5m")


def disputed_at_b(shop: Shop) -> Steps[None]:
    """The second provider is called first from now on, and its cardholders dispute too."""
    yield Deed("rules", "routing.toml", 'order = ["providerB", "providerA"]\n')
    yield from charged_back(shop)


def disputes(shop: Shop) -> Steps[None]:
    """A dispute that somebody opens: the merchant answers and the issuer rules, or it gives in."""
    payment_id = yield from shop.captured()
    body = {"payment_intent": payment_id, "reason": "product_not_received"}
    made = yield from shop.order("dispute", "/disputes", body)
    path = f"/disputes/{made['id']}"
    road = ("won", "lost", "accept")[shop.wish.choice % 3]
    if road == "accept":
        yield from shop.order("accept", f"{path}/accept")
    else:
        yield from _answered(shop, path, "as ordered")
        yield from shop.order("resolve", f"{path}/resolve", {"outcome": road})
    yield from shop.ends(path, DISPUTE_ENDS)


def _answered(shop: Shop, path: str, text: str) -> Steps[None]:
    given = {"evidence": {"order_details": text}}
    yield from shop.order("evidence", f"{path}/evidence", given)
    yield from shop.order("submit", f"{path}/submit")


def charged_back(shop: Shop) -> Steps[None]:
    """A cardholder disputes by himself after a while: it is answered, or its days run out."""
    payment_id = yield from shop.captured(DISPUTED_CARD)
    yield from shop.advanced("5m")
    found = yield from opened(shop, payment_id)
    path = f"/disputes/{found['id']}"
    if shop.wish.choice % 16 == 0:
        yield from shop.advanced("20d")
    else:
        road = ("won", "lost")[shop.wish.choice % 2]
        yield from _answered(shop, path, f"{road}, if it takes its time")
        yield from shop.order("resolve", f"{path}/resolve", {"outcome": road})
    yield from shop.ends(path, DISPUTE_ENDS)


def opened(shop: Shop, payment_id: str) -> Steps[dict[str, Any]]:
    """The dispute that a cardholder should have opened."""
    for _ in range(LOOKS_MAX):
        listed = yield from shop.look(f"/disputes?payment_intent={payment_id}")
        if listed.body.get("data"):
            return dict(listed.body["data"][0])
        yield Pause(LOOK_MS)
    raise Ended("no dispute was opened")


def refund_and_dispute(shop: Shop) -> Steps[None]:
    """A refund and a chargeback of one capture: a refund that only waits is stopped by a dispute,
    and one that was paid is disputed all the same, for facts from outside win."""
    payment_id = yield from shop.captured(DISPUTED_CARD)
    body = {"payment_intent": payment_id, "amount": shop.wish.amount_minor, "reason": "came back"}
    made = yield from shop.order("refund", "/refunds", body, role="operator")
    path = f"/refunds/{made['id']}"
    if shop.wish.choice % 2:
        yield from shop.order("approve", f"{path}/approve", role="approver", also=CROSSED)
        yield from shop.advanced("5m")
        yield from opened(shop, payment_id)
    else:
        yield from shop.advanced("5m")
        dispute = yield from opened(shop, payment_id)
        yield from _stopped(shop, path, f"/disputes/{dispute['id']}")


def _stopped(shop: Shop, refund: str, dispute: str) -> Steps[None]:
    """The refund waits for the dispute to be over; what is left of it then may go back."""
    yes, also = f"{refund}/approve", (409, 422)
    told = yield from shop.order("approve", yes, role="approver", also=also)
    if "code" not in told:
        raise Strange(f"approved beside an open dispute: {told.get('state')}")
    if told["code"] != "dispute-open":  # it has waited too long
        raise Ended("approve 409")
    outcome = {"outcome": "won"}
    yield from shop.order("resolve", f"{dispute}/resolve", outcome, also=(409,))
    yield from shop.ends(dispute, DISPUTE_ENDS)
    yield from shop.order("approve-later", yes, role="approver", also=also)
    yield from shop.ends(refund, REFUND_ENDS | {"pending_approval"})
