"""Statements as files: the columns that people know, the same bytes each time, the same money."""

import csv
import io
from collections import Counter
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from payrail.domain.fees import PROVIDER_TARIFFS, provider_fee
from payrail.domain.money import half_even
from payrail.domain.settlement import bank, statements
from payrail.domain.settlement.lines import ChargeOf, StatementLine, major
from payrail.domain.timestamps import iso
from tests.rules.test_recon_files import SIGNS, line, rows

A, B = "providerA", "providerB"
GOLDEN = Path(__file__).parent / "golden"
DATE, CLOSED = "2026-02-09", {A: "2026-02-10T00:00:00.000Z", B: "2026-02-09T16:00:00.000Z"}
#: What an itemised payout reconciliation has, and settlement details have, in their order. A file
#: may have more: it is read by the names.
_A_KNOWN = """
automatic_payout_id automatic_payout_effective_at_utc balance_transaction_id created_utc
available_on_utc currency gross fee net reporting_category source_id description customer_id
payment_intent_id charge_id charge_created_utc payment_method_type card_brand card_funding
card_country
"""
_B_KNOWN = """
Company Account,Merchant Account,Psp Reference,Merchant Reference,Payment Method,Creation Date
TimeZone,Type,Modification Reference,Gross Currency,Gross Debit (GC),Gross Credit (GC)
Exchange Rate,Net Currency,Net Debit (NC),Net Credit (NC),Commission (NC),Markup (NC)
Scheme Fees (NC),Interchange (NC),Payment Method Variant,Modification Merchant Reference
Batch Number
"""
KNOWN = {A: _A_KNOWN.split(), B: _B_KNOWN.strip().replace("\n", ",").split(",")}
#: What each type of line is called there.
NAMES = {
    A: {
        "capture": "charge",
        "refund": "refund",
        "refund_failed": "refund_failure",
        "chargeback": "dispute",
        "chargeback_reversed": "dispute_reversal",
        "dispute_fee": "fee",
    },
    B: {
        "capture": "Settled",
        "refund": "Refunded",
        "refund_failed": "RefundedReversed",
        "chargeback": "Chargeback",
        "chargeback_reversed": "ChargebackReversed",
        "second_chargeback": "SecondChargeback",
        "dispute_fee": "Fee",
    },
}


def stated(provider: str, number: int, kind: str, amount: int, currency: str) -> StatementLine:
    """A line of that type, about a card that is a little different each time."""
    sign = SIGNS.get(kind, 1)
    fee = {
        "capture": provider_fee(provider, amount, currency),
        "chargeback": 1500,
        "chargeback_reversed": -1500,
        "dispute_fee": 1500,
    }.get(kind, 0)
    brand = ("visa", "mastercard", "amex")[number % 3]
    named = f"{'ABCDEFGH'[number % 8] * 15}{number % 6 + 2}"
    charge = ChargeOf(
        id=named if provider == B else f"ch_{named.lower()}",
        at="2026-02-09T11:00:00.000Z",
        brand=brand,
        funding=("credit", "debit", "prepaid")[number % 3],
        country="US",
    )
    return line(
        provider,
        amount,
        currency,
        type=kind,
        provider_reference=named[::-1] if provider == B else f"cp_{named[::-1].lower()}",
        reference=f"pi_{number:04d}.2",
        operation_id=f"cap_{number:04d}",
        gross=sign * amount,
        fee=fee,
        net=sign * amount - fee,
        occurred_at=iso(1_770_638_400_000 + number * 60_000),
        charge=charge,
    )


def a_day(provider: str) -> list[StatementLine]:
    """Each type once in dollars, and captures in yen and in dinars."""
    kinds = [*NAMES[provider], "capture", "capture"]
    codes = ["USD"] * len(NAMES[provider]) + ["JPY", "KWD"]
    return [
        stated(provider, number, kind, 5000 + 111 * number, code)
        for number, (kind, code) in enumerate(zip(kinds, codes, strict=True))
    ]


def file_of(provider: str, lines: list[StatementLine]) -> bytes:
    paid = bank.rows_of(lines, lines[0].batch_id, DATE)
    return statements.rendered(provider, lines, paid, CLOSED[provider])


def told(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode())))


@pytest.mark.parametrize("provider", [A, B])
def test_a_statement_is_the_golden_one_to_the_byte(provider: str) -> None:
    """Whoever keeps a parser of these files sees each change of them here."""
    assert file_of(provider, a_day(provider)) == (GOLDEN / f"{provider}.csv").read_bytes()


@pytest.mark.parametrize("provider", [A, B])
def test_the_golden_file_says_the_same_money(provider: str) -> None:
    """Read off the file as it lies there, by the names of its columns."""
    data = (GOLDEN / f"{provider}.csv").read_bytes()
    seen = list(statements.read(provider, "golden.csv", rows(data)))
    assert [(one.key, one.gross, one.fee, one.net, one.currency) for one in seen] == [
        (one.key, one.gross, one.fee, one.net, one.currency) for one in a_day(provider)
    ]
    paid = list(statements.payouts(provider, "golden.csv", rows(data)))
    assert paid == bank.rows_of(a_day(provider), f"{provider}-{DATE}-01", DATE)


@pytest.mark.parametrize("provider", [A, B])
def test_the_columns_are_those_that_people_know(provider: str) -> None:
    """All of them, in their order; what is ours stands between or behind."""
    columns = statements.A_COLUMNS if provider == A else statements.B_COLUMNS
    assert [name for name in columns if name in KNOWN[provider]] == KNOWN[provider]


@pytest.mark.parametrize("provider", [A, B])
def test_types_are_called_as_their_provider_calls_them(provider: str) -> None:
    """And the payouts stand last, one for each currency."""
    column = "reporting_category" if provider == A else "Type"
    found = [row[column] for row in told(file_of(provider, a_day(provider)))]
    usual = list(NAMES[provider].values())
    payout = "payout" if provider == A else "MerchantPayout"
    captured = NAMES[provider]["capture"]
    assert found == [*usual, captured, captured, payout, payout, payout]


KINDS = st.sampled_from(sorted({*SIGNS, "capture"} - {"capture_reversed"}))
LINES = st.lists(
    st.tuples(KINDS, st.integers(1, 99_999_999), st.sampled_from(["USD", "JPY", "KWD", "EUR"])),
    min_size=1,
    max_size=12,
)


@given(st.sampled_from([A, B]), LINES)
def test_a_file_is_read_as_the_money_that_was_written(
    provider: str, drawn: list[tuple[str, int, str]]
) -> None:
    """Line by line and sum by sum; with its payouts, a file comes to nothing in each currency."""
    lines = [
        stated(provider, n, kind, amount, code) for n, (kind, amount, code) in enumerate(drawn)
    ]
    data = file_of(provider, lines)
    seen = list(statements.read(provider, "s.csv", rows(data)))
    assert [(o.type, o.gross, o.fee, o.net) for o in seen] == [
        (o.type, o.gross, o.fee, o.net) for o in lines
    ]
    left: Counter[str] = Counter()
    for one in seen:
        left[one.currency] += one.net
    for row in statements.payouts(provider, "s.csv", rows(data)):
        left[row.currency] -= row.amount
    assert not any(left.values())


@given(LINES)
def test_net_is_gross_less_fee_on_every_row_of_the_first(drawn: list[tuple[str, int, str]]) -> None:
    """In the file's own numbers, payouts among them."""
    lines = [stated(A, number, *one) for number, one in enumerate(drawn)]
    for row in told(file_of(A, lines)):
        assert Decimal(row["net"]) == Decimal(row["gross"]) - Decimal(row["fee"])


@given(st.integers(1, 99_999_999), st.sampled_from(["USD", "JPY", "KWD"]))
def test_the_parts_of_the_seconds_fee_add_up_to_it(amount: int, currency: str) -> None:
    """Interchange and scheme fees by their shares, the fixed part as commission, then markup."""
    one = stated(B, 0, "capture", amount, currency)
    (row, *_) = told(file_of(B, [one]))
    parts = [
        Decimal(row[f"{name} (NC)"])
        for name in ("Commission", "Markup", "Scheme Fees", "Interchange")
    ]
    assert sum(parts) == Decimal(major(one.fee, currency))
    assert row["Interchange (NC)"] == major(half_even(amount, 100), currency)
    assert row["Scheme Fees (NC)"] == major(half_even(amount, 12), currency)
    assert dict(PROVIDER_TARIFFS[B].shares)["interchange"] == 100


def test_money_of_the_first_may_be_available_on_another_day_than_it_is_paid() -> None:
    """The line says so in a column of its own; the second's file has none, and is the same."""
    one, late = stated(A, 0, "capture", 5000, "USD"), "2026-02-10"
    data = file_of(A, [msgspec.structs.replace(one, available_on=late)])
    days = [row["available_on_utc"] for row in told(data)]
    assert days == [f"{late} 00:00:00", f"{DATE} 00:00:00"]
    assert next(statements.read(A, "s.csv", rows(data))).value_date == DATE
    other = stated(B, 0, "capture", 5000, "USD")
    assert file_of(B, [msgspec.structs.replace(other, available_on=late)]) == file_of(B, [other])


@pytest.mark.parametrize(
    ("at", "written", "zone"),
    [
        ("2026-03-29T00:59:59.000Z", "2026-03-29 01:59:59.000", "CET"),
        ("2026-03-29T01:00:00.000Z", "2026-03-29 03:00:00.000", "CEST"),
        ("2026-10-25T00:30:00.000Z", "2026-10-25 02:30:00.000", "CEST"),
        ("2026-10-25T01:30:00.000Z", "2026-10-25 02:30:00.000", "CET"),
    ],
)
def test_times_of_the_second_are_in_its_zone_also_when_clocks_change(
    at: str, written: str, zone: str
) -> None:
    """The hour that is skipped, and the one that comes twice; both come back as they were."""
    data = file_of(B, [line(B, occurred_at=at)])
    (row, _) = told(data)
    assert (row["Creation Date"], row["TimeZone"]) == (written, zone)
    assert next(statements.read(B, "s.csv", rows(data))).occurred_at == at


def test_what_comes_to_nothing_or_less_is_paid_as_that() -> None:
    """No payout of nothing; what we owe is collected, with its sign turned."""
    back = stated(A, 1, "refund", 5000, "USD")
    (paid,) = statements.payouts(A, "s.csv", rows(file_of(A, [back])))
    assert paid.amount == -5000
    taken = line(A, type="capture_reversed", gross=0, fee=0, net=0)
    assert list(statements.payouts(A, "s.csv", rows(file_of(A, [taken])))) == []
