"""Rotation over real HTTP: who may, what is told, and cards that come in meanwhile."""

import asyncio
import json

from actors.vault.door import REFUSALS_PER_S
from tests.actors.doors import INTERNAL
from tests.actors.vaulted import open_vault

KEYS = "data/vault/keys.json"


async def rested(vault):
    """How the keys are, once nothing is left to move."""
    while True:
        _, shown = await vault.ask("GET", "/rotate-keys", key=INTERNAL)
        if not shown["previous"]:
            return shown
        await asyncio.sleep(0.01)


async def test_the_answer_names_the_new_key_and_what_is_to_do(tmp_path):
    """Who has the internal secret rotates; the older key goes by itself, and all cards open."""
    async with open_vault(tmp_path) as vault:
        token = await vault.token()

        status, body = await vault.ask("POST", "/rotate-keys", key=INTERNAL)

        assert (status, body) == (200, {"key_id": "k2", "previous": ["k1"], "cards_to_do": 1})
        shown = await rested(vault)
        assert (shown["keys"], shown["lost"]) == ([{"id": "k2", "cards": 1}], [])
        newest, oldest = json.loads((tmp_path / KEYS).read_text())["keys"]
        assert newest["key"]
        assert oldest["key"] is None
        wish = {"token": token, "purpose": "support.last4"}
        assert (await vault.ask("POST", "/detokenize", wish))[0] == 200


async def test_cards_come_in_while_keys_are_rotated(tmp_path):
    """Whoever sends a card at the moment of the switch gets a token, under one key or the other."""
    async with open_vault(tmp_path) as vault:
        tokens = [asyncio.create_task(vault.token()) for _ in range(40)]
        for _ in range(3):
            assert (await vault.ask("POST", "/rotate-keys", key=INTERNAL))[0] == 200
            tokens += [asyncio.create_task(vault.token()) for _ in range(20)]
        assert len(set(await asyncio.gather(*tokens))) == 100

        shown = await rested(vault)

        assert shown["keys"] == [{"id": "k4", "cards": 100}]


async def test_whoever_may_not_rotate_is_written_down(tmp_path):
    """A merchant's key, a wrong secret and no key at all: 401, and a line with a known name."""
    async with open_vault(tmp_path) as vault:
        for key in (vault.key("operator"), "wrong", ""):
            status, body = await vault.ask("POST", "/rotate-keys", key=key)
            assert (status, body["code"]) == (401, "unauthenticated")

        told = [(line["who"], line["purpose"], line["outcome"]) for line in vault.log()]
        refused = ("key.rotation", "refused:unauthenticated")
        assert told == [("usr_m001_operator", *refused), *[("unknown", *refused)] * 2]
        assert (await vault.ask("GET", "/rotate-keys", key=vault.key()))[0] == 401
        assert [line["id"] for line in json.loads((tmp_path / KEYS).read_text())["keys"]] == ["k1"]


async def test_a_flood_of_refused_calls_does_not_fill_the_log(tmp_path):
    """More than the log can bear is refused without a line: 429."""
    async with open_vault(tmp_path) as vault:
        asked = [vault.ask("POST", "/rotate-keys", key="wrong") for _ in range(60)]
        found = [status for status, _ in await asyncio.gather(*asked)]

        assert set(found) == {401, 429}
        assert found.count(401) == len(vault.log()) <= 6 * REFUSALS_PER_S
