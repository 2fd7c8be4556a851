"""A whole run that went well, and the ways to make its evidence tell otherwise.

What the product would have written wrongly is changed where it was read; what somebody did to a
file afterwards is changed in the file.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec

from actors.gateway.core import Gateway
from actors.simulation import orders
from actors.simulation.evidence import Asked, Evidence
from actors.simulation.hooked import HookedHouse, add_endpoint
from actors.simulation.house import ACTORS, GOOD, PEERS, authorized
from actors.simulation.reading import Entry
from actors.simulation.scenes.tokens import delete
from actors.simulation.settled import SettledHouse, reconciliation, settlement
from payrail.runtime.actor import Actor
from payrail.runtime.recovery import journal_path

JOURNAL = journal_path("gateway")
TRUTH_A = "data/providers/providerA_truth.jsonl"
TRUTH_B = "data/providers/providerB_truth.jsonl"


class Everybody(HookedHouse, SettledHouse):
    """Every actor that has a journal."""

    actors = (*ACTORS, "reconciler", "dispatcher")  # type: ignore[assignment]

    def core(self, name: str) -> Actor[Any]:
        if name == "gateway":
            return Gateway(self.rules, peers=(*PEERS[name], "dispatcher", "reconciler"))
        return super().core(name)


def a_run() -> Everybody:
    """Two merchants, four payments: one declined, one refunded and settled, one paid elsewhere."""
    house = Everybody()
    house.start()
    token = house.tokenize(GOOD, "card")
    other = house.tokenize(GOOD, "other", merchant="m_002")
    house.run()
    assert house.say(add_endpoint(), "endpoint")[0] == 201
    refunded, held = authorized(house, token, "p1"), authorized(house, token, "p2")
    authorized(house, other, "p3", merchant="m_002")
    assert house.say(orders.capture(refunded), "captured")[0] == 200
    _, made = house.say(orders.refund(refunded, 400), "refund")
    assert house.say(orders.approve(made["id"]), "approved")[0] == 200
    assert house.say(orders.cancel(held), "cancelled")[0] == 200
    _token_ends(house)
    assert house.say(orders.create(token, "k_no", amount=0), "refused")[0] == 422
    assert house.say(settlement(), "settle", "reconciler")[0] == 200
    assert house.say(reconciliation(), "reconcile", "reconciler")[0] == 200
    for driver in house.drivers.values():
        driver.write_documents()
    house.run()
    return house


def _token_ends(house: Everybody) -> None:
    """A token for one payment serves it, and its card is deleted."""
    spare = house.tokenize(GOOD, "spare", usage="single_use")
    house.run()
    authorized(house, spare, "p4")
    assert house.say(delete(spare), "deleted", "vault")[0] == 200


Spoil = Callable[[Evidence], Evidence | None]
#: Who must say so, what is spoilt, words of the sentence, and who else must see it.
Case = tuple[str, Spoil, str, str]


def entry(evidence: Evidence, kind: str) -> Entry:
    return next(one for one in evidence.books.entries if one.fact.type == kind)


def change_entry(evidence: Evidence, kind: str, **fields: Any) -> None:
    """The first entry of this type says something else, in every place where it is read."""
    old = entry(evidence, kind)
    new = replace(old, fact=msgspec.structs.replace(old.fact, **fields))
    evidence.books.entries[evidence.books.entries.index(old)] = new


def change_step(evidence: Evidence, actor: str, number: int, **fields: Any) -> None:
    steps = evidence.books.steps(actor)
    steps[number - 1] = msgspec.structs.replace(steps[number - 1], **fields)


def change_file(evidence: Evidence, path: str, old: bytes, new: bytes) -> None:
    data = evidence.fs.read(path)
    assert old in data, path
    evidence.fs.replace(path, data.replace(old, new, 1))


def add_line(evidence: Evidence, path: str, line: bytes) -> None:
    before = evidence.fs.read(path) if evidence.fs.exists(path) else b""
    evidence.fs.replace(path, before + line + b"\n")


def asked(evidence: Evidence, path: str, status: int) -> Asked:
    found = (one for one in evidence.asked if one.path.endswith(path) and one.status == status)
    return next(found)


def instead(evidence: Evidence, old: Asked, **fields: Any) -> Evidence:
    """The same evidence, with one try that went otherwise."""
    others = [one for one in evidence.asked if one is not old]
    return replace(evidence, asked=[*others, replace(old, **fields)])


def beside(evidence: Evidence, *more: Asked) -> Evidence:
    return replace(evidence, asked=[*evidence.asked, *more])
