"""Disputes in statements: every movement matched with ours, netted against the payout, audited."""

from pathlib import Path

import pytest

from actors.simulation import orders
from actors.simulation.disputed import SENT_BACK, a_house, answered, disputed, later
from actors.simulation.settled import DAY_MS, SettledHouse
from actors.simulation.sound import must_be_sound
from payrail.domain.words.providers import OpenDispute
from tests.scenarios.audited import audited

REPORTS = "data/reconciliation/reconciliation_report_"
NET, DUE = 5000 - 175, 5000 - 200


def settled(house: SettledHouse, name: str = "x") -> int:
    """Settle and reconcile; result: how many lines are matched in all reports so far, which are
    without a break and explain everything."""
    house.settle(f"{name}1")
    house.reconcile(f"{name}2")
    matched = 0
    for path in sorted(house.fs.disk.names):
        if not path.startswith(REPORTS):
            continue
        (report,) = house.json(path)
        assert report["breaks"] == [], path
        assert all(row["unexplained"] == 0 for row in report["totals"].values())
        matched += report["counts"]["matched"]
    return matched


def received(house: SettledHouse) -> int:
    """What providers have paid us, whatever was paid out of it since."""
    return sum(e["amount"] for e in house.entries if e["type"] == "provider.payout_received")


def owed(house: SettledHouse) -> int:
    """What is the merchant's of it, paid out or not."""
    paid_out = sum(e["amount"] for e in house.entries if e["type"] == "payout.created")
    return paid_out - house.balance("liability:m_001:available")


def must_be_even(house: SettledHouse) -> None:
    """Nothing is left between us and the provider, or held back from the merchant."""
    for account in ("receivable", "payout_in_transit", "disputed"):
        assert house.balance(f"asset:providerA:{account}") == 0, account
    assert house.balance("liability:m_001:dispute_hold") == 0
    must_be_sound(house)


@pytest.mark.parametrize(
    ("text", "lines", "kept"),
    [
        ("winning_evidence", 4, NET - 1500),
        ("losing_evidence", 3, NET - 5000 - 2 * 1500),
        ("", 2, NET - 5000 - 1500),
    ],
)
def test_a_dispute_is_settled_movement_by_movement(text: str, lines: int, kept: int) -> None:
    """Won: all but the first fee is back. Lost: the money and both fees are gone. Not answered:
    the money and one fee. All lines are matched each time."""
    house, payment_id = a_house()
    if text:
        answered(house, text)
        later(house, 75 * DAY_MS)
    else:
        disputed(house)
        later(house, 18 * DAY_MS)
    view = house.state.payments[payment_id]
    assert (view.state == "chargeback") is (text != "winning_evidence")
    later(house, DAY_MS)
    assert settled(house) == lines
    assert received(house) == kept
    assert owed(house) == kept - NET + DUE
    must_be_even(house)


def test_a_chargeback_after_the_settlement_is_netted_by_the_next_payout() -> None:
    """The receivable is below zero for a day, and then even."""
    house, _ = a_house()
    assert settled(house) == 1
    disputed(house)
    assert house.balance("asset:providerA:receivable") == -6500
    later(house, DAY_MS)
    assert settled(house, "y") == 2
    assert house.balance("asset:providerA:receivable") == 0
    assert received(house) == NET - 6500
    must_be_sound(house)


def test_what_was_won_and_taken_once_more_is_four_lines() -> None:
    """At the provider's door: a second chargeback, lost at once and without a fee."""
    house, payment_id = a_house()
    ident = disputed(house)
    assert house.say(orders.resolve(ident, "won"), "w")[0] == 200
    again = OpenDispute(ident, f"{payment_id}.1", "general", stage="pre_arbitration")
    assert house.say(("provider.dispute", again), "a", "provider-a")[0] == 201
    assert house.state_of(payment_id) == "chargeback"
    assert settled(house) == 4
    assert received(house) == NET - 6500
    must_be_even(house)


def test_a_refund_that_was_sent_back_is_two_lines() -> None:
    """It succeeded and failed: nothing went, and the merchant has it again."""
    house, payment_id = a_house(SENT_BACK)
    _, made = house.say(orders.refund(payment_id, 2000), "r")
    assert house.say(orders.approve(made["id"]), "a")[0] == 200
    later(house, 60_000)
    assert house.types(made["id"])[-2:] == ["refund.succeeded", "refund.failed"]
    assert house.state.payments[payment_id].amount_refunded == 0
    assert settled(house) == 3
    assert received(house) == NET
    must_be_even(house)


def test_a_refund_whose_return_is_told_first_is_two_lines_as_well() -> None:
    """Nobody told us that it had succeeded: both movements are booked with the news of its return,
    and no line of the statement is a break."""
    house, payment_id = a_house(SENT_BACK)
    _, made = house.say(orders.refund(payment_id, 2000), "r")
    house.drill(orders.drill("approve_then_hang", "refund"))
    assert house.say(orders.approve(made["id"]), "a")[0] == 200
    assert house.types(made["id"])[-1] == "refund.submitted"
    later(house, 60_000)
    assert house.types(made["id"])[-2:] == ["refund.succeeded", "refund.failed"]
    house.wait(60_000)
    assert settled(house) == 3
    assert received(house) == NET
    must_be_even(house)


def test_an_independent_reader_agrees(tmp_path: Path) -> None:
    """Books, truth and statements of a dispute that was won say the same to the auditor."""
    house, _ = a_house()
    answered(house, "winning_evidence")
    later(house, 76 * DAY_MS)
    settled(house)
    found = audited(house, tmp_path)
    assert found.findings == []
    assert found.looked_at["settled"] == 4
