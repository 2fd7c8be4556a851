"""Tokens that end in a house of real processes: used once, deleted, and killed in between."""

import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from actors.cli.chaos.house import House
from payrail.domain.cardslots import CARD_KEYS
from tests.auditor.audit import audit
from tests.scenarios.shop import CARD, Answer, Shop

pytestmark = pytest.mark.scenario
NUMBER = "5555555555554444"
#: Cards that are deleted while the vault is killed.
CARDS, KILLS = 24, 4


@pytest.fixture
def house(tmp_path: Path):
    house = House(tmp_path)
    house.start()
    yield house
    house.stop()


def delete(shop: Shop, token: str) -> Answer:
    return shop.send("DELETE", f"/tokens/{token}", None, {}, url=shop.house.vault)


def token_of(shop: Shop, **more: Any) -> str:
    card = {"number": NUMBER, **CARD, **more}
    return str(shop.post("/tokenize", card, url=shop.house.vault).body["token"])


def vault_pid(house: House) -> int:
    rows = json.loads(house.cli("ps", "--json").stdout)
    return int(next(row["pid"] for row in rows if row["name"] == "vault") or 0)


def test_a_token_for_one_payment_and_a_deleted_card_buy_nothing_more(house: House):
    """The second payment is declined by name; a deleted card is unknown, and what it paid stays."""
    shop = Shop(house)
    once = token_of(shop, usage="single_use")
    order = {"amount": 1099, "currency": "USD", "payment_method": once, "confirm": True}
    first = shop.post("/payment-intents", order, key="first")
    second = shop.create(once, confirm=True)
    assert (first.status, second.status) == (201, 402)
    assert second.body["decline_code"] == "token_used"

    assert delete(shop, once).body == {"token": once, "deleted": True, "shredded": True}
    assert [delete(shop, once).status, shop.create(once).body["code"]] == [404, "unknown-token"]
    again = shop.post("/payment-intents", order, key="first")
    assert (again.bytes, again.headers["Idempotent-Replayed"]) == (first.bytes, "true")
    captured = shop.post(f"/payment-intents/{first.body['id']}/capture", {})
    assert (captured.status, captured.body["state"]) == (200, "captured")
    assert (house.home / CARD_KEYS).stat().st_mode & 0o777 == 0o600
    assert house.cli("verify").returncode == 0


def test_what_was_answered_as_deleted_opens_for_nobody_whoever_was_killed(house: House):
    """The vault is killed while cards are deleted; each deletion is asked again until it is known.
    Afterwards the outside auditor tries every key that is left on every copy."""
    shop = Shop(house)
    tokens = [token_of(shop) for _ in range(CARDS)]
    done: list[str] = []

    def delete_all() -> None:
        for token in tokens:
            while token not in done:
                try:
                    if delete(shop, token).status in (200, 404):
                        done.append(token)
                except (OSError, ValueError):
                    threading.Event().wait(0.05)

    deleting = threading.Thread(target=delete_all)
    deleting.start()
    for kill in range(1, KILLS + 1):
        while deleting.is_alive() and len(done) < kill * CARDS // (KILLS + 1):
            deleting.join(0.01)
        if (pid := vault_pid(house)) > 0:
            os.kill(pid, signal.SIGKILL)
    deleting.join()
    house.stop()

    report = audit(house.home, pans=[NUMBER])
    assert report.findings == []
    assert report.looked_at["card keys"] == CARDS
    assert house.cli("verify").returncode == 0


def test_verify_names_the_file_of_card_keys_that_is_gone(house: House):
    """With 65; put back, the cards are as they were."""
    shop = Shop(house)
    token = token_of(shop)
    path = house.home / CARD_KEYS
    house.stop()
    path.rename(path.with_suffix(".away"))
    found = house.cli("verify")
    assert found.returncode == 65
    assert CARD_KEYS in found.stdout
    path.with_suffix(".away").rename(path)
    house.start()
    assert shop.create(token, confirm=True).status == 201
