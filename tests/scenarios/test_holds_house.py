"""A real house over HTTP: holds that end, cases, dry runs, points in time, and twins that wait."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from actors.cli.chaos.house import House
from tests.auditor.audit import audit
from tests.scenarios.living import until
from tests.scenarios.shop import Answer, Shop

pytestmark = pytest.mark.scenario

DRILL = "/providers/providerA/inject-failure"


@pytest.fixture(scope="module")
def token(shop: Shop) -> str:
    return shop.tokenize()


def held(shop: Shop, token: str, amount: int = 5000) -> dict[str, Any]:
    made = shop.create(token, amount, confirm=True)
    assert (made.status, made.body["state"]) == (201, "authorized")
    body: dict[str, Any] = made.body
    return body


def shown(shop: Shop, payment_id: str, query: str = "") -> dict[str, Any]:
    body: dict[str, Any] = shop.get(f"/payment-intents/{payment_id}{query}").body
    return body


def test_a_dry_run_tells_what_then_happens_and_does_nothing(shop: Shop, token: str) -> None:
    """The same entries as the order that follows, under the same key; nothing before it."""
    payment = held(shop, token)
    path = f"/payment-intents/{payment['id']}/capture"
    before = shop.get(f"/ledger/{payment['id']}").body["entries"]
    dry = shop.post(f"{path}?dry_run=true", {"amount": 3000}, key="dry-then-real")
    assert (dry.status, dry.body["object"], dry.body["assuming"]) == (200, "dry_run", "approved")
    assert shop.get(f"/ledger/{payment['id']}").body["entries"] == before

    real = shop.post(path, {"amount": 3000}, key="dry-then-real")
    booked = shop.get(f"/ledger/{payment['id']}").body["entries"][len(before) :]
    told = [(e["type"], e["amount"], e["postings"]) for e in dry.body["entries"]]
    assert told == [(e["type"], e["amount"], e["postings"]) for e in booked]
    for name in ("state", "amount_captured", "amount_capturable"):
        assert real.body[name] == dry.body["would"][name]
    assert "Idempotent-Replayed" not in real.headers


def test_a_payment_is_shown_as_it_was(shop: Shop, token: str) -> None:
    """At the time of each of its entries, from its creation to its capture."""
    payment = held(shop, token)
    shop.post(f"/payment-intents/{payment['id']}/capture", {})
    entries = shop.get(f"/ledger/{payment['id']}").body["entries"]
    at = {e["type"]: e["timestamp"] for e in entries}
    states = [
        shown(shop, payment["id"], f"?at={at[name]}")["state"]
        for name in ("payment.authorized", "payment.captured")
    ]
    assert states == ["authorized", "captured"]
    early = shop.get(f"/payment-intents/{payment['id']}?at=2020-01-01T00:00:00Z")
    assert early.status == 404


def test_an_attempt_tells_cost_class_and_what_the_payer_may_hear(shop: Shop) -> None:
    """Of a decline; in the payment as in the answer."""
    declined = shop.create(shop.tokenize("4000000000009995"), 5000, confirm=True)
    (attempt,) = shown(shop, declined.body["payment_intent"]["id"])["attempts"]

    assert (declined.status, attempt["code"], attempt["class"]) == (
        402,
        "insufficient_funds",
        "soft",
    )
    assert attempt["cost"] == 175  # 2.9 % of 50.00 and 0.30
    assert attempt["payer_message"].startswith("There is not enough money")
    assert attempt["latency_ms"] >= 0


def test_a_twin_that_would_wait_has_the_final_answer(shop: Shop, token: str) -> None:
    """While the first is under way; the same bytes, marked as replayed."""
    drill = {"operation": "authorize", "do": "slow:1500", "count": 1}
    assert shop.post(DRILL, drill).status == 201
    order = {"amount": 700, "currency": "USD", "payment_method": token, "confirm": True}
    headers = {"Idempotency-Key": "twins", "Prefer": "wait=10"}

    def ask(_number: int) -> Answer:
        body = json.dumps(order).encode()
        return shop.send("POST", "/payment-intents", body, dict(headers))

    with ThreadPoolExecutor(5) as twins:
        answers = list(twins.map(ask, range(5)))
    assert {(one.status, one.bytes) for one in answers} == {(201, answers[0].bytes)}
    assert {one.headers["Preference-Applied"] for one in answers} == {"wait=10"}
    assert sum("Idempotent-Replayed" in one.headers for one in answers) == 4


def test_a_case_is_closed_by_people_once(shop: Shop, token: str) -> None:
    """A provider that approves another amount: given back, declined, and a case to close."""
    assert shop.post(DRILL, {"operation": "authorize", "do": "wrong_amount", "count": 1}).status
    declined = shop.create(token, 900, confirm=True)
    assert (declined.status, declined.body["decline_code"]) == (402, "amount_mismatch")
    payment_id = declined.body["payment_intent"]["id"]
    (case,) = shop.get(f"/cases?payment_intent={payment_id}").body["data"]
    assert (case["reason"], case["provider"], case["state"]) == (
        "amount_mismatch",
        "providerA",
        "open",
    )
    path = f"/cases/{case['id']}/close"
    refused = shop.post(path, {"resolution": "mine"}, role="viewer")
    closed = shop.post(path, {"resolution": "told the provider"}, role="operator", key="case")
    again = shop.post(path, {"resolution": "told the provider"}, role="operator", key="case")
    other = shop.post(path, {"resolution": "once more"})

    assert (refused.status, closed.status, closed.bytes) == (403, 200, again.bytes)
    assert (other.status, other.body["legal"]) == (409, [])
    assert shop.get(f"/cases/{case['id']}").body == closed.body


def test_a_hold_ends_after_a_week_and_a_capture_is_too_late(
    house: House, shop: Shop, token: str
) -> None:
    """Whole or in part; the books stay sound."""
    whole, part = held(shop, token), held(shop, token)
    order = {"amount": 2000, "final_capture": False}
    shop.post(f"/payment-intents/{part['id']}/capture", order)
    moved = house.cli("clock", "advance", "8d")
    assert moved.returncode == 0, moved.stderr
    until(lambda: shown(shop, whole["id"])["state"] == "reversed", "the end of the hold")
    until(lambda: shown(shop, part["id"])["amount_capturable"] == 0, "the end of the rest")

    assert shown(shop, whole["id"])["reversal_reason"] == "expired"
    assert shown(shop, part["id"])["state"] in ("captured", "settled")
    late = shop.post(f"/payment-intents/{whole['id']}/capture", {})
    assert (late.status, late.body["code"], late.body["legal"]) == (
        409,
        "authorization-expired",
        [],
    )
    assert house.cli("verify").returncode == 0
    assert audit(house.home).findings == []
