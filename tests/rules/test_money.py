"""Amounts, currencies, shares and tariffs."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payrail.domain import fees
from payrail.domain.money import (
    AMOUNT_MINOR_MAX,
    check_amount,
    exponent,
    format_minor,
    half_even,
)

amounts = st.integers(1, AMOUNT_MINOR_MAX)
bounded = settings(max_examples=100, deadline=None)


@pytest.mark.parametrize(("currency", "places"), [("JPY", 0), ("USD", 2), ("EUR", 2), ("KWD", 3)])
def test_exponent_is_that_of_iso_4217(currency, places):
    """A currency has as many decimal places as ISO 4217 gives it."""
    assert exponent(currency) == places


@pytest.mark.parametrize(
    "currency", ["XAU", "XXX", "CLF", "UYW", "usd", "US", "", "\uff35\uff33\uff24", "ZZZ"]
)
def test_currency_that_cannot_be_charged_is_refused(currency):
    """Gold, funds codes with 4 places and words that are no code are refused with the remedy."""
    with pytest.raises(ValueError, match="ISO 4217 code with 0, 2 or 3"):
        exponent(currency)


def test_refusal_does_not_repeat_what_was_typed():
    """A card number that was typed as a currency does not come back in the error."""
    with pytest.raises(ValueError, match="ISO 4217") as refusal:
        exponent("4242424242424242")

    assert "4242" not in str(refusal.value)


@pytest.mark.parametrize("amount", [1, 1099, AMOUNT_MINOR_MAX])
def test_amount_within_bounds_is_taken(amount):
    """One minor unit and the largest amount are both fine."""
    check_amount(amount)


@pytest.mark.parametrize("amount", [0, -1, AMOUNT_MINOR_MAX + 1, True, 10.99, 10.0, "1099", None])
def test_amount_out_of_bounds_or_not_whole_is_refused(amount):
    """Zero, negatives, floats, booleans and text are no amounts."""
    with pytest.raises(ValueError, match="an amount is"):
        check_amount(amount)


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        (1099, "USD", "10.99 USD"),
        (5, "EUR", "0.05 EUR"),
        (-5, "EUR", "-0.05 EUR"),
        (-1099, "USD", "-10.99 USD"),
        (500, "JPY", "500 JPY"),
        (1234, "KWD", "1.234 KWD"),
        (0, "USD", "0.00 USD"),
    ],
)
def test_amounts_are_shown_in_major_units(amount, currency, shown):
    """People read major units with the currency behind."""
    assert format_minor(amount, currency) == shown


@pytest.mark.parametrize(
    ("amount", "basis_points", "share"),
    [(50, 100, 0), (150, 100, 2), (250, 100, 2), (251, 100, 3), (-150, 100, -2), (-250, 100, -2)],
)
def test_half_a_unit_goes_to_the_even_one(amount, basis_points, share):
    """A tie is rounded to the even minor unit, on both sides of zero."""
    assert half_even(amount, basis_points) == share


@bounded
@given(st.integers(-AMOUNT_MINOR_MAX, AMOUNT_MINOR_MAX), st.integers(0, 10_000))
def test_share_is_what_exact_arithmetic_says(amount, basis_points):
    """A share equals the exact fraction rounded half to even, for every amount and rate."""
    assert half_even(amount, basis_points) == round(Fraction(amount * basis_points, 10_000))


@bounded
@given(amounts, st.sampled_from(["JPY", "USD", "KWD"]))
def test_tariffs_are_a_share_and_a_fixed_part(amount, currency):
    """No tariff loses its fixed part, and a larger capture never costs less."""
    for tariff in (fees.PROVIDER_A, fees.PROVIDER_B, fees.MERCHANT):
        fixed = tariff.fixed_minor[exponent(currency)]
        assert fixed <= tariff.fee(amount, currency) <= tariff.fee(amount + 1, currency)


def test_tariffs_of_a_hundred_dollars():
    """100.00 USD costs 3.20 at A and 1.39 at B, and is sold for 3.70."""
    assert fees.provider_fee("providerA", 10_000, "USD") == 320
    assert fees.provider_fee("providerB", 10_000, "USD") == 139
    assert fees.merchant_fee(10_000, "USD") == 370
