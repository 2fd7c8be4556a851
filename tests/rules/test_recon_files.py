"""Statements, bank files and cut-offs: what is written can be read, and damage is named by line."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payrail.domain.fees import provider_fee
from payrail.domain.settlement import bank, merged, statements
from payrail.domain.settlement.cutoffs import (
    date_of,
    from_local,
    local_text,
    next_cut_off_ms,
    overdue_ms,
)
from payrail.domain.settlement.lines import StatementDamaged, StatementLine, major, minor
from payrail.domain.timestamps import iso, parse_iso
from payrail.domain.words.settlement import BankRow

A, B = "providerA", "providerB"


#: Sign of the gross, by type; a fee alone has none.
SIGNS = {
    "refund": -1,
    "refund_failed": 1,
    "chargeback": -1,
    "chargeback_reversed": 1,
    "second_chargeback": -1,
    "dispute_fee": 0,
    "capture_reversed": 1,
}


def line(provider: str = A, amount: int = 5000, currency: str = "USD", **more) -> StatementLine:
    fee = provider_fee(provider, amount, currency)
    fields = {
        "file": "s.csv",
        "line": 2,
        "provider": provider,
        "batch_id": f"{provider}-2026-02-09-01",
        "provider_reference": "pc_abc",
        "reference": "pi_abc.2",
        "operation_id": "cap_abc",
        "merchant_id": "m_001",
        "type": "capture",
        "currency": currency,
        "gross": amount,
        "fee": fee,
        "net": amount - fee,
        "occurred_at": "2026-02-09T12:00:00.123Z",
        "value_date": "2026-02-09",
    }
    return StatementLine(**{**fields, **more})


def read(provider: str, data: bytes) -> list[StatementLine]:
    return list(statements.read(provider, "s.csv", rows(data)))


def rows(data: bytes) -> Iterator[bytes]:
    yield from data.split(b"\n")[:-1]


@pytest.mark.parametrize("provider", [A, B])
@given(
    st.integers(1, 99_999_999),
    st.sampled_from(["USD", "JPY", "KWD", "EUR"]),
    st.sampled_from(sorted({*SIGNS, "capture"})),
    st.integers(0, 4_000_000_000_000),
)
def test_a_statement_is_read_as_it_was_written(
    provider: str, amount: int, currency: str, kind: str, at_ms: int
) -> None:
    """Both formats, every exponent, every type, summer and winter, to the millisecond."""
    sign = SIGNS.get(kind, 1)
    one = line(provider, amount, currency, type=kind, occurred_at=iso(at_ms))
    fee = {"capture": one.fee, "refund": 0, "chargeback_reversed": -1500}.get(kind, 1500)
    one = line(
        provider,
        amount,
        currency,
        type=kind,
        occurred_at=iso(at_ms),
        gross=sign * amount,
        fee=fee,
        net=sign * amount - fee,
    )
    assert read(provider, statements.rendered(provider, [one])) == [one]


@pytest.mark.parametrize("provider", [A, B])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"50.00", b"NaN"),
        (b"50.00", b"1e400"),
        (b"50.00", b"9" * 40),
        (b"USD", b"XAU"),
        (b"m_001", b"m\xff01"),
        (b"pc_abc", b"pc\0bc"),
        (b"pc_abc", b'"pc_abc'),
        (b"pc_abc", b"pc_abc,more"),
        (b"pc_abc", b"p" * 5_000),
        (b"2026-02-09", b"2026-02-30"),
        (b"50.00", b"50.001"),
    ],
)
def test_damage_is_named_with_its_line(provider: str, old: bytes, new: bytes) -> None:
    """A hostile or broken line never gets through, and the error names file and line."""
    good = statements.rendered(provider, [line(provider), line(provider)])
    head, first, second = good.split(b"\n")[:3]
    code = b"usd" if provider == A and old == b"USD" else old
    bad = second.replace(code, new)
    if bad == second:
        pytest.skip("this format has no such text")
    with pytest.raises(StatementDamaged, match=r"s\.csv:3: "):
        read(provider, b"\n".join([head, first, bad]) + b"\n")


@pytest.mark.parametrize("provider", [A, B])
def test_columns_are_known_by_name(provider: str) -> None:
    """More columns in another order change nothing; one that is missing is named."""
    good = statements.rendered(provider, [line(provider)]).decode().splitlines()
    turned = "\n".join(",".join(["x", *row.split(",")[::-1]]) for row in good) + "\n"
    assert read(provider, turned.encode()) == [line(provider)]

    name = "gross" if provider == A else "Batch Number"
    with pytest.raises(StatementDamaged, match=name):
        read(provider, statements.rendered(provider, []).replace(name.encode(), b"other"))
    with pytest.raises(StatementDamaged, match="empty"):
        read(provider, b"")


def test_the_fee_of_the_second_provider_is_the_sum_of_its_parts() -> None:
    """Interchange, scheme fees, markup and commission: rounded once, as our tariff is."""
    for amount in (1, 99, 1099, 5000, 123_457):
        one = line(B, amount)
        (seen,) = read(B, statements.rendered(B, [one]))
        assert seen.fee == provider_fee(B, amount, "USD")


def test_the_bank_pays_what_the_statement_says() -> None:
    """One line for each batch and currency, with the batch as its reference."""
    lines = [line(), line(amount=700), line(amount=900, currency="JPY")]
    paid = bank.rows_of(lines, "providerA-2026-02-09-01", "2026-02-09")
    seen = list(bank.read("bank.csv", rows(bank.rendered(A, paid))))
    assert [row for _, row in seen] == paid
    assert paid[0] == BankRow(
        "2026-02-09",
        sum(one.net for one in lines if one.currency == "JPY"),
        "JPY",
        paid[0].reference,
    )
    with pytest.raises(StatementDamaged, match=r"b\.csv:2"):
        list(bank.read("b.csv", rows(b"value_date,amount,currency,reference\n1,2,USD,x\n")))


def test_the_settlement_file_has_the_columns_of_the_contract() -> None:
    """Minor units, signed, sorted by batch, reference and type."""
    two = line(provider_reference="pc_aaa", reference="pi_aaa.2")
    data, count = merged.rendered([("b1", line()), ("b1", two), ("a9", line(B))])
    head, *lines = data.decode().splitlines()
    assert head == (
        "payment_id,operation_id,type,provider,provider_reference,merchant_id,currency,gross,fee,"
        "net,occurred_at,batch_id,value_date"
    )
    assert (count, [row.split(",")[4] for row in lines]) == (3, ["pc_abc", "pc_aaa", "pc_abc"])
    assert lines[1].startswith("pi_aaa,cap_abc,capture,providerA,pc_aaa,m_001,USD,5000,175,4825,")


@pytest.mark.parametrize(
    ("provider", "after", "then"),
    [
        (A, "2026-02-09T12:00:00.000Z", "2026-02-10T00:00:00.000Z"),
        (A, "2026-02-10T00:00:00.000Z", "2026-02-11T00:00:00.000Z"),
        (B, "2026-02-09T12:00:00.000Z", "2026-02-09T16:00:00.000Z"),
        (B, "2026-02-09T16:00:00.000Z", "2026-02-10T16:00:00.000Z"),
        (B, "2026-02-09T15:59:59.999Z", "2026-02-09T16:00:00.000Z"),
        # Amsterdam goes to summer time on 29 March 2026, and back on 25 October.
        (B, "2026-03-28T16:00:00.000Z", "2026-03-29T15:00:00.000Z"),
        (B, "2026-03-29T15:00:00.000Z", "2026-03-30T15:00:00.000Z"),
        (B, "2026-10-24T15:00:00.000Z", "2026-10-25T16:00:00.000Z"),
    ],
)
def test_a_batch_ends_at_the_providers_own_time(provider: str, after: str, then: str) -> None:
    """Midnight UTC, or five in the afternoon in Amsterdam, also when clocks change there."""
    assert iso(next_cut_off_ms(provider, parse_iso(after))) == then


@given(st.sampled_from([A, B]), st.integers(1_600_000_000_000, 2_000_000_000_000))
def test_a_day_has_one_cut_off_and_a_batch_the_date_of_its_last_moment(
    provider: str, at_ms: int
) -> None:
    """Cut-offs are 23 to 25 hours apart, each closes another date, and what is late is late a day
    after its own cut-off."""
    first = next_cut_off_ms(provider, at_ms)
    second = next_cut_off_ms(provider, first)
    assert 23 * 3_600_000 <= second - first <= 25 * 3_600_000
    assert date_of(provider, first) < date_of(provider, second)
    assert overdue_ms(provider, at_ms) - first == 24 * 3_600_000


def test_the_hour_that_comes_twice_is_told_by_its_zone() -> None:
    """02:30 on 25 October 2026 is two moments in Amsterdam."""
    for at in ("2026-10-25T00:30:00.250Z", "2026-10-25T01:30:00.250Z"):
        assert iso(from_local(B, *local_text(B, at))) == at


@given(st.integers(-(10**12), 10**12), st.sampled_from(["JPY", "USD", "KWD"]))
def test_major_units_keep_every_minor_unit(amount: int, currency: str) -> None:
    """No float comes near an amount."""
    assert minor(major(amount, currency), currency) == amount
