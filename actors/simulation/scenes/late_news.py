"""A chargeback whose news comes after its line in a statement, and the break that is made of that:
whoever dies, the posting of two people and the match move its money once.
"""

from actors.simulation import orders
from actors.simulation.crashes import Scene
from actors.simulation.disputed import MINUTE_MS, later, pays
from actors.simulation.house import GOOD, SimHouse
from actors.simulation.scenes.settlement import agree, of, reconcile
from actors.simulation.settled import DAY_MS, SettledHouse, approve, propose

LATE_S = 2 * 86_400


def reported(house: SimHouse) -> None:
    """The cardholder disputed, nobody told us, and the report of that day has a break."""
    pays(house)
    house.drill(orders.drill(f"late_webhook:{LATE_S}", "webhook"))
    later(house, MINUTE_MS)
    of(house).settle("settle1")
    assert [one["class"] for one in of(house).reconcile("reconcile1")["breaks"]] == ["chargeback"]
    assert house.say(propose(), "propose", "reconciler")[0] == 200


def told(house: SimHouse) -> None:
    """The news comes, when the day is over; and another payment makes a batch."""
    later(house, DAY_MS)
    later(house, LATE_S * 1_000 - DAY_MS)
    assert len(house.state.disputes.open) == 1
    token = house.tokenize(GOOD, "good")
    house.run()
    of(house).captured(token, "next")
    assert of(house).settle("settle2")[0] == 200


def posted_and_told(house: SimHouse) -> None:
    reported(house)
    assert house.say(approve(), "approve", "reconciler")[0] == 200
    told(house)


def told_and_matched(house: SimHouse) -> None:
    reported(house)
    told(house)
    of(house).reconcile("reconcile2")


def moved_once(house: SimHouse) -> None:
    """Each of the two captures and the chargeback is settled, and nothing is put aside."""
    for account in (
        "asset:providerA:receivable",
        "asset:providerA:payout_in_transit",
        "asset:suspense:recon:providerA",
    ):
        assert of(house).balance(account) == 0, account
    settled = [e["data"] for e in house.entries if e["type"] == "payment.settled"]
    assert len([data for data in settled if "capture_id" in data]) == 2
    assert [data["effect"] for data in settled if "claim_id" in data] == ["chargeback"]


SCENES = (
    Scene("news of a posted break", posted_and_told, reconcile, moved_once, house=SettledHouse),
    Scene("a break that was matched", told_and_matched, agree, moved_once, house=SettledHouse),
)
