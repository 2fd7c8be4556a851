"""The keys that cards rest under are rotated, broken at each of its effects.

Meanwhile cards come in and are charged: one that the door encrypted just before the switch too.
"""

from typing import Any

import msgspec

from actors.simulation import orders
from actors.simulation.crashes import TOKEN, Scene, card
from actors.simulation.house import GOOD, PEERS, SimHouse
from actors.simulation.scenes.payments import CREATED
from actors.vault.core import Vault
from actors.vault.keyfile import KEYS
from actors.vault.keys import open_keys
from actors.vault.seals import HpkeSeals
from actors.vault.state import CARDS
from payrail.domain.words.vault_keys import RotateKeys
from payrail.runtime.actor import Actor

#: Cards of one step, so that a few cards take some.
AT_ONCE = 2
ROTATE: orders.Order = ("keys.rotate", RotateKeys("internal", "http"))


class KeyHouse(SimHouse):
    """As `SimHouse`, and its vault moves few cards at a time."""

    def core(self, name: str) -> Actor[Any]:
        if name != "vault":
            return super().core(name)
        vault = Vault(self.keys, HpkeSeals(self.fs), moved_at_once=AT_ONCE)
        vault.peers = PEERS[name]
        return vault


def cards(house: SimHouse) -> None:
    """Three cards lie in the vault, in its documents too."""
    card(house)
    for number in range(2):
        house.tokenize(GOOD, f"before{number}")
    house.run()
    house.drivers["vault"].write_documents()


def rotated(house: SimHouse) -> None:
    cards(house)
    assert house.say(ROTATE, "first", "vault")[0] == 200


def rotate(house: SimHouse) -> None:
    house.put(ROTATE, "q", "vault")
    house.tokenize(GOOD, "late")  # under the old key, and read after the question
    house.run()


def rotate_and_sell(house: SimHouse) -> None:
    """A card is charged while cards are moved, and another comes in under the new key."""
    house.put(ROTATE, "q", "vault")
    house.put(orders.create(TOKEN, "k", confirm=True), "sale")
    house.turn("vault")
    house.turn("vault")
    house.tokenize(GOOD, "during")
    house.run()


def begin_anew(house: SimHouse) -> None:
    """The vault is reborn in the middle of it."""
    house.put(ROTATE, "q", "vault")
    house.turn("vault")
    house.turn("vault")
    house.start("vault")
    house.run()


def one_key_is_left(house: SimHouse) -> None:
    """Every card opens with the newest key alone, which is the only one that is left; the
    documents hold nothing under another."""
    lines = msgspec.json.decode(house.fs.read(KEYS))["keys"]
    newest, *older = lines
    assert newest["key"]
    assert older
    assert [(line["key"], bool(line["retired_at"])) for line in older] == [(None, True)] * len(
        older
    )
    state = house.drivers["vault"].loop.state
    assert state.rotation.live == [newest["id"]]
    keys = open_keys(house.fs, house.clock, house.rng)
    for token, stored in state.cards.items():
        assert stored.key_id == newest["id"]
        assert keys.open_card(token, stored).number == GOOD
    house.drivers["vault"].write_documents()
    names = {one["key_id"] for one in msgspec.json.decode(house.fs.read(CARDS))["cards"].values()}
    assert names == {newest["id"]}


def and_sold(house: SimHouse) -> None:
    one_key_is_left(house)
    (payment_id,) = {entry["ref"] for entry in house.entries if entry["type"] == CREATED[0]}
    assert "payment.authorized" in house.types(payment_id)


SCENES = (
    Scene("with a card on its way", cards, rotate, one_key_is_left, house=KeyHouse),
    Scene("while it sells", cards, rotate_and_sell, and_sold, house=KeyHouse),
    Scene("reborn in the middle", cards, begin_anew, one_key_is_left, house=KeyHouse),
    Scene("a second time", rotated, rotate, one_key_is_left, house=KeyHouse),
)
