"""A card that is deleted opens for nobody, and a token for one payment serves one, whoever dies at
whatever effect.

The vault opens its keys itself, through its own process, so that blocks of card keys are broken
too. A deletion ends: answered, or asked again until it is.
"""

from typing import Any

from actors.simulation import orders
from actors.simulation.crashes import TOKEN, Act, Scene, card
from actors.simulation.house import GOOD, SimHouse, authorized
from actors.simulation.orders import Order
from actors.simulation.scenes.payments import created, the_payment
from actors.vault.keys import open_keys
from payrail.domain.words.cards import DeleteCard
from payrail.runtime.actor import Actor
from payrail.runtime.sim import SimRng

#: A card that is stored while something breaks.
LATER = f"tok_{'later':0<32}"


class KeptHouse(SimHouse):
    """As `SimHouse`, and the vault uses its keys through its own files."""

    def core(self, name: str) -> Actor[Any]:
        if name == "vault":
            self.keys = open_keys(self.processes[name], self.clock, SimRng(7))
        return super().core(name)


def delete(token: str = TOKEN) -> Order:
    return "card.delete", DeleteCard(token, "m_001", "usr_m001admin", "test")


def deletes(house: SimHouse) -> None:
    house.put(delete(), "gone", "vault")
    house.run()


def deletes_twice(house: SimHouse) -> None:
    """Two people at once, and the vault takes both before it has shredded the key."""
    house.put(delete(), "gone", "vault")
    house.put(delete(), "gone too", "vault")
    house.run()


def deletes_while_charged(house: SimHouse) -> None:
    """The card is on its way to its provider: that charge stays what it is."""
    house.put(orders.authorize(the_payment(house), "k"), "q")
    house.put(delete(), "gone", "vault")
    house.turn("gateway")
    house.turn("vault")  # which takes what actors say before what doors ask
    house.run()


def saved(house: SimHouse) -> None:
    """The vault has a snapshot that still holds the card."""
    card(house)
    house.drivers["vault"].write_documents()


def stores(house: SimHouse) -> None:
    """The first card of an incarnation: a block of keys is made for it."""
    house.at_work = "vault"
    house.tokenize(GOOD, "later")
    house.run()


def single_use(house: SimHouse) -> None:
    house.tokenize(GOOD, "card", usage="single_use")
    house.run()


def two_pay(house: SimHouse) -> None:
    for key in ("k1", "k2"):
        house.put(orders.create(TOKEN, key, confirm=True), f"q_{key}")
    house.run()


def nobody_opens(house: SimHouse) -> None:
    """Not the vault, and no later payment: the invariants have looked at every copy."""
    state = house.drivers["vault"].loop.state
    assert TOKEN not in {**state.tokens, **state.cards, **state.shredding}
    assert TOKEN not in house.state.cards
    house.witness.epoch += 1
    house.witness.n = dict.fromkeys(house.witness.n, 0)
    status, body = house.say(orders.create(TOKEN, "k_after"), "after")
    assert (status, body["code"]) == (422, "unknown-token")
    house.witness.questions.pop("after")


def charge_stands(house: SimHouse) -> None:
    """Nobody opens it any more; whoever was charged is charged once."""
    nobody_opens(house)
    assert sum(row["operation"] == "authorize" for row in house.truths) <= 1


def stored_or_never_asked(house: SimHouse) -> None:
    """A card whose storing was asked for opens, and so does the one after it."""
    if "later" in house.witness.questions and house.witness.replies.get("later"):
        authorized(house, LATER, "later")
    again = house.tokenize(GOOD, "again")
    house.run()
    authorized(house, again, "again")


def one_pays(house: SimHouse) -> None:
    """The first, or nobody where its card came too late."""
    charged = {row["payment_id"] for row in _charges(house)}
    assert len(charged) == 1
    refused = [e for e in house.entries if e["data"].get("decline_code") == "token_used"]
    assert len(refused) == 1


def _charges(house: SimHouse) -> list[dict[str, Any]]:
    lines = house.lines("data/vault/access_log.jsonl")
    return [
        line
        for line in lines
        if (line["purpose"], line["outcome"]) == ("charge.authorize", "allowed")
    ]


def _scene(name: str, setup: Act, story: Act, expect: Act) -> Scene:
    return Scene(name, setup, story, expect, house=KeptHouse)


SCENES = (
    _scene("a deletion", card, deletes, nobody_opens),
    _scene("a deletion of what was saved", saved, deletes, nobody_opens),
    _scene("two deletions of one card", card, deletes_twice, nobody_opens),
    _scene("a deletion while it is charged", created, deletes_while_charged, charge_stands),
    _scene("the first card of an incarnation", card, stores, stored_or_never_asked),
    _scene("two payments with one token", single_use, two_pay, one_pays),
)
