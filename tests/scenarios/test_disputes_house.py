"""Disputes in a real house: over HTTP, by `payrail`, in every book, and past a dead provider."""

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


def dispute(shop: Shop, payment_id: str, **more: Any) -> Answer:
    given = {"payment_intent": payment_id, "reason": "product_not_received", **more}
    return shop.post("/disputes", given, role="operator", key=f"dispute {payment_id}")


def opened(shop: Shop, payment_id: str, **more: Any) -> str:
    made = dispute(shop, payment_id, **more)
    assert (made.status, made.body["state"]) == (201, "opened"), made.body
    return str(made.body["id"])


def payment(shop: Shop, payment_id: str) -> dict[str, Any]:
    body: dict[str, Any] = shop.get(f"/payment-intents/{payment_id}").body
    return body


def test_a_dispute_is_answered_and_won_over_http(house: House, shop: Shop, token: str) -> None:
    """Each answer comes once the provider has spoken, and the same key gives it again."""
    payment_id = paid(shop, token)
    ident = opened(shop, payment_id)
    assert payment(shop, payment_id)["amount_disputed"] == 5000
    refused = shop.post("/refunds", {"payment_intent": payment_id, "amount": 1, "reason": "x"})
    assert (refused.status, refused.body["code"]) == (409, "dispute-open")
    assert (refused.body["legal"], refused.body["disputes"]) == (["accept-dispute"], [ident])
    path = f"/disputes/{ident}"
    items = {"evidence": {"delivery_proof": "left with a neighbour"}}
    assert shop.post(f"{path}/evidence", items).body["evidence"].keys() >= items["evidence"].keys()
    sent = shop.post(f"{path}/submit", {}, key="submit it")
    assert (sent.status, sent.body["state"]) == (200, "under_review")
    again = shop.post(f"{path}/submit", {}, key="submit it")
    assert (again.bytes, again.headers["Idempotent-Replayed"]) == (sent.bytes, "true")
    second = shop.post(f"{path}/submit", {})
    assert (second.status, second.body["legal"]) == (409, ["resolve"])
    won = shop.post(f"{path}/resolve", {"outcome": "won"})
    assert (won.status, won.body["state"]) == (200, "won")
    assert payment(shop, payment_id)["amount_disputed"] == 0
    assert shop.get(path).body == won.body
    assert shop.get(f"/disputes?payment_intent={payment_id}&state=won").body["data"] == [won.body]
    family = shop.get(f"/ledger/{ident}").body
    assert (family["state"], family["payment_intent"]) == ("won", payment_id)
    names = ("payments", "refunds", "disputes")
    books = [lines(house.home / f"data/ledger/{name}.jsonl") for name in names]
    seqs = sorted(entry["seq"] for book in books for entry in book)
    assert seqs == list(range(1, len(seqs) + 1))


def test_giving_in_makes_the_payment_a_chargeback(shop: Shop, token: str) -> None:
    """Also in part; a second order finds nothing to do."""
    payment_id = paid(shop, token)
    ident = opened(shop, payment_id, amount=2000)
    lost = shop.post(f"/disputes/{ident}/accept", {})
    assert (lost.body["state"], lost.body["closed_reason"]) == ("lost", "accepted")
    found = payment(shop, payment_id)
    assert (found["state"], found["amount_charged_back"]) == ("chargeback", 2000)
    over = shop.post(f"/disputes/{ident}/resolve", {"outcome": "won"})
    assert (over.status, over.body["code"]) == (409, "illegal-transition")


def test_another_merchants_dispute_is_an_unknown_one(shop: Shop, token: str) -> None:
    ident = opened(shop, paid(shop, token))
    other = Shop(shop.house, "m_002")
    for answer in (other.get(f"/disputes/{ident}"), other.post(f"/disputes/{ident}/submit", {})):
        assert (answer.status, answer.body["code"]) == (404, "not-found")


def test_a_dead_provider_has_the_order_when_it_is_back(
    house: House, shop: Shop, token: str
) -> None:
    """202 says what is known, and the same key has the answer in the end."""
    payment_id = paid(shop, token)
    name = payment(shop, payment_id)["provider"]
    assert house.cli("pause", name).returncode == 0
    actor = "provider-a" if name == "providerA" else "provider-b"
    until(lambda: (house.row(actor) or {}).get("state") == "paused", "the provider is paused")
    waiting = dispute(shop, payment_id)
    assert (waiting.status, waiting.body["state"]) == (202, "opening")
    assert shop.get(f"/disputes/{waiting.body['id']}").status == 404
    assert house.cli("resume", name).returncode == 0

    def final() -> Answer | None:
        answer = dispute(shop, payment_id)
        return answer if answer.status != 202 else None

    answer = until(final, "the provider's answer")
    assert (answer.status, answer.body["id"]) == (201, waiting.body["id"])
    assert len(shop.get(f"/disputes?payment_intent={payment_id}").body["data"]) == 1


def test_payrail_answers_disputes_and_finds_the_house_whole(
    house: House, shop: Shop, token: str
) -> None:
    """The verbs of the command line, and what every reader of the books says afterwards."""
    payment_id = paid(shop, token)
    ident = opened(shop, payment_id)
    listed = json.loads(house.cli("disputes", "ls", "--json").stdout)["data"]
    assert listed[0]["id"] == ident
    given = house.cli("disputes", "evidence", ident, "usage_log=every day", "order_details=a=b")
    assert given.returncode == 0, given.stderr
    shown = json.loads(house.cli("disputes", "show", ident, "--json").stdout)
    assert shown["evidence"]["order_details"] == "a=b"
    assert house.cli("disputes", "submit", ident).returncode == 0
    assert house.cli("disputes", "submit", ident).returncode == 1
    assert house.cli("disputes", "show", "dp_none").returncode == 66
    assert house.cli("disputes", "evidence", ident, "nothing").returncode == 64
    statement = house.cli("ledger", "show", ident, "--json")
    assert "dispute.submitted" in statement.stdout
    why = house.cli("why", ident)
    assert why.returncode == 0, why.stdout
    assert "dispute.opened" in why.stdout
    exported = json.loads(house.cli("ledger", "export", "--format", "json").stdout)
    assert "dispute.submitted" in [entry["type"] for entry in exported]
    verified = house.cli("verify")
    assert verified.returncode == 0, verified.stdout
    balance = json.loads(house.cli("ledger", "balance", "--json").stdout)
    assert not any(balance["trial_balance"].values())
    assert audit(house.home).findings == []
