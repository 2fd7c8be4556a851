"""Flows of the house and its people: settlement, payouts, endpoints, keys, rules, the clock."""

from typing import Any

from actors.simulation.flows.strangers import asks_for_a_payout
from actors.simulation.shops import INSIDER, Deed, Ended, Shop, Steps, Strange
from payrail.domain.payout_terms import PAID_AT

SINK = "shop.example"
#: Texts that people save, by file: good ones, and some that cannot be used.
RULE_TEXTS = {
    "routing.toml": (
        'order = ["providerB", "providerA"]\n',
        'order = ["providerA"',
        'order = ["providerC"]\n',
    ),
    "refunds.toml": ("expires_after_hours = 48\n", "expires_after_hours = -1\n"),
}


def pays_out(shop: Shop) -> Steps[None]:
    """What is available goes to the merchant's bank, which says what came of it. Another merchant
    has no say in it."""
    yield from sold_and_settled(shop)
    made = yield from paid_out(shop)
    if shop.wish.choice % 4 == 0:
        yield from asks_for_a_payout(shop, str(made["id"]))
    if shop.wish.choice % 3 == 0:
        failed = {"outcome": "failed", "code": "account_closed"}
        yield from shop.order("failed", f"/payouts/{made['id']}/resolve", failed)


def paid_out(shop: Shop) -> Steps[dict[str, Any]]:
    """A payout that the bank has paid. Raises Ended when a run of the house was faster."""
    order = {"currency": shop.wish.currency}
    made = yield from shop.order("payout", "/payouts", order, also=(422,))
    if "id" not in made:
        raise Ended("nothing to pay out")
    path = f"/payouts/{made['id']}"
    told = yield from shop.order("paid", f"{path}/resolve", {"outcome": "paid"}, also=(409,))
    if told.get("code"):  # its day came, and the bank told by itself
        yield from shop.ends(path, frozenset({"paid"}))
    return made


def sold_and_settled(shop: Shop) -> Steps[None]:
    """Something is there to pay out, unless a statement says otherwise."""
    yield from shop.captured()
    yield from settles(shop)


def settles(shop: Shop) -> Steps[None]:
    """Batches are closed, and reconciled with the books."""
    yield from shop.order("settle", "/settlements", {})
    yield from shop.order("reconcile", "/reconciliations", {})


def sold_and_paid(shop: Shop) -> Steps[None]:
    """A sale from its card to the merchant's bank, by the house's own daily run. The newest payout
    may be of a later sale, made on a Friday: its day is Monday, however long one looks today."""
    yield from sold_and_settled(shop)
    now = yield from shop.advanced("4d")
    listed = yield from shop.look(f"/payouts?currency={shop.wish.currency}")
    due = [one for one in listed.body["data"] if f"{one['value_date']}T{PAID_AT}" <= now]
    if not due:
        raise Ended("nothing was paid out")
    for one in due:
        yield from shop.ends(f"/payouts/{one['id']}", frozenset({"paid", "failed"}))


def days_pass(shop: Shop) -> Steps[None]:
    """A sale, and then some days: batches close by themselves, and are reconciled."""
    yield from shop.captured()
    yield from shop.advanced(f"{1 + shop.wish.choice % 3}d")
    yield from shop.order("reconcile", "/reconciliations", {})


def listens(shop: Shop) -> Steps[None]:
    """A merchant wants webhooks, sells something, and changes its mind now and then."""
    url = f"https://{SINK}/w{shop.wish.number}"
    made = yield from shop.order("endpoint", "/webhook-endpoints", {"url": url})
    yield from shop.captured()
    path = f"/webhook-endpoints/{made['id']}"
    verbs = ((), ("rotate-secret",), ("disable", "enable"))[shop.wish.choice % 3]
    for verb in verbs:
        yield from shop.order(verb, f"{path}/{verb}")


def new_key(shop: Shop) -> Steps[None]:
    """A key is made, rotated and revoked: each text works for as long as it is said to."""
    user = f"usr_{shop.wish.merchant.replace('_', '')}_auditor"
    made = yield from shop.order("key", "/keys", {"user": user, "role": "auditor"})
    first = str(made["key"])
    yield from _works(shop, first, True)
    path = f"/keys/{made['id']}"
    rotated = yield from shop.order("rotate", f"{path}/rotate", {"grace_s": 0})
    yield from _works(shop, str(rotated["key"]), True)
    yield from _works(shop, first, False)
    yield from shop.order("revoke", f"{path}/revoke")
    yield from _works(shop, str(rotated["key"]), False)


def _works(shop: Shop, key: str, wanted: bool) -> Steps[None]:
    answer = yield from shop.look("/payment-intents", key)
    if (answer.status == 200) != wanted or answer.status not in (200, 401):
        raise Strange(f"a key that {'works' if wanted else 'ended'} is answered {answer.status}")


def saves_rules(shop: Shop) -> Steps[None]:
    """People save a rule file, good or bad, while somebody sells."""
    name = list(RULE_TEXTS)[shop.wish.choice % len(RULE_TEXTS)]
    texts = RULE_TEXTS[name]
    yield Deed("rules", name, texts[shop.wish.choice // 8 % len(texts)])
    yield from shop.captured()


def drills(shop: Shop, provider: str, rule: str) -> Steps[None]:
    """Somebody gives a provider a fault rule: `operation do count`, and `unfenced` perhaps."""
    operation, do, count, *more = rule.split()
    body = {"operation": operation, "do": do, "count": int(count), "fence": not more}
    yield from shop.said("POST", f"/providers/{provider}/inject-failure", body)


def clears(shop: Shop, provider: str) -> Steps[None]:
    """The end of all drills of a provider."""
    yield from shop.said("DELETE", f"/providers/{provider}/faults", None, INSIDER, "inner")
