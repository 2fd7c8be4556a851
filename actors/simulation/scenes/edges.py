"""A front door that dies while it waits: under its next epoch its merchants ask again.

Its old questions still lie in the mailboxes, and replies to them come to nobody.
"""

from actors.simulation import orders
from actors.simulation.crashes import TOKEN, Act, Scene, card
from actors.simulation.house import SimHouse
from actors.simulation.orders import Order
from actors.simulation.scenes.payments import HELD, TAKEN, created, ends, held, the_payment
from payrail.runtime.edge import open_epoch
from payrail.runtime.sim import SimFs


def door_dies(*turns: str, make: str = "authorize") -> Act:
    """The door asks and dies after these turns of others; the next one asks again."""

    def story(house: SimHouse) -> None:
        order = _order(house, make)
        house.put(order, "q")
        for name in turns:
            house.turn(name)
        house.collect()
        house.witness.reborn()
        house.put(order, f"q~{house.witness.epoch}")
        house.run()

    return story


def door_dies_twice(house: SimHouse) -> None:
    door_dies()(house)
    house.witness.reborn()
    house.put(_order(house, "authorize"), f"q~{house.witness.epoch}")
    house.run()


def opens_its_epoch(house: SimHouse) -> None:
    """The door writes down that it begins, in a process that may die of it."""
    house.at_work = "frontdoor"
    fs = house.processes["frontdoor"] = SimFs(house.disk, faults=house.faults("frontdoor"))
    known.clear()
    known.append(open_epoch(fs, house.clock, "frontdoor", ["gateway"]))


#: Epochs under which the door of the scene before may have asked.
known: list[int] = []


def no_epoch_comes_twice(house: SimHouse) -> None:
    """Lines under an epoch that was used would pass for old ones."""
    found = [open_epoch(house.fs, house.clock, "frontdoor", ["gateway"]) for _ in range(2)]
    assert [*known, *found] == sorted({*known, *found})


def _order(house: SimHouse, make: str) -> Order:
    if make == "buy":
        return orders.create(TOKEN, "k", confirm=True, capture_method="automatic")
    made: Order = getattr(orders, make)(the_payment(house), "k")
    return made


SCENES = (
    Scene("before anybody has read", created, door_dies(), ends(200, *HELD)),
    Scene(
        "while the card is on its way",
        created,
        door_dies("gateway", "vault"),
        ends(200, *HELD),
    ),
    Scene(
        "while a purchase is answered",
        card,
        door_dies("gateway", "vault", "provider-a", "gateway", make="buy"),
        ends(201, *TAKEN),
    ),
    Scene(
        "while a capture is answered", held, door_dies("gateway", make="capture"), ends(200, *TAKEN)
    ),
    Scene("two doors in a row", created, door_dies_twice, ends(200, *HELD)),
    Scene("the first epoch", lambda _: None, opens_its_epoch, no_epoch_comes_twice),
    Scene("the next epoch", opens_its_epoch, opens_its_epoch, no_epoch_comes_twice),
)
