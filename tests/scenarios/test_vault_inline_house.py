"""A house in one process seals its vault and goes on with it, as a house of processes does."""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from actors.cli.chaos.house import House
from tests.scenarios.living import until
from tests.scenarios.shop import Shop

pytestmark = pytest.mark.scenario

PEOPLE = {"ada": "the first engine of all", "bo": "another long passphrase"}


class Inline(House):
    command = ("-m", "actors.cli.main", "up", "--demo", "--inline")


@contextmanager
def _begun(house: House) -> Iterator[None]:
    """From its sealed start on; ended when it is left."""
    with ThreadPoolExecutor(1) as beside:
        ready = beside.submit(house.start)
        try:
            until(lambda: (house.row("vault") or {}).get("state") == "sealed", "a sealed vault", 60)
            yield
            ready.result()
        finally:
            house.stop()
            ready.exception()


def _vault(house: House, *words: str, given: str) -> Any:
    command = [sys.executable, "-m", "actors.cli.main", "vault", *words, "--stdin", "--json"]
    ran = subprocess.run(
        command, cwd=house.folder, env=house.env, input=given, capture_output=True, check=True,
        text=True,
    )  # fmt: skip
    return json.loads(ran.stdout)


def test_one_process_is_sealed_and_unlocked_too(tmp_path):
    """Two operators protect it, a new start waits for both, and then the house is ready with the
    cards of before."""
    house = Inline(tmp_path)
    house.start()
    shop = Shop(house)
    token = shop.tokenize()
    lines = "".join(f"{name}:{passphrase}\n" for name, passphrase in PEOPLE.items())
    assert _vault(house, "protect", given=lines)["operators"] == ["ada", "bo"]
    house.stop()

    with _begun(house):
        found = [
            _vault(house, "unlock", "--operator", name, given=passphrase)["missing"]
            for name, passphrase in PEOPLE.items()
        ]
        assert found == [["bo"], []]
        until(lambda: shop.get("/ready").status == 200, "a ready house", 60)
        assert shop.create(token, confirm=True).body["state"] == "authorized"


def test_another_key_in_the_settings_seals_and_a_wrong_shape_ends(tmp_path):
    """PAYRAIL_VAULT_KEY that is not the one the home began with: sealed, and the front door is
    there to say so. One that is no key of 32 bytes is a setting: exit 78."""
    house = House(tmp_path)
    house.env["PAYRAIL_VAULT_KEY"] = "11" * 32
    house.start()
    shop = Shop(house)
    token = shop.tokenize()
    house.stop()

    house.env["PAYRAIL_VAULT_KEY"] = "22" * 32
    with ThreadPoolExecutor(1) as beside:
        beside.submit(house.start).add_done_callback(lambda done: done.exception())
        until(lambda: (house.row("vault") or {}).get("state") == "sealed", "a sealed vault", 60)
        health = until(lambda: _health(shop), "the vault's health", 60)
        assert "PAYRAIL_VAULT_KEY is not the key this home began with" in health["why"]
        until(lambda: (house.row("frontdoor") or {}).get("state") == "serving", "a front door", 60)
        assert shop.get("/ready").body["waiting_for"]["vault"] == "sealed"
        house.stop()

    house.env["PAYRAIL_VAULT_KEY"] = "33" * 20
    with ThreadPoolExecutor(1) as beside:
        beside.submit(house.start).add_done_callback(lambda done: done.exception())
        until(lambda: (house.row("vault") or {}).get("state") == "held", "a held vault", 60)
        house.stop()

    house.env["PAYRAIL_VAULT_KEY"] = "11" * 32
    house.start()
    assert shop.create(token, confirm=True).body["state"] == "authorized"
    house.stop()


def _health(shop: Shop) -> Any:
    try:
        return shop.send("GET", "/health", None, {}, url=shop.house.vault + "/health").body
    except OSError:
        return None
