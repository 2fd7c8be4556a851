"""Flows of payments: held, captured, canceled, declined, confirmed by a cardholder."""

from actors.simulation.shops import Ended, Pause, Request, Shop, Steps, Strange

#: Always declined; its cardholder has to confirm each payment.
DECLINED_CARD, CHALLENGED_CARD = "4000000000000002", "4000002760003184"
#: How long a shop waits for its cardholder and for what follows.
CONFIRM_MS, CONFIRMS_MAX = 500, 200
_UNDECIDED = frozenset({"requires_action", "processing", "unknown"})


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


def first_part(shop: Shop) -> Steps[None]:
    """A part is captured, and the rest let go."""
    payment_id = yield from shop.held()
    part = max(1, shop.wish.amount_minor // 3)
    yield from shop.about(payment_id, "capture", amount=part, final_capture=False)
    yield from shop.about(payment_id, "cancel")


def cancels(shop: Shop) -> Steps[None]:
    """A hold that is given back."""
    payment_id = yield from shop.held()
    yield from shop.about(payment_id, "cancel")


def expires(shop: Shop) -> Steps[None]:
    """A hold that nobody captures: after its time it is given back, or somebody was faster."""
    payment_id = yield from shop.held()
    yield from shop.advanced("8d")
    yield from shop.ends(f"/payment-intents/{payment_id}", frozenset({"reversed", "captured"}))


def declines(shop: Shop) -> Steps[None]:
    """A card that is always declined: nothing is held."""
    token = yield from shop.card(DECLINED_CARD)
    made = yield from shop.created(token)
    path = f"/payment-intents/{made['id']}/authorize"
    body = yield from shop.order("authorize", path, also=(402,))
    if body.get("code") != "card-declined":
        raise Strange(f"a card that is always declined: {body.get('state')}")


def confirms(shop: Shop) -> Steps[None]:
    """A cardholder is asked first: says yes, no, or does not come."""
    payment_id = yield from shop.held(CHALLENGED_CARD)
    outcome = ("approve", "approve", "fail", "abandon")[shop.wish.choice % 4]
    state = yield from _confirmed(shop, payment_id, outcome)
    if state == "authorized":
        yield from shop.about(payment_id, "capture")


def _confirmed(shop: Shop, payment_id: str, outcome: str) -> Steps[str]:
    """The button is pressed until somebody took it, and again when another provider asks anew."""
    path = f"/payment-intents/{payment_id}"
    for _ in range(CONFIRMS_MAX):
        found = (yield from shop.look(path)).body
        if found["state"] not in _UNDECIDED:
            return str(found["state"])
        if found["next_action"]:
            url, body = str(found["next_action"]["url"]), {"outcome": outcome}
            yield Request("POST", url, body, None, shop.wish.merchant, "cardholder")
        yield Pause(CONFIRM_MS)
    raise Ended(f"the cardholder gave up: {found['state']}")


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


def tries(shop: Shop) -> Steps[None]:
    """A dry run says what would be, takes no key and changes nothing; then the same is ordered."""
    token = yield from shop.card()
    wish = shop.wish
    body = {"amount": wish.amount_minor, "currency": wish.currency, "payment_method": token}
    told = yield from shop.order("create", "/payment-intents?dry_run=true", body)
    if told.get("object") != "dry_run":
        raise Strange(f"a dry run answers with {told.get('object')}")
    made = yield from shop.created(token)
    yield from shop.about(str(made["id"]), "authorize")


def reads(shop: Shop, count: int = 0) -> Steps[None]:
    """Somebody looks at lists, one after the other."""
    lists = (
        *("/payment-intents", "/refunds", "/disputes", "/balances", "/payouts", "/events"),
        *("/cases", "/deliveries", "/webhook-endpoints", "/providers", "/settlements"),
    )
    for number in range(count or 6):
        answer = yield from shop.look(lists[(shop.wish.choice + number) % len(lists)])
        if answer.status != 200:
            raise Strange(f"a list answers {answer.status} {answer.body.get('code')}")


def shows(shop: Shop) -> Steps[None]:
    """A payment, looked at from all sides while it is made: each answer is of this payment."""
    payment_id = yield from shop.held()
    for side in ("", "/routing"):
        path = f"/payment-intents/{payment_id}{side}"
        answer = yield from shop.look(path, role="admin")
        if answer.status != 200:
            raise Strange(f"{path}: {answer.status} {answer.body.get('code')}")
    yield from shop.look(f"/ledger/{payment_id}", role="admin")
    yield from shop.about(payment_id, "capture")
