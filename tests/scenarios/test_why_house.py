"""`payrail why` of every kind of id that a house gives out."""

import pytest

from actors.cli.chaos.house import House
from tests.scenarios.shop import Shop

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(180)]

CHALLENGED = "4000002760003184"


@pytest.fixture(scope="module")
def known(shop: Shop) -> dict[str, str]:
    """An id of each kind, and a word that its story has."""
    token = shop.tokenize()
    paid = shop.create(token, 9000, confirm=True, capture_method="automatic").body["id"]
    gift = {"payment_intent": paid, "amount": 100, "reason": "sent back"}
    refund = shop.post("/refunds", gift, role="operator").body["id"]
    claim = {"payment_intent": paid, "reason": "fraudulent", "amount": 200, "stage": "chargeback"}
    dispute = shop.post("/disputes", claim).body["id"]
    challenged = shop.create(shop.tokenize(CHALLENGED), 700, confirm=True).body
    drill = {"operation": "authorize", "do": "wrong_amount", "count": 1}
    assert shop.post("/providers/providerA/inject-failure", drill).status == 201
    shop.create(token, 900, confirm=True)
    (case,) = shop.get("/cases").body["data"]
    key = shop.post("/keys", {"user": "usr_m001_viewer", "role": "viewer"}).body["id"]
    shop.post(f"/keys/{key}/rotate", {})
    return {
        paid: "payment.captured",
        refund: "refund.requested",
        dispute: "dispute.opened",
        challenged["next_action"]["url"].rpartition("/")[2]: "payment.requires_action",
        case["id"]: "case.opened",
        "usr_m001_viewer": "user.added usr_m001_viewer",
        key: f"key.rotated {key}",
        "m001viewer": "key.added m001viewer",
    }


def test_every_id_has_its_story(house: House, known: dict[str, str]) -> None:
    """Payment, refund, dispute, challenge, case, user and key: what led to it, with no link
    broken."""
    for ident, word in known.items():
        ran = house.cli("why", ident)
        assert (ran.returncode, ran.stderr) == (0, ""), (ident, ran.stderr)
        assert word in ran.stdout, ident


@pytest.mark.parametrize(
    "ident", ["re_x", "dp_x", "po_x", "case_x", "chl_x", "usr_x", "m009viewer"]
)
def test_an_id_that_never_was_has_none(house: House, ident: str) -> None:
    """66, with what to look at instead; also for half an id."""
    ran = house.cli("why", ident)
    assert (ran.returncode, ran.stdout) == (66, "")
    assert ident in ran.stderr
    assert "payrail ledger show" in ran.stderr
