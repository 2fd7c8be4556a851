"""A power cut takes lines of books that their writer has still to put back: nobody settles by them.

The reconciler is the first to be back; a ledger without its last captures would make breaks of them
for good, for a report is about the ledger as it was when its last batch closed.
"""

from actors.simulation.settled import SettledHouse, reconciliation, settlement
from actors.simulation.sound import must_be_sound
from payrail.runtime.sim import Dropped

AWAY = ("gateway",)


def a_house() -> SettledHouse:
    house = SettledHouse()
    house.start()
    token = house.card()
    for number in range(3):
        house.captured(token, f"p{number}")
    return house


def phase(house: SettledHouse) -> str:
    run = house.drivers["reconciler"].loop.state.run
    return str(run.phase) if run else ""


def after_the_cut(house: SettledHouse) -> SettledHouse:
    """Everybody but the gateway is back, and has done what can be done."""
    back = house.cut_power(Dropped())
    back.start(*(name for name in house.actors if name not in AWAY))
    back.run()
    assert isinstance(back, SettledHouse)
    return back


def test_a_settlement_under_way_waits_until_the_ledger_is_whole():
    """Its file was about to be written when the power went; each capture stands in the report."""
    house = a_house()
    house.put(settlement(), "settle", "reconciler")
    while phase(house) != "writing":
        for name in house.drivers:
            house.turn(name)
    house = after_the_cut(house)
    assert house.lines("data/ledger/payments.jsonl") == []

    house.start(*AWAY).run()
    house.put(settlement(), "again", "reconciler")
    house.run()

    report = house.reconcile()
    assert (report["counts"]["matched"], report["breaks"]) == (3, [])


def test_a_report_asked_for_after_the_cut_is_not_told_that_the_ledger_changed():
    """The ledger is what it was when the batch closed, once its writer is back."""
    house = a_house()
    assert house.settle()[0] == 200
    house = after_the_cut(house)
    house.put(reconciliation(), "report", "reconciler")
    house.run()
    assert "report" not in house.replies

    house.start(*AWAY).run()

    assert house.answer("report")[0] == 200
    must_be_sound(house)
