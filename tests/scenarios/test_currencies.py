"""Currencies with 0, 2 and 3 decimal places side by side: each sums to zero, from hold to bank."""

from collections import defaultdict
from pathlib import Path

import pytest

from actors.gateway.fee_rules import DEFAULT, read_fee_rules
from actors.gateway.settings import Rules
from actors.reconciler.inputs import Ledger
from actors.simulation import orders
from actors.simulation.settled import SettledHouse
from actors.simulation.sound import must_be_sound
from payrail.domain.fees import merchant_fee, provider_fee
from payrail.domain.settlement.ours import captures
from tests.scenarios.audited import audited

AMOUNTS = {"JPY": 5000, "USD": 5001, "KWD": 5125}
#: Half of it and an odd unit, so that something is left to round.
REFUNDED = {"JPY": 1999, "USD": 2001, "KWD": 2003}


@pytest.fixture(scope="module")
def house() -> SettledHouse:
    """One capture in each currency; a refund of a part; settled and reconciled."""
    house = SettledHouse()
    house.start()
    token = house.card()
    for currency, amount in AMOUNTS.items():
        payment_id = house.captured(token, currency, amount, currency=currency)
        order = orders.refund(payment_id, REFUNDED[currency], f"{currency}_refund")
        _, refund = house.say(order, f"{currency}_refund")
        approved = orders.approve(refund["id"], f"{currency}_approve")
        assert house.say(approved, f"{currency}_approve")[0] == 200
    house.settle()
    house.reconcile()
    return house


def sums(house: SettledHouse) -> dict[str, dict[str, int]]:
    """Minor units by currency and account, debit positive."""
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for entry in house.entries:
        for posting in entry["postings"]:
            found[posting["currency"]][posting["account"]] += posting["amount"]
    return found


def test_each_currency_sums_to_zero(house: SettledHouse):
    """No posting borrows from another currency."""
    found = sums(house)

    assert set(found) == set(AMOUNTS)
    assert {
        currency: sum(accounts.values()) for currency, accounts in found.items()
    } == dict.fromkeys(AMOUNTS, 0)


@pytest.mark.parametrize("currency", AMOUNTS)
def test_fees_payout_and_what_is_owed_are_in_minor_units_of_the_currency(
    house: SettledHouse, currency: str
):
    """The bank has the capture less the provider's fee and the refund; the merchant's part is less
    our own fee."""
    accounts = sums(house)[currency]
    amount, refund = AMOUNTS[currency], REFUNDED[currency]
    cost, price = provider_fee("providerA", amount, currency), merchant_fee(amount, currency)

    assert accounts["asset:bank"] == amount - cost - refund
    assert accounts["expense:providerA:fee"] == cost
    assert accounts["income:gateway_fee"] == -price
    assert accounts["liability:m_001:available"] == -(amount - price - refund)
    for account in ("asset:providerA:receivable", "asset:providerA:payout_in_transit"):
        assert accounts[account] == 0
    assert accounts["liability:m_001:pending"] == 0


def test_the_report_has_a_total_for_each_and_nothing_unexplained(house: SettledHouse):
    """Three captures and three refunds, all matched."""
    report = house.report()

    assert (report["counts"]["matched"], report["breaks"]) == (6, [])
    for currency, total in report["totals"].items():
        amount = AMOUNTS[currency] - REFUNDED[currency]
        net = amount - provider_fee("providerA", AMOUNTS[currency], currency)
        assert total == {
            "ledger": net, "statement": net, "bank": net, "explained": 0, "unexplained": 0,
        }  # fmt: skip
    assert set(report["totals"]) == set(AMOUNTS)


def test_the_bank_and_the_statement_spell_amounts_as_their_currency_does(house: SettledHouse):
    """Yen have no decimal places, dinars three."""
    paths = [path for path in house.fs.disk.names if path.endswith(".csv") and "/bank_" in path]
    text = b"".join(house.bytes_of(path) for path in paths).decode()
    nets = {c: AMOUNTS[c] - REFUNDED[c] - provider_fee("providerA", AMOUNTS[c], c) for c in AMOUNTS}

    for spelled in (
        f"{nets['JPY']}",
        f"{nets['USD'] // 100}.{nets['USD'] % 100:02}",
        f"{nets['KWD'] // 1000}.{nets['KWD'] % 1000:03}",
    ):
        assert f",{spelled}," in text or f",{spelled}\n" in text or f",{spelled}\r" in text, text


def test_an_independent_reader_agrees(house: SettledHouse, tmp_path: Path):
    """Ledger, truth, statements and reports say the same in each currency."""
    must_be_sound(house)
    found = audited(house, tmp_path)

    assert found.findings == []
    assert found.looked_at["settled"] == 6


def test_a_cost_that_is_not_what_the_provider_charges_is_a_break_of_its_fee():
    """fees.toml expects 2.5 %, the provider keeps 2.9 %: the report says where and how much."""
    cheaper = DEFAULT.replace(b"basis_points = 290", b"basis_points = 250")
    house = SettledHouse(rules=Rules(fees=read_fee_rules(cheaper)))
    house.start()
    payment_id = house.captured(house.card(), "p", 5000)
    house.settle()
    (found,) = house.reconcile()["breaks"]

    assert (found["class"], found["payment_id"], found["difference"]) == ("fee", payment_id, -20)
    assert house.state_of(payment_id) == "captured"
    must_be_sound(house)


def test_a_prefix_that_ends_before_the_fee_takes_it_from_the_line_behind():
    """What was booked is what is expected, also at the edge of a day."""
    cheaper = DEFAULT.replace(b"basis_points = 290", b"basis_points = 250")
    house = SettledHouse(rules=Rules(fees=read_fee_rules(cheaper)))
    house.start()
    house.captured(house.card(), "p", 5000)
    path = "data/ledger/payments.jsonl"
    book = house.bytes_of(path)
    end = book.index(b"\n", book.index(b'"type":"payment.captured"')) + 1
    ledger = Ledger(house.fs, end)
    (ours,) = captures(ledger.lines(), ledger.beyond()).values()
    (alone,) = captures(ledger.lines()).values()

    assert b'"type":"fee.charged"' in book[end:]
    assert (ours.fee, alone.fee) == (155, 175)
