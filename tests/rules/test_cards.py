"""What digits tell, and how card numbers are found and hidden in text."""

import hashlib

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from payrail.domain.cards import (
    bin_of,
    bin_table,
    brand_of,
    country_of,
    cvc_length_ok,
    expiry_ok,
    find_pans,
    last4,
    luhn_digit,
    luhn_ok,
    mask_pans,
    pan_ok,
)

VISA = "4242424242424242"
AMEX = "378282246310005"
bounded = settings(max_examples=100, deadline=None)
digits = st.text("0123456789", min_size=12, max_size=18)
#: Numbers as a shop sends them: valid, beginning as cards do.
pans = st.builds(lambda first, rest: first + rest, st.sampled_from("23456789"), digits).map(
    lambda body: body[:18] + luhn_digit(body[:18])
)


@bounded
@given(digits)
def test_exactly_one_check_digit_is_right(body):
    """Of the ten numbers with one body, exactly one is valid: the one we compute."""
    assert [digit for digit in "0123456789" if luhn_ok(body + digit)] == [luhn_digit(body)]


@bounded
@given(pans, st.data())
def test_one_wrong_digit_is_noticed(number, data):
    """Mistyping any one digit makes a number invalid."""
    place = data.draw(st.integers(0, len(number) - 1))
    wrong = data.draw(st.sampled_from("0123456789"))
    assume(wrong != number[place])
    assert not luhn_ok(number[:place] + wrong + number[place + 1 :])


@pytest.mark.parametrize("text", ["", "4242 4242", "\uff14\uff12" * 8, "42x", "²²"])
def test_only_plain_digits_are_a_number(text):
    """Spaces, letters and digits of other scripts are no card number."""
    assert not luhn_ok(text)
    assert brand_of(text) == "unknown"
    with pytest.raises(ValueError, match="digits only"):
        luhn_digit(text)


@pytest.mark.parametrize("number", ["424242424242", "4" * 20, "4242424242424241"])
def test_too_short_too_long_or_mistyped_is_no_card(number):
    """A card number has 13 to 19 digits and the right last one."""
    assert not pan_ok(number)


@pytest.mark.parametrize(
    ("number", "brand"),
    [
        (VISA, "visa"),
        ("5555555555554444", "mastercard"),
        ("2221000000000009", "mastercard"),
        ("2720990000000007", "mastercard"),
        ("2721000000000000", "unknown"),
        ("5600000000000000", "unknown"),
        (AMEX, "amex"),
        ("341111111111111", "amex"),
        ("6011111111111117", "discover"),
        ("6450000000000000", "discover"),
        ("3056930009020004", "diners"),
        ("36227206271667", "diners"),
        ("3566002020360505", "jcb"),
        ("6200000000000005", "unionpay"),
        ("9999999999999995", "unknown"),
        ("2", "unknown"),
    ],
)
def test_brand_follows_from_the_first_digits(number, brand):
    """The network is known from the number alone."""
    assert brand_of(number) == brand


def test_bin_and_last4_are_what_may_be_kept():
    """Six digits in front and four behind."""
    assert (bin_of(VISA), last4(VISA)) == ("424242", "4242")


@pytest.mark.parametrize(
    ("brand", "cvc", "fits"),
    [
        ("visa", "123", True),
        ("visa", "1234", False),
        ("amex", "1234", True),
        ("amex", "123", False),
        ("unknown", "1234", True),
        ("unknown", "12", False),
        ("visa", "12a", False),
        ("visa", "\uff11\uff12\uff13", False),
        ("visa", "", False),
    ],
)
def test_cvc_has_the_length_of_its_brand(brand, cvc, fits):
    """Amex prints four digits, the others three."""
    assert cvc_length_ok(brand, cvc) is fits


@pytest.mark.parametrize(
    ("month", "year", "good"),
    [
        (2, 2026, True),
        (1, 2026, False),
        (12, 2025, False),
        (1, 2027, True),
        (0, 2027, False),
        (13, 2027, False),
        (2, 2046, True),
        (2, 2047, False),
    ],
)
def test_card_is_good_through_its_month(month, year, good):
    """Asked in February 2026: this month still is, the last one is not, nor is one in 21 years."""
    assert expiry_ok(month, year, now_year=2026, now_month=2) is good


def test_bin_table_agrees_with_the_brands():
    """Every row has six digits, its own brand, a country and a funding that we know."""
    assert len(bin_table()) > 30
    for row in bin_table().values():
        assert len(row.bin6) == 6
        assert brand_of(row.bin6) == row.brand
        assert len(row.country) == 2
        assert row.funding in {"credit", "debit", "prepaid"}


def test_country_comes_from_the_issuer():
    """An issuer's country is known, that of a stranger is not guessed."""
    assert country_of("424242") == "US"
    assert country_of("999999") is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (VISA, [VISA]),
        ("4242 4242 4242 4242", [VISA]),
        ("4242-4242-4242-4242", [VISA]),
        ("3782 822463 10005", [AMEX]),
        (f'{{"number":"{VISA}","cvc":"123"}}', [VISA]),
        (f"card={VISA},{AMEX};", [VISA, AMEX]),
        (f"tok_{VISA} card{VISA}x", [VISA, VISA]),
        ("order 12 4242 4242 4242 4242", [VISA]),
        ("4242424242424241", []),
        (f"{VISA}99999", []),
        ("1770638400123 1739102400006", []),
        ("0" * 16, []),
        ("2026-02-09 12:00:00.123", []),
        ("", []),
    ],
)
def test_card_numbers_are_found_in_text(text, found):
    """Plain, spaced and dashed numbers are found; times and longer runs are none."""
    assert find_pans(text) == found


def test_digits_of_a_hash_are_no_card():
    """A hash that happens to hold a valid run of digits is left alone."""
    hashed = f"abc{VISA}{hashlib.sha256(b'x').hexdigest()}"[:64].replace(VISA + "2", VISA + "e")
    assert find_pans(f"hash {hashed}") == []
    assert mask_pans(hashed) == hashed


@bounded
@given(
    pans,
    st.sampled_from(["", " ", "-"]),
    st.text('abc \n"{}:,.=é', max_size=20),
    st.text('abc \n"{}:,.=é', max_size=20),
)
def test_no_number_survives_the_mask(number, separator, before, after):
    """Whatever stands around it, a number is found, and after masking only its end is left."""
    groups = [number[index : index + 4] for index in range(0, len(number), 4)]
    text = before + separator.join(groups) + after
    assert number in find_pans(text)

    masked = mask_pans(text)

    assert find_pans(masked) == []
    assert masked == f"{before}{'*' * (len(number) - 4)}{last4(number)}{after}"


@bounded
@given(st.text("0123456789 -x", max_size=120))
def test_masking_always_ends_with_nothing_to_find(text):
    """A text of nearly only digits is masked completely, and once is enough."""
    masked = mask_pans(text)
    assert find_pans(masked) == []
    assert mask_pans(masked) == masked


def test_what_a_mask_leaves_does_not_join_into_a_number():
    """The four digits left of one number are hidden again when they complete another."""
    assert mask_pans("4242 " * 7) == f"{'*' * 12}{'*' * 12}4242 "
