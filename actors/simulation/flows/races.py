"""Flows in which two people of one shop want something at the same moment: one of them has it, or
both have the same, and nobody has it twice.
"""

from actors.simulation.flows.claims import REFUND_ENDS
from actors.simulation.shops import Answer, Request, Shop, Steps, Strange


def same_key(shop: Shop) -> Steps[None]:
    """Two clients of a shop send the same order under the same key: it is one payment, and both
    are told the same."""
    token = yield from shop.card()
    wish = shop.wish
    body = {"amount": wish.amount_minor, "currency": wish.currency, "payment_method": token}
    order = shop.wants("create", "/payment-intents", body | {"confirm": bool(wish.choice % 2)})
    first, second = yield from shop.at_once(order, order)
    if (first.status, first.data) != (second.status, second.data) and not shop.keys_may_end():
        raise Strange(f"one key at once: {_said(first)} and {_said(second)}")


def capture_or_cancel(shop: Shop) -> Steps[None]:
    """One claims the hold, the other gives it back: not both."""
    payment_id = yield from shop.held()
    orders = [shop.wants(verb, f"/payment-intents/{payment_id}/{verb}") for verb in _VERBS]
    yield from _not_both(shop, *_mixed(shop, orders))


_VERBS = ("capture", "cancel")


def two_captures(shop: Shop) -> Steps[None]:
    """Two keys, each for all of it: one of them has it. Each for its half: both may."""
    payment_id = yield from shop.held()
    path, whole = f"/payment-intents/{payment_id}/capture", shop.wish.amount_minor
    if shop.wish.choice % 2:
        orders = [shop.wants(f"capture-{n}", path, {"amount": whole}) for n in (1, 2)]
        yield from _not_both(shop, *orders)
        return
    half = {"amount": whole // 2, "final_capture": False}
    yield from shop.at_once(*(shop.wants(f"half-{n}", path, half) for n in (1, 2)))


def two_cancels(shop: Shop) -> Steps[None]:
    """Two keys to give a hold back: it is given back once."""
    payment_id = yield from shop.held()
    path = f"/payment-intents/{payment_id}/cancel"
    yield from _not_both(shop, *(shop.wants(f"cancel-{n}", path) for n in (1, 2)))


def two_charges(shop: Shop) -> Steps[None]:
    """Two keys to charge a card for one payment: it is charged once."""
    token = yield from shop.card()
    made = yield from shop.created(token)
    path = f"/payment-intents/{made['id']}/authorize"
    yield from _not_both(shop, *(shop.wants(f"authorize-{n}", path) for n in (1, 2)))


def two_refunds(shop: Shop) -> Steps[None]:
    """Two people refund the whole of it: one of them does."""
    payment_id = yield from shop.captured()
    body = {"payment_intent": payment_id, "amount": shop.wish.amount_minor, "reason": "came back"}
    orders = [shop.wants(f"refund-{n}", "/refunds", body, role="operator") for n in (1, 2)]
    yield from _not_both(shop, *orders)


def approve_or_reject(shop: Shop) -> Steps[None]:
    """Two people look at one refund: one says yes, the other no, at once."""
    payment_id = yield from shop.captured()
    body = {"payment_intent": payment_id, "amount": 1, "reason": "came back"}
    made = yield from shop.order("refund", "/refunds", body, role="operator")
    path = f"/refunds/{made['id']}"
    yes = shop.wants("approve", f"{path}/approve", role=("approver", "admin")[_odd(shop)])
    no = shop.wants("reject", f"{path}/reject", {"reason": "not ours"}, role="admin")
    if _odd(shop):
        no = shop.wants("approve-too", f"{path}/approve", role="approver")
    yield from _not_both(shop, *_mixed(shop, [yes, no]))
    yield from shop.ends(path, REFUND_ENDS | {"rejected"})


def answer_or_give_in(shop: Shop) -> Steps[None]:
    """One answers a dispute, the other accepts it, at once: it is lost, or it is under review."""
    payment_id = yield from shop.captured()
    body = {"payment_intent": payment_id, "reason": "product_not_received"}
    made = yield from shop.order("dispute", "/disputes", body)
    path = f"/disputes/{made['id']}"
    given = {"evidence": {"order_details": "as ordered"}}
    yield from shop.order("evidence", f"{path}/evidence", given)
    orders = [shop.wants(verb, f"{path}/{verb}") for verb in ("accept", "submit")]
    yield from _not_both(shop, *_mixed(shop, orders))
    yield from shop.ends(path, frozenset({"under_review", "lost"}))


def _not_both(shop: Shop, *orders: Request) -> Steps[None]:
    """Of what excludes each other at most one is done."""
    answers = yield from shop.at_once(*orders)
    done = [one for one in answers if one.status in (200, 201)]
    if len(done) > 1:
        paths = " and ".join(order.path for order in orders)
        raise Strange(f"both were done: {paths}")
    refused = [one for one in answers if one.status not in (200, 201, 402, 409, 422)]
    if refused:
        raise Strange(f"at once: {_said(refused[0])}")


def _mixed(shop: Shop, orders: list[Request]) -> list[Request]:
    """Whichever comes first."""
    return orders if shop.chance.random() < 0.5 else orders[::-1]


def _odd(shop: Shop) -> bool:
    return bool(shop.wish.choice % 2)


def _said(answer: Answer) -> str:
    return f"{answer.status} {answer.body.get('code') or answer.body.get('state')}"


RACES = (
    same_key,
    capture_or_cancel,
    two_captures,
    two_cancels,
    two_charges,
    two_refunds,
    approve_or_reject,
    answer_or_give_in,
)


def races(shop: Shop) -> Steps[None]:
    """One of these."""
    yield from RACES[shop.wish.choice // 2 % len(RACES)](shop)
