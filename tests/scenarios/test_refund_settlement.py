"""Refunds in statements: matched with ours, netted against the payout, told when they differ."""

from pathlib import Path

from actors.simulation import orders
from actors.simulation.settled import DAY_MS, NEWEST, SettledHouse, a_house
from actors.simulation.sound import must_be_sound
from tests.scenarios.audited import audited

NET = 5000 - 175


def refunded(house: SettledHouse, payment_id: str, amount: int, name: str = "r") -> str:
    """A refund that succeeded; result: its id."""
    status, body = house.say(orders.refund(payment_id, amount, f"{name}1"), f"{name}1")
    assert status == 201
    assert house.say(orders.approve(body["id"], f"{name}2"), f"{name}2")[0] == 200
    return str(body["id"])


def test_a_refund_of_the_same_day_nets_the_payout_and_is_no_break() -> None:
    """Two captures and a refund: three lines, all matched, nothing left between the accounts."""
    house, (first, second) = a_house(2)
    refund_id = refunded(house, first, 2000)
    house.settle()
    report = house.reconcile()
    assert (report["counts"]["matched"], report["breaks"]) == (3, [])
    paid = 2 * NET - 2000
    assert report["totals"]["USD"] == {
        "ledger": paid, "statement": paid, "bank": paid, "explained": 0, "unexplained": 0,
    }  # fmt: skip
    assert {house.state_of(first), house.state_of(second)} == {"settled"}
    assert house.balance("asset:bank") == paid
    assert house.balance("asset:providerA:receivable") == 0
    assert house.balance("asset:providerA:payout_in_transit") == 0
    assert house.balance("liability:refunds:in_transit") == 0
    assert house.balance("liability:m_001:available") == -(2 * (5000 - 200) - 2000)
    (entry,) = [e for e in house.entries if (e["data"] or {}).get("refund_id") == refund_id]
    assert (entry["type"], entry["ref"], entry["amount"]) == ("payment.settled", first, 0)
    must_be_sound(house)


def test_a_refund_after_the_settlement_takes_the_receivable_below_zero_for_a_day() -> None:
    """The next payout nets it; the report of the day before stays as it was."""
    house, (payment_id, _) = a_house(2)
    house.settle()
    house.reconcile()
    before = house.bytes_of(NEWEST)
    refunded(house, payment_id, 5000)
    assert house.balance("asset:providerA:receivable") == -5000
    house.clock.advance_business_ms(DAY_MS)
    house.run()
    house.settle("next")
    house.reconcile("next2")
    assert house.balance("asset:providerA:receivable") == 0
    assert house.balance("asset:providerA:payout_in_transit") == 0
    assert house.balance("asset:bank") == 2 * NET - 5000
    path = "data/reconciliation/reconciliation_report_2026-02-09.json"
    assert before
    assert all(one["breaks"] == [] for one in house.json(path))


def test_a_refund_in_doubt_is_no_break_and_is_settled_when_it_is_known() -> None:
    """The provider did it and kept silent: the line is explained, and booked when it tells."""
    house, (payment_id,) = a_house(1)
    house.drill(orders.drill("approve_then_hang", "refund"))
    refunded(house, payment_id, 2000)
    house.settle()
    report = house.reconcile()
    assert report["breaks"] == []
    assert report["totals"]["USD"]["explained"] == -2000
    house.wait(5_000)
    assert house.state.payments[payment_id].amount_refunded == 2000
    house.clock.advance_business_ms(DAY_MS)
    house.run()
    house.settle("next")
    house.reconcile("next2")
    assert house.balance("asset:providerA:receivable") == 0
    assert house.balance("asset:providerA:payout_in_transit") == 0


def test_a_refund_of_another_amount_is_told_and_settles_nothing() -> None:
    """The provider paid back a unit less than we ordered: a break with our place and theirs."""
    house, (payment_id,) = a_house(1)
    house.drill(orders.drill("wrong_amount", "refund"))
    refunded(house, payment_id, 2000)
    house.settle()
    (found,) = house.reconcile()["breaks"]
    assert (found["class"], found["difference"], found["capture_id"]) == ("amount", 1, None)
    assert found["ours"]["file"] == "data/ledger/refunds.jsonl"
    assert sum(posting["amount"] for posting in found["suggested_posting"]) == 0
    assert house.state_of(payment_id) == "captured"


def test_a_card_whose_refunds_are_pending_is_waited_for_without_doubt() -> None:
    """4000000000007726: processing for a minute of business time, asked about, then succeeded."""
    house, _ = a_house(0)
    token = house.tokenize("4000000000007726", "slow")
    house.run()
    payment_id = house.captured(token, "slow")
    refund_id = refunded(house, payment_id, 2000)
    house.wait(6_000)
    assert house.state.refunds[refund_id].state == "processing"
    house.clock.advance_business_ms(60_000)
    house.run()
    assert house.state.closed_refunds[refund_id].state == "succeeded"
    types = [entry["type"] for entry in house.entries]
    assert "payment.unknown" not in types
    must_be_sound(house)


def test_an_independent_reader_agrees(tmp_path: Path) -> None:
    """Statements, bank, ledger and reports of a day with refunds say the same to the auditor."""
    house, (first, second) = a_house(2)
    refunded(house, first, 2000)
    refunded(house, second, 5000, "s")
    house.settle()
    house.reconcile()
    found = audited(house, tmp_path)
    assert found.findings == []
    assert found.looked_at["settled"] == 4
