"""Refunds in a real house: two people over HTTP, the provider, the books, and `payrail`."""

import json
from typing import Any

import pytest

from actors.cli.chaos.house import House
from tests.auditor.audit import audit
from tests.scenarios.living import lines, until
from tests.scenarios.shop import Answer, Shop

pytestmark = pytest.mark.scenario


@pytest.fixture(scope="module")
def token(shop: Shop) -> str:
    return shop.tokenize()


def paid(shop: Shop, token: str, amount: int = 5000) -> str:
    made = shop.create(token, amount, confirm=True, capture_method="automatic")
    assert (made.status, made.body["state"]) == (201, "captured")
    return str(made.body["id"])


def ask(shop: Shop, payment_id: str, amount: int, role: str = "operator", **more: Any) -> Answer:
    order = {"payment_intent": payment_id, "amount": amount, "reason": "sent back"}
    return shop.post("/refunds", order, role=role, **more)


def approve(shop: Shop, refund_id: str, role: str = "approver", **more: Any) -> Answer:
    return shop.post(f"/refunds/{refund_id}/approve", {}, role=role, **more)


def ended(shop: Shop, refund_id: str) -> dict[str, Any]:
    def over() -> dict[str, Any] | None:
        body: dict[str, Any] = shop.get(f"/refunds/{refund_id}").body
        return body if body["state"] in ("succeeded", "failed") else None

    return until(over, "the end of the refund")


def test_two_people_refund_in_two_parts(house: House, shop: Shop, token: str) -> None:
    """Reserved, approved by another user, paid back by the provider, and all of it in the books."""
    payment_id = paid(shop, token)
    first = ask(shop, payment_id, 2000, key="one")
    assert (first.status, first.body["state"]) == (201, "pending_approval")
    second = ask(shop, payment_id, 3000)
    assert ask(shop, payment_id, 1).body["code"] == "amount-exceeds"
    for refund_id in (first.body["id"], second.body["id"]):
        assert approve(shop, refund_id).status == 200
        assert ended(shop, refund_id)["state"] == "succeeded"
    payment = shop.get(f"/payment-intents/{payment_id}").body
    assert (payment["state"], payment["amount_refunded"]) == ("captured", 5000)
    again = ask(shop, payment_id, 2000, key="one")
    assert (again.status, again.bytes) == (201, first.bytes)
    assert again.headers["Idempotent-Replayed"] == "true"
    family = shop.get(f"/ledger/{second.body['id']}").body
    assert (family["payment_intent"], family["state"]) == (payment_id, "succeeded")
    seqs = [entry["seq"] for entry in family["entries"]]
    assert seqs == sorted(seqs)
    assert [e["type"] for e in family["entries"]].count("refund.succeeded") == 2
    assert shop.get(f"/ledger/{payment_id}").body["entries"] == family["entries"]
    books = [lines(house.home / f"data/ledger/{name}.jsonl") for name in ("payments", "refunds")]
    both = sorted(entry["seq"] for book in books for entry in book)
    assert both == list(range(1, len(both) + 1))


def test_maker_and_checker_are_two_users(shop: Shop, token: str) -> None:
    """An admin may do either, and never both; a viewer neither."""
    payment_id = paid(shop, token)
    assert ask(shop, payment_id, 100, role="viewer").status == 403
    assert ask(shop, payment_id, 100, role="approver").status == 403
    made = ask(shop, payment_id, 100, role="admin")
    own = approve(shop, made.body["id"], role="admin")
    assert (own.status, own.body["code"]) == (403, "four-eyes")
    assert approve(shop, made.body["id"], role="operator").body["code"] == "forbidden"
    assert approve(shop, made.body["id"]).status == 200


def test_what_cannot_be_refunded_says_why(shop: Shop, token: str) -> None:
    """Too much is 422 with the field; before the capture it is 409 with what to do instead."""
    payment_id = paid(shop, token, 700)
    much = ask(shop, payment_id, 701)
    assert (much.status, much.body["code"], much.body["refundable"]) == (422, "amount-exceeds", 700)
    assert much.body["errors"][0]["field"] == "amount"
    held = shop.create(token, 700, confirm=True).body["id"]
    early = ask(shop, held, 100)
    assert (early.status, early.body["code"]) == (409, "illegal-transition")
    assert "cancel" in early.body["legal"]
    foreign = ask(Shop(shop.house, "m_002"), payment_id, 100)
    assert (foreign.status, foreign.body["code"]) == (404, "not-found")
    for body in ({}, {"payment_intent": payment_id, "amount": 0, "reason": "x"}):
        assert shop.post("/refunds", body, role="operator").status == 422


def test_a_rejected_refund_is_free_again_and_stays_rejected(shop: Shop, token: str) -> None:
    payment_id = paid(shop, token, 900)
    refund_id = ask(shop, payment_id, 900).body["id"]
    path, body = f"/refunds/{refund_id}/reject", {"reason": "not ours"}
    first = shop.post(path, body, role="approver", key="no")
    assert (first.status, first.body["state"]) == (200, "rejected")
    assert shop.post(path, body, role="approver", key="no").bytes == first.bytes
    late = approve(shop, refund_id)
    assert (late.status, late.body["code"], late.body["legal"]) == (409, "illegal-transition", [])
    assert ask(shop, payment_id, 900).status == 201


def test_refunds_are_listed_newest_first_by_page(shop: Shop, token: str) -> None:
    payment_id = paid(shop, token)
    ids = [ask(shop, payment_id, 100).body["id"] for _ in range(3)]
    path = f"/refunds?payment_intent={payment_id}&state=pending_approval&limit=2"
    page = shop.get(path).body
    assert [one["id"] for one in page["data"]] == ids[:0:-1]
    rest = shop.get(f"{path}&cursor={page['next_cursor']}").body
    assert [one["id"] for one in rest["data"]] == ids[:1]
    assert shop.get("/refunds?state=lost").status == 422
    assert Shop(shop.house, "m_002").get(path).body["data"] == []


def test_payrail_shows_a_refund_and_finds_the_house_whole(
    house: House, shop: Shop, token: str
) -> None:
    """`verify` and `ledger show re_…` read the refunds' book as they read that of payments."""
    payment_id = paid(shop, token)
    refund_id = ask(shop, payment_id, 500).body["id"]
    approve(shop, refund_id)
    ended(shop, refund_id)
    shown = house.cli("ledger", "show", refund_id, "--json")
    assert shown.returncode == 0, shown.stderr
    assert "refund.succeeded" in shown.stdout
    family = house.cli("ledger", "show", payment_id, "--json")
    assert "refund.approved" in family.stdout
    verified = house.cli("verify")
    assert verified.returncode == 0, verified.stdout
    balance = json.loads(house.cli("ledger", "balance", "--json").stdout)
    assert not any(balance["trial_balance"].values())
    why = house.cli("why", refund_id)
    assert why.returncode == 0, why.stdout
    assert "refund.succeeded" in why.stdout
    exported = house.cli("ledger", "export", "--format", "json")
    assert exported.returncode == 0, exported.stderr
    types = [entry["type"] for entry in json.loads(exported.stdout)]
    assert "refund.succeeded" in types
    assert audit(house.home).findings == []
