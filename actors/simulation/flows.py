"""Every flow that a simulated shop can want, in one table. A new flow joins HERE:

1. write a generator that takes a `Shop` and yields from its parts (order, look, ends, card, …);
2. give it a row in `FLOWS`: how often it is drawn, how many requests it makes at least, and how
   many payments.

Then every seed of the simulator may draw it, with every fault. A flow ends early by `Ended` (a
decline, a refusal in doubt), and fails the run by `Strange`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from actors.simulation.schedule import Weight
from actors.simulation.shops import INSIDER, Ended, Shop, Steps, Strange

DECLINED_CARD, CHALLENGED_CARD = "4000000000000002", "4000002760003184"
#: Documented to be disputed, and to send its refunds back.
DISPUTED_CARD, SENT_BACK_CARD = "4000000000000259", "4000000000005126"
REFUND_ENDS = frozenset({"succeeded", "failed"})
DISPUTE_ENDS = frozenset({"won", "lost"})


def captures(shop: Shop) -> Steps[None]:
    """The plain payment: a card, a hold, a capture."""
    yield from shop.captured()


def at_once(shop: Shop) -> Steps[None]:
    """Created, charged and captured in one order."""
    token = yield from shop.card()
    yield from shop.created(token, confirm=True, capture_method="automatic")


def parts(shop: Shop) -> Steps[None]:
    """Two captures of one hold."""
    payment_id = yield from shop.held()
    first = shop.wish.amount_minor // 2
    yield from shop.about(payment_id, "capture", "-1", amount=first, final_capture=False)
    yield from shop.about(payment_id, "capture", "-2", amount=shop.wish.amount_minor - first)


def cancels(shop: Shop) -> Steps[None]:
    """A hold that is given back."""
    payment_id = yield from shop.held()
    yield from shop.about(payment_id, "cancel")


def declines(shop: Shop) -> Steps[None]:
    """A card that is always declined: nothing is held."""
    token = yield from shop.card(DECLINED_CARD)
    made = yield from shop.created(token)
    path = f"/payment-intents/{made['id']}/authorize"
    body = yield from shop.order("authorize", path, also=(402,))
    if body.get("code") != "card-declined":
        raise Strange(f"a card that is always declined: {body.get('state')}")


def refunds(shop: Shop) -> Steps[None]:
    """Half of a capture or all of it goes back, or a second person says no."""
    payment_id = yield from shop.captured()
    made = yield from _refund(shop, payment_id)
    path = f"/refunds/{made['id']}"
    if shop.wish.choice % 4 == 0:
        yield from shop.order("reject", f"{path}/reject", {"reason": "not ours"}, role="approver")
        return
    yield from shop.order("approve", f"{path}/approve", role="approver")
    yield from shop.ends(path, REFUND_ENDS)


def _refund(shop: Shop, payment_id: str) -> Steps[dict[str, object]]:
    amount = shop.wish.amount_minor // (1 + shop.wish.choice % 2)
    body = {"payment_intent": payment_id, "amount": amount, "reason": "came back"}
    return (yield from shop.order("refund", "/refunds", body, role="operator"))


def disputes(shop: Shop) -> Steps[None]:
    """A cardholder disputes: the merchant answers and the issuer rules, or gives in."""
    payment_id = yield from shop.captured()
    body = {"payment_intent": payment_id, "reason": "product_not_received"}
    made = yield from shop.order("dispute", "/disputes", body)
    path = f"/disputes/{made['id']}"
    road = ("won", "lost", "accept")[shop.wish.choice % 3]
    if road == "accept":
        yield from shop.order("accept", f"{path}/accept")
    else:
        given = {"evidence": {"order_details": "as ordered"}}
        yield from shop.order("evidence", f"{path}/evidence", given)
        yield from shop.order("submit", f"{path}/submit")
        yield from shop.order("resolve", f"{path}/resolve", {"outcome": road})
    yield from shop.ends(path, DISPUTE_ENDS)


def twins(shop: Shop) -> Steps[None]:
    """The same key again is the same answer; with another body it is refused, and nothing is
    done."""
    token = yield from shop.card()
    made = yield from shop.created(token)
    again = yield from shop.created(token)
    if again["id"] != made["id"] and not shop.keys_may_end():
        raise Strange("one key made two payments")
    body = {"amount": 1, "currency": shop.wish.currency, "payment_method": token}
    other = yield from shop.order("create", "/payment-intents", body, also=(422,))
    if other.get("code") != "idempotency-key-reused" and not shop.keys_may_end():
        raise Strange(f"another body under the same key: {other.get('code') or 'was taken'}")


def pays_out(shop: Shop) -> Steps[None]:
    """What is available goes to the merchant's bank, which says what came of it."""
    order = {"currency": shop.wish.currency}
    made = yield from shop.order("payout", "/payouts", order, also=(422,))
    if "id" not in made:
        raise Ended("nothing to pay out")
    told = f"/payouts/{made['id']}/resolve"
    yield from shop.order("paid", told, {"outcome": "paid"})
    if shop.wish.choice % 3 == 0:
        failed = {"outcome": "failed", "code": "account_closed"}
        yield from shop.order("failed", told, failed)


def settles(shop: Shop) -> Steps[None]:
    """Batches are closed, and reconciled with the books."""
    yield from shop.order("settle", "/settlements", {})
    yield from shop.order("reconcile", "/reconciliations", {})


def reads(shop: Shop, count: int) -> Steps[None]:
    """Lists, so many of them."""
    for number in range(count):
        yield from shop.look(("/payment-intents", "/refunds", "/disputes")[number % 3])


def drills(shop: Shop, provider: str, rule: str) -> Steps[None]:
    """Somebody gives a provider a fault rule: `operation do count`."""
    operation, do, count = rule.split()
    body = {"operation": operation, "do": do, "count": int(count)}
    yield from shop.said("POST", f"/providers/{provider}/inject-failure", body)


def clears(shop: Shop, provider: str) -> Steps[None]:
    """The end of all drills of a provider."""
    yield from shop.said("DELETE", f"/providers/{provider}/faults", None, INSIDER, "inner")


def advances(shop: Shop, by: str) -> Steps[None]:
    """Business time is moved forward."""
    yield from shop.said("POST", "/clock", {"advance": by})


@dataclass(frozen=True, slots=True)
class Flow(Weight):
    """One row. `play` is what is done."""

    play: Callable[[Shop], Steps[None]] = captures


FLOWS: dict[str, Flow] = {
    "captures": Flow(20, 4, 1, captures),
    "at once": Flow(8, 2, 1, at_once),
    "parts": Flow(8, 5, 1, parts),
    "cancels": Flow(8, 4, 1, cancels),
    "declines": Flow(6, 3, 1, declines),
    "refunds": Flow(14, 6, 1, refunds),
    "disputes": Flow(10, 7, 1, disputes),
    "twins": Flow(6, 4, 1, twins),
    "pays out": Flow(4, 1, 0, pays_out),
    "settles": Flow(4, 2, 0, settles),
}
