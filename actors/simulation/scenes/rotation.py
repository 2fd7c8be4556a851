"""Spools that are moved away when they were read to their end: here every line is such an end.

Where a receiver stands is told by its page, which outlives a kill and is gone with the power.
"""

from collections import Counter
from typing import Any

from actors.simulation import orders
from actors.simulation.crashes import TOKEN, Act, Scene, card
from actors.simulation.house import SimHouse
from actors.simulation.scenes.payments import CREATED, TAKEN
from actors.simulation.witness import EDGES
from payrail.runtime.intake import World
from payrail.runtime.sim import NoBell, NoCell, SimFs
from payrail.storage.spool import NOT_READ, OLD_KEPT, ReadSoFar, file_mark

#: So many more lie there at most where their writer could not clear; the next move clears them.
MORE_MAX = 4


class Page(NoCell):
    """Where a receiver stands in the spools of its senders."""

    def __init__(self) -> None:
        super().__init__()
        self.places: dict[str, ReadSoFar] = {}

    def consumed(self, sender: str, n: int, offset: int, epoch: int = 0) -> None:
        self.places[sender] = ReadSoFar(n, offset, epoch)


class RotatingHouse(SimHouse):
    """As `SimHouse`, and whoever finds its spool drained moves it away."""

    def __init__(self, *parts: Any, **more: Any) -> None:
        super().__init__(*parts, **more)
        self.pages: dict[str, Page] = {}

    def cell(self, name: str) -> Page:
        return self.pages.setdefault(name, Page())

    def world(self, name: str, fs: SimFs) -> World:
        return World(
            fs,
            self.clock,
            NoBell(),
            self.cell(name),
            read_to=self._read_to,
            hint=lambda sender: self._read_to(name, sender).offset,
            errands=self.errands(name, fs),
            rotate_bytes=1,
        )

    def collect(self) -> None:
        """Edges read their replies, and say how far."""
        super().collect()
        for edge in EDGES:
            for name in self.actors:
                path = f"mailboxes/{edge}/{name}.jsonl"
                mark = file_mark(self.fs.identity(path) or 0)
                self.cell(edge).consumed(name, mark, len(self.bytes_of(path)))

    def _read_to(self, receiver: str, sender: str) -> ReadSoFar:
        return self.cell(receiver).places.get(sender, NOT_READ)


def bought(times: int) -> Act:
    """So many payments were made, each with lines of its own in every spool."""

    def setup(house: SimHouse) -> None:
        card(house)
        for number in range(times):
            assert house.say(_order(f"before{number}"), f"before{number}")[0] == 201

    return setup


def buy(house: SimHouse) -> None:
    house.put(_order("k"), "q")
    house.run()


def buy_twice(house: SimHouse) -> None:
    buy(house)
    house.put(_order("k2"), "q2")
    house.run()


def _order(key: str) -> orders.Order:
    return orders.create(TOKEN, key, confirm=True, capture_method="automatic")


def all_taken(house: SimHouse) -> None:
    """Every payment was made in full, and few more moved files lie about than are kept."""
    payments = {e["ref"] for e in house.entries if e["type"] == CREATED[0]}
    for payment_id in payments:
        assert [t for t in house.types(payment_id) if t != "payment.unknown"] == list(TAKEN)
    old = Counter(
        (path.rpartition("/")[0], path.rpartition("/")[2].split(".")[0])
        for path in house.disk.names
        if "/old/" in path
    )
    assert old
    assert max(old.values()) <= OLD_KEPT + MORE_MAX


SCENES = (
    Scene("first files moved", bought(1), buy_twice, all_taken, house=RotatingHouse),
    Scene("oldest file gone", bought(OLD_KEPT + 1), buy, all_taken, house=RotatingHouse),
)
