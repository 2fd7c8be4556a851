"""Flows of people: who may come in, what is written by hand, what has to be looked into."""

from collections.abc import Mapping
from typing import Any

import msgspec

from actors.simulation.flows import house
from actors.simulation.shops import (
    HOUSE,
    LOOK_MS,
    Deed,
    Ended,
    Pause,
    Request,
    Shop,
    Steps,
    Strange,
)

#: The twelve ways in which a statement can be drilled to say otherwise than the books.
MISMATCHES = (
    *("missing_ours", "missing_theirs", "amount", "currency", "fee", "fx"),
    *("duplicate", "late", "wrong_batch", "wrong_state", "refund", "chargeback"),
)
#: How often somebody looks whether a line by hand did what it says: it may be lost with the power.
HAND_LOOKS = 8
#: Of one report, so many breaks are posted.
BREAKS_MAX = 3


def comes_and_goes(shop: Shop) -> Steps[None]:
    """Somebody new gets a key, works with it, and leaves: then the key is dead."""
    made = yield from shop.order("user", "/users", {"name": "A newcomer"})
    user = str(made["id"])
    role = ("viewer", "operator", "approver")[shop.wish.choice % 3]
    key = yield from shop.order("key", "/keys", {"user": user, "role": role})
    text = str(key["key"])
    yield from _may_list(shop, text, user, True)
    yield from shop.order("leave", f"/users/{user}/deactivate")
    yield from _may_list(shop, text, user, False)


def _may_list(shop: Shop, key: str, user: str, wanted: bool) -> Steps[None]:
    request = Request("GET", "/payment-intents", None, None, shop.wish.merchant, key, user=user)
    answer = yield from shop.until_final(request)
    if answer.status != (200 if wanted else 401):
        raise Strange(
            f"a key of somebody who {'works here' if wanted else 'left'}: {answer.status}"
        )


def opens_a_shop(shop: Shop) -> Steps[None]:
    """The house takes in a merchant, with a user and a key: it sees nothing of the others'."""
    made = yield from _house(shop, "merchant", "/merchants", {"name": "New", "mcc": "5942"}, {})
    merchant = str(made["id"])
    speaks_for = {"X-Merchant-Id": merchant}
    user = yield from _house(shop, "user", "/users", {"name": "First"}, speaks_for)
    body = {"user": str(user["id"]), "role": "admin"}
    key = yield from _house(shop, "key", "/keys", body, speaks_for)
    for path in ("/payment-intents", "/refunds", "/payouts", "/cases"):
        look = Request("GET", path, None, None, merchant, str(key["key"]), user=str(user["id"]))
        listed = yield from shop.until_final(look)
        if listed.status != 200 or listed.body["data"]:
            raise Strange(f"a merchant of a minute lists {path}: {listed.status}")
    body = {"role": "viewer", "user": str(user["id"])}
    second = yield from _house(shop, "second", "/keys", body, speaks_for)
    yield from _house(shop, "revoke", f"/keys/{second['id']}/revoke", {}, speaks_for)


def _house(
    shop: Shop, key: str, path: str, body: Mapping[str, Any], headers: Mapping[str, str]
) -> Steps[dict[str, Any]]:
    """The house orders, until it is done."""
    name = shop.wish.key(key)
    answer = yield from shop.until_final(
        Request("POST", path, body, name, shop.wish.merchant, HOUSE, headers=headers)
    )
    if answer.status not in (200, 201):
        raise Strange(f"POST {path}: {answer.status} {answer.body.get('code')}")
    return answer.body


def writes_by_hand(shop: Shop) -> Steps[None]:
    """Two people append to one file by hand: a ping, what is no message, and an order to give a
    hold back. A power cut may take their lines; then the shop gives it back itself."""
    payment_id = yield from shop.held()
    order = _line("payment.cancel", id=payment_id)
    lines = [_line("ping", note="by hand"), *([GARBAGE] if shop.wish.choice % 2 else []), order]
    for line in lines:
        yield Deed("hand", "gateway", line)
        yield Pause(shop.chance.choice((1, LOOK_MS)))
    for _ in range(HAND_LOOKS):
        found = yield from shop.look(f"/payment-intents/{payment_id}")
        if found.body["state"] == "reversed":
            return
        yield Pause(LOOK_MS)
    yield from shop.order("cancel", f"/payment-intents/{payment_id}/cancel", also=(409,))


#: No message; how the world knows it.
GARBAGE = '{"kind": "payment.cancel", '


def _line(kind: str, **body: Any) -> str:
    return msgspec.json.encode({"kind": kind, "body": body}).decode()


def mends_breaks(shop: Shop) -> Steps[None]:
    """A statement says otherwise than the books: two people post what is suggested, and whoever
    proposed it may not approve it."""
    payment_id = yield from shop.captured()
    kind = MISMATCHES[shop.wish.choice % len(MISMATCHES)]
    provider = ("provider-a", "provider-a", "provider-b")[shop.wish.choice // 12 % 3]
    rule = {"operation": "statement", "do": f"settlement_mismatch:{kind}", "count": 1}
    rule["match"] = {"payment": payment_id}
    yield from shop.said("POST", f"/providers/{provider}/inject-failure", rule)
    yield from house.settles(shop)
    if kind in ("late", "missing_theirs"):
        yield from shop.advanced("3d")
        yield from shop.order("reconcile-later", "/reconciliations", {})
    yield from _posts(shop)


def _posts(shop: Shop) -> Steps[None]:
    listed = yield from shop.look("/reconciliations", role="operator")
    if listed.status != 200 or not listed.body["data"]:
        raise Ended("no report")
    date = listed.body["data"][0]["date"]
    report = yield from shop.look(f"/reconciliations/{date}", role="operator")
    for one in report.body["breaks"][:BREAKS_MAX]:
        if one["suggested_posting"] and not one["resolution"]:
            path = f"/reconciliations/{date}/breaks/{one['n']}"
            if shop.wish.choice // 12 % 2 and one["merchant_id"] == shop.wish.merchant:
                yield from _not_anothers(shop, path, str(one["id"]))
            yield from _posted(shop, path)


def _not_anothers(shop: Shop, path: str, break_id: str) -> Steps[None]:
    """Another merchant posts no break of this one; under the same number it may have its own by
    now."""
    merchant = shop.stranger.wish.merchant
    for verb in ("propose", "approve"):
        asked = Request("POST", f"{path}/{verb}", {}, None, merchant, "admin")
        answer = yield from shop.until_final(asked)
        if answer.status == 200 and break_id.encode() in answer.data:
            raise Strange(f"{path}/{verb}: by {merchant}, whose it is not")


def _posted(shop: Shop, path: str) -> Steps[None]:
    """Proposed by one and approved by another; or somebody was faster, or it has closed since."""
    merchant = shop.wish.merchant
    propose = Request("POST", f"{path}/propose", {}, None, merchant, "admin")
    told = yield from shop.until_final(propose)
    if told.status == 200:
        own = yield from shop.until_final(
            Request("POST", f"{path}/approve", {}, None, merchant, "admin")
        )
        if own.status == 200 and told.body.get("proposed_by") == own.body.get("approved_by"):
            raise Strange(f"{path}: approved by its proposer")
        yield from shop.until_final(
            Request("POST", f"{path}/approve", {}, None, merchant, "approver")
        )


def closes_cases(shop: Shop) -> Steps[None]:
    """Money that came back is a case: somebody looks into it, and closes it."""
    yield from house.sold_and_settled(shop)
    made = yield from house.paid_out(shop)
    failed = {"outcome": "failed", "code": "account_closed"}
    yield from shop.order("failed", f"/payouts/{made['id']}/resolve", failed)
    listed = yield from shop.look("/cases?state=open")
    for case in listed.body["data"][:BREAKS_MAX]:
        path, said = f"/cases/{case['id']}/close", {"resolution": "looked into"}
        yield from shop.order(f"close-{case['id'][-6:]}", path, said, also=(404,))
