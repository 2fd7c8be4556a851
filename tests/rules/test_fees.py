"""fees.toml: shares and fixed parts, by currency, card and merchant; rounded once, to the even."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.gateway.fee_rules import DEFAULT, PATH, read_fee_rules
from payrail.domain.fees import (
    PROVIDER_TARIFFS,
    STANDARD,
    FeeTable,
    Interchange,
    Price,
    Tariff,
    merchant_fee,
    provider_fee,
)
from payrail.domain.money import AMOUNT_MINOR_MAX
from payrail.errors import BadRules

A, B = "providerA", "providerB"
AMOUNTS = st.integers(1, AMOUNT_MINOR_MAX)
CURRENCIES = st.sampled_from(["JPY", "USD", "EUR", "KWD"])
DEBIT, CREDIT = "400005", "424242"


def read(text: str) -> FeeTable:
    return read_fee_rules(text.encode())


def test_the_default_file_says_what_is_booked_without_one():
    """Whoever never opens it pays what is written in it."""
    table = read(DEFAULT.decode())

    assert table.merchant.tariff.basis_points == 340
    for currency in ("JPY", "USD", "KWD"):
        for amount in (1, 50, 1099, 5000, 99_999_999):
            assert table.merchant_fee("m_001", amount, currency) == merchant_fee(amount, currency)
            for name in (A, B):
                real = provider_fee(name, amount, currency)
                assert table.provider_fee(name, amount, currency, CREDIT) == real
    assert table.disputes == STANDARD.disputes


@given(AMOUNTS, CURRENCIES, st.integers(0, 10_000), st.integers(0, 500))
def test_a_fee_is_the_share_to_the_even_minor_unit_and_the_fixed_part(
    amount: int, currency: str, points: int, fixed: int
):
    """At a tie the even neighbour; never more than half a minor unit off."""
    price = Price(Tariff("t", (("t", points),), {0: fixed, 2: fixed, 3: fixed}))
    share = price.fee(amount, currency) - fixed
    exact = Fraction(amount * points, 10_000)

    assert share == round(exact)  # Python's own rounding is half-even
    assert abs(share - exact) <= Fraction(1, 2)


@given(AMOUNTS, AMOUNTS, CURRENCIES)
def test_more_never_costs_less(one: int, other: int, currency: str):
    """A fee grows with the capture, at every provider and for every merchant."""
    small, large = sorted((one, other))

    assert STANDARD.merchant_fee("m", small, currency) <= STANDARD.merchant_fee(
        "m", large, currency
    )
    for name in PROVIDER_TARIFFS:
        low, high = (STANDARD.provider_fee(name, amount, currency) for amount in (small, large))
        assert 0 < low <= high


@pytest.mark.parametrize(("currency", "fee"), [("JPY", 64), ("USD", 64), ("KWD", 124)])
def test_the_fixed_part_is_by_decimal_places(currency: str, fee: int):
    """30 yen, 0.30 dollars, 0.090 dinars, beside 3.4 % of 1000 minor units."""
    assert STANDARD.merchant_fee("m_001", 1000, currency) == fee


def test_a_currency_may_have_a_fixed_part_of_its_own():
    """It goes before that of its decimal places."""
    text = DEFAULT.decode().replace("{ decimals_0 = 30,", "{ EUR = 25, decimals_0 = 30,")

    assert read(text).provider_fee(A, 10_000, "EUR") == 315
    assert read(text).provider_fee(A, 10_000, "USD") == 320


def test_a_merchant_may_have_a_price_of_its_own():
    """Everybody else pays the common one."""
    own = "\n[merchants.m_002]\nbasis_points = 100\n"
    own += "fixed = {decimals_0 = 0, decimals_2 = 0, decimals_3 = 0}"
    table = read(DEFAULT.decode() + own)

    assert table.merchant_fee("m_002", 10_000, "USD") == 100
    assert table.merchant_fee("m_001", 10_000, "USD") == 370
    assert table.merchant_fee(None, 10_000, "USD") == 370


def test_interchange_is_by_card():
    """The first row that fits takes the place of the common one; markup and scheme stay."""
    rows = """
[[providerB.interchange]]
brand = ["visa"]
funding = ["debit"]
country = ["US"]
basis_points = 20
[[providerB.interchange]]
brand = ["amex"]
basis_points = 250
"""
    table = read(DEFAULT.decode() + rows)

    assert table.provider_fee(B, 10_000, "USD", DEBIT) == 20 + 12 + 15 + 12
    assert table.provider_fee(B, 10_000, "USD", CREDIT) == 139
    assert table.provider_fee(B, 10_000, "USD", "378282") == 250 + 12 + 15 + 12
    assert Interchange(5).fits("000000")


def test_a_chargeback_has_a_price_by_currency():
    """1500 cents, and a standard for currencies that are not in the file."""
    table = read(DEFAULT.decode().replace("USD = 1500", "USD = 2500"))

    assert (table.dispute_fee("USD"), table.dispute_fee("CHF")) == (2500, 1500)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("basis_points = 290", "basis_points = 2.9", "line 9: providerA.basis_points: "),
        ("basis_points = 340", "basis_points = -1", "merchant.basis_points: "),
        ("markup_basis_points = 15", "", "line 14: providerB: needs either basis_points"),
        ("basis_points = 290", "basis_points = 290\nscheme_basis_points = 1", "needs either"),
        (", decimals_3 = 90 }", " }", "fixed needs decimals_0, decimals_2, decimals_3"),
        ("USD = 1500", "XXX = 1500", "disputes.XXX"),
        ("[providerA]", "[providerC]", "providerC: is not known here"),
    ],
)
def test_a_file_that_cannot_be_used_names_line_field_and_remedy(old: str, new: str, told: str):
    """A price that somebody did not mean is booked for nobody."""
    text = DEFAULT.decode()
    assert old in text
    with pytest.raises(BadRules) as refused:
        read(text.replace(old, new, 1))

    assert told in str(refused.value)
    assert str(refused.value).startswith(f"{PATH}: line ")
