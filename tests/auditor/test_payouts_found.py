"""The auditor finds every wrong payout that is planted, and cries wolf over none."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.auditor import handmade as hand
from tests.auditor.audit import audit
from tests.auditor.handmade import Fields, House

AVAILABLE, TRANSIT = "liability:m_001:available", "liability:m_001:payout_in_transit"
COLUMNS = ("payout_id", "merchant_id", "currency", "amount", "state")
CHECKS = ("merchant payouts", "payout files")


def moved(seq: int, kind: str, ref: str, amount: int, debit: str, credit: str) -> Fields:
    entry = hand.entry(seq, kind, ref, amount, value_date="2026-02-10", date="2026-02-09")
    postings = [(debit, amount), (credit, -amount)]
    entry["postings"] = [{"account": a, "amount": m, "currency": "USD"} for a, m in postings]
    return entry


def made(seq: int, ref: str = "po_1", amount: int = 900) -> Fields:
    return moved(seq, "payout.created", ref, amount, AVAILABLE, TRANSIT)


def paid(seq: int, ref: str = "po_1", amount: int = 900) -> Fields:
    return moved(seq, "payout.paid", ref, amount, TRANSIT, "asset:bank")


def a_house(*more: Fields) -> House:
    """900 are available, then these entries follow."""
    house = House()
    owed = moved(9, "provider.owed", "providerA", 900, "asset:other", AVAILABLE)
    for entry in (owed, *more):
        house.books[hand.PAYMENTS].append(entry)
        event = {"seq": entry["seq"], "id": entry["event_id"], "type": entry["type"], "data": {}}
        house.books[hand.OUTBOX].append(event)
    return house


def found(folder: Path, house: House, *rows: tuple[str, str, str]) -> set[str]:
    """What the auditor says of payouts; `rows` are (payout, amount, state) of the day's file."""
    home = folder / "home"
    home.mkdir()
    house.write(home, None)
    path = home / "data/settlement/payouts_2026-02-09.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows((ref, "m_001", "USD", amount, state) for ref, amount, state in rows)
    return {one.message for one in audit(home).findings if one.check in CHECKS}


def test_a_payout_as_it_should_be_is_no_finding(tmp_path: Path):
    """Made, paid, and told of once."""
    assert found(tmp_path, a_house(made(10), paid(11)), ("po_1", "900", "paid")) == set()


@pytest.mark.parametrize(
    ("house", "rows", "says"),
    [
        (
            lambda: a_house(made(10), made(11, "po_2", 100)),
            [("po_1", "900", "in_transit"), ("po_2", "100", "in_transit")],
            "po_2: 100 more than was available",
        ),
        (
            lambda: a_house(made(10), paid(11), paid(12)),
            [("po_1", "900", "paid")],
            "po_1: payout.paid cannot follow paid",
        ),
        (
            lambda: a_house(made(10), paid(11, amount=800)),
            [("po_1", "900", "paid")],
            "po_1: merchant, currency or amount differ from when it was made",
        ),
        (lambda: a_house(made(10)), [], "po_1 stands in 0 files"),
        (
            lambda: a_house(made(10)),
            [("po_1", "900", "paid")],
            "po_1: ('paid', '900', '2026-02-09') told, the ledger has in_transit 900",
        ),
    ],
)
def test_what_cannot_be_true_of_a_payout_is_found(
    tmp_path: Path, house: Callable[[], House], rows: list[tuple[str, str, str]], says: str
):
    """Paid twice, paid too much, told otherwise."""
    assert says in found(tmp_path, house(), *rows)
