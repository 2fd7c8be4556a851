"""Settlement, reconciliation and approval, broken at each of their effects."""

from collections import Counter

from actors.simulation.crashes import Scene
from actors.simulation.house import SimHouse
from actors.simulation.settled import (
    DAY_MS,
    NEWEST,
    TODAY,
    SettledHouse,
    approve,
    mismatch,
    propose,
    reconciliation,
    settlement,
)
from payrail.domain.settlement import bank

SETTLEMENT = f"data/settlement/settlement_{TODAY}.csv"
NET = 5000 - 175


def of(house: SimHouse) -> SettledHouse:
    assert isinstance(house, SettledHouse)
    return house


def two_captures(house: SimHouse) -> None:
    token = of(house).card()
    for name in ("one", "two"):
        of(house).captured(token, name)


def spoiled(house: SimHouse) -> None:
    two_captures(house)
    house.drill(mismatch("amount"))


def closed(house: SimHouse) -> None:
    spoiled(house)
    of(house).settle("before")


def proposed(house: SimHouse) -> None:
    closed(house)
    of(house).reconcile("before2")
    assert house.say(propose(), "before3", "reconciler")[0] == 200


def settle(house: SimHouse) -> None:
    house.put(settlement(), "q", "reconciler")
    house.run()


def reconcile(house: SimHouse) -> None:
    house.put(reconciliation(), "q", "reconciler")
    house.run()


def agree(house: SimHouse) -> None:
    house.put(approve(), "q", "reconciler")
    house.run()


def midnight(house: SimHouse) -> None:
    """Business time jumps over two cut-offs of each provider."""
    house.clock.advance_business_ms(2 * DAY_MS)
    house.run()


def stated_once(house: SimHouse) -> None:
    """One batch at A with both lines, one of them spoiled once, and the drill is used up."""
    (batch,) = of(house).closed_at("provider-a").values()
    assert (batch.lines, [one.kind for one in batch.injected]) == (2, ["amount"])
    assert house.drivers["provider-a"].loop.state.faults == {}
    assert len(house.bytes_of(SETTLEMENT).split(b"\n")) == 4
    path = f"data/providers/statements/providerA/bank_{TODAY}.csv"
    rows = list(bank.read(path, house.bytes_of(path).split(b"\n")[:-1]))
    assert [row.amount for _, row in rows] == [2 * NET - 10]


def settled_once(house: SimHouse) -> None:
    """The good one is settled and paid out, once; the other waits for people."""
    types = Counter(entry["type"] for entry in house.entries)
    assert (types["payment.settled"], types["provider.payout_received"]) == (1, 1)
    report = of(house).json(NEWEST)[0]
    assert (report["counts"]["matched"], report["counts"]["mismatched"]) == (1, 1)
    assert of(house).balance("asset:bank") == 2 * NET - 10


def adjusted_once(house: SimHouse) -> None:
    types = Counter(entry["type"] for entry in house.entries)
    assert types["payment.settled"] == 2
    assert of(house).balance("asset:suspense:recon:providerA") == 10
    assert of(house).balance("asset:providerA:payout_in_transit") == 0


def two_days(house: SimHouse) -> None:
    """Each date has one batch of each provider, its file and its report; all are settled."""
    for provider in ("provider-a", "provider-b"):
        dates = [batch.date for batch in of(house).closed_at(provider).values()]
        assert dates == [TODAY, "2026-02-10"]
    for date in (TODAY, "2026-02-10"):
        assert house.bytes_of(f"data/settlement/settlement_{date}.csv")
        assert of(house).report(date)["breaks"] == []
    assert {str(view.state) for view in house.state.payments.values()} == {"settled"}
    assert of(house).balance("asset:bank") == 2 * NET


SCENES = (
    Scene("settle", spoiled, settle, stated_once, house=SettledHouse),
    Scene("reconcile", closed, reconcile, settled_once, house=SettledHouse),
    Scene("approve", proposed, agree, adjusted_once, house=SettledHouse),
    Scene("two cut-offs at once", two_captures, midnight, two_days, house=SettledHouse),
)
