"""Keys are rotated on a house of real processes, whose vault dies in the middle of it."""

import json
import os
from pathlib import Path

import pytest

from actors.cli.chaos.house import House
from tests.chaos.rotation import Order, run

CARDS = int(os.environ.get("PAYRAIL_ROTATION_CARDS", "300"))


@pytest.mark.chaos
@pytest.mark.timeout(600)
async def test_no_card_is_lost_when_the_vault_dies_while_keys_are_rotated(tmp_path: Path):
    """Shops store and charge cards while keys are rotated and the vault is killed: every card that
    was answered 201 opens with the newest key, and every older key is gone."""
    outcome = await run(Order(cards=CARDS, rotations=5, spared=5), tmp_path)
    print(outcome.text())

    assert outcome.wrong() == []
    assert len(outcome.stored) >= CARDS
    assert outcome.kills.total() >= 3
    assert outcome.reborn > 0
    assert outcome.answers["sell 201"] > 0


@pytest.mark.chaos
def test_people_rotate_and_see_their_keys(tmp_path: Path):
    """`vault rotate` returns when the new key is in use, with --wait when the old one is gone;
    `vault keys` shows neither a key nor a card, whether the house runs or not."""
    house = House(tmp_path)
    house.start()
    try:
        told = json.loads(house.cli("vault", "rotate", "--json").stdout)
        assert (told["key_id"], told["previous"]) == ("k2", ["k1"])
        waited = house.cli("vault", "rotate", "--wait", "--json")
        assert (waited.returncode, json.loads(waited.stdout)["previous"]) == (0, [])
    finally:
        house.stop()
    shown = house.cli("vault", "keys", "--json")
    rows = json.loads(shown.stdout)
    assert [(row["id"], bool(row["retired_at"])) for row in rows] == [
        ("k3", False),
        ("k2", True),
        ("k1", True),
    ]
    assert set(rows[0]) == {"id", "created_at", "retired_at", "cards"}
    assert house.cli("vault", "rotate").returncode == 69
