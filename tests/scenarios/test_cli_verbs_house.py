"""Orders to the supervisor by command line, and a house that was killed and not ended."""

import pytest

from actors.cli.chaos.house import House
from tests.scenarios.living import until
from tests.scenarios.shop import Shop

pytestmark = pytest.mark.scenario


def row(house: House, actor: str) -> tuple[str, int]:
    """State and epoch of an actor."""
    found = house.row(actor)
    return (str(found["state"]), int(found["epoch"])) if found else ("none", 0)


def test_a_paused_actor_takes_nothing_and_loses_nothing(house: House, shop: Shop):
    """It still beats, so nobody kills it; what waited is handled when it is resumed."""
    payment_id = shop.create(shop.tokenize()).body["id"]
    assert house.cli("pause", "gateway").returncode == 0
    until(lambda: row(house, "gateway") == ("paused", 1), "the gateway is paused")
    told = f'{{"id":"{payment_id}"}}'
    assert house.cli("send", "gateway", "payment.cancel", told).returncode == 0
    assert shop.get(f"/payment-intents/{payment_id}").body["state"] == "created"

    assert house.cli("resume", "gateway").returncode == 0

    until(lambda: shop.get(f"/payment-intents/{payment_id}").body["state"] == "reversed", "cancel")
    assert row(house, "gateway") == ("serving", 1)


@pytest.mark.parametrize("actor", ["gateway", "providerA"])
def test_a_restarted_actor_is_a_new_incarnation(house: House, shop: Shop, actor: str):
    """`restart` ends it in order, and it serves again under the next epoch; both spellings of a
    provider are taken."""
    name = "provider-a" if actor == "providerA" else actor
    _, before = row(house, name)

    assert house.cli("restart", actor).returncode == 0

    until(lambda: row(house, name) == ("serving", before + 1), f"{name} serves again")
    assert shop.create(shop.tokenize(), confirm=True).status == 201


def test_a_killed_house_leaves_no_lock_behind(house: House, shop: Shop):
    """SIGKILL to the supervisor: its children end with it, the text in the lock files is no lock,
    and the next `up` serves what was there."""
    payment = shop.create(shop.tokenize()).body
    house.kill_supervisor()
    assert house.cli("ps", "--check", "gateway").returncode == 69
    assert house.cli("pause", "gateway").returncode == 69

    house.start()

    assert shop.get(f"/payment-intents/{payment['id']}").body == payment
    assert house.cli("verify").returncode == 0
