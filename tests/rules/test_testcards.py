"""The documented test cards."""

import pytest

from payrail.domain.cards import bin_of, country_of, pan_ok
from payrail.domain.testcards import TEST_CARDS, Challenge, Later, outcome_for


@pytest.mark.parametrize(
    ("number", "code", "decline_code"),
    [
        ("4000000000000002", "card_declined", "generic_decline"),
        ("4000000000009995", "card_declined", "insufficient_funds"),
        ("4000000000009987", "card_declined", "lost_card"),
        ("4000000000009979", "card_declined", "stolen_card"),
        ("4000000000006975", "card_declined", "card_velocity_exceeded"),
        ("4000000000000069", "expired_card", "expired_card"),
        ("4000000000000127", "incorrect_cvc", "incorrect_cvc"),
        ("4000000000000119", "processing_error", "processing_error"),
        ("4242424242424241", "incorrect_number", "incorrect_number"),
        ("4000000000000341", "card_declined", "card_declined"),
        ("4100000000000019", "card_declined", "fraudulent"),
        ("4000008400001629", "card_declined", "generic_decline"),
    ],
)
def test_declining_cards_decline_as_documented(number, code, decline_code):
    """A documented decline has its documented code, always."""
    card = outcome_for(number)

    assert card is not None
    assert (card.outcome, card.code, card.decline_code) == ("declined", code, decline_code)


@pytest.mark.parametrize(
    "number",
    [
        "4242424242424242",
        "4000056655665556",
        "5555555555554444",
        "2223003122003222",
        "5200828282828210",
        "5105105105105100",
        "378282246310005",
        "371449635398431",
        "6011111111111117",
        "3056930009020004",
        "3566002020360505",
        "6200000000000005",
        "4000002760003184",
        "4000002500003155",
        "4000000000003220",
    ],
)
def test_approving_cards_approve(number):
    """The everyday cards of each network, and those that can pass their challenge, are approved."""
    card = outcome_for(number)

    assert card is not None
    assert (card.outcome, card.code, card.decline_code) == ("approved", None, None)


@pytest.mark.parametrize(
    ("number", "later"),
    [
        ("4000000000000259", Later.DISPUTE_FRAUDULENT),
        ("4000000000002685", Later.DISPUTE_NOT_RECEIVED),
        ("4000000000001976", Later.INQUIRY),
        ("4000000000005423", Later.EARLY_FRAUD_WARNING),
        ("4000000000007726", Later.REFUND_PENDING),
        ("4000000000005126", Later.REFUND_FAILS),
        ("4000000000000077", Later.FUNDS_AT_ONCE),
    ],
)
def test_cards_with_a_later_story_are_approved_first(number, later):
    """A card that will be disputed or refunded oddly is charged without trouble."""
    card = outcome_for(number)

    assert card is not None
    assert (card.outcome, card.later) == ("approved", later)


def test_every_row_is_complete():
    """A decline has both codes, an approval none, and every issuer is in the table of BINs."""
    assert len(TEST_CARDS) == 34
    for number, card in TEST_CARDS.items():
        assert card.number == number
        assert (card.outcome == "declined") == (card.code is not None)
        assert (card.code is None) == (card.decline_code is None)
        assert country_of(bin_of(number)) is not None


def test_only_the_card_with_a_wrong_number_is_not_a_number():
    """One documented card is mistyped on purpose, all others can be stored."""
    assert [n for n in TEST_CARDS if not pan_ok(n)] == ["4242424242424241"]


def test_challenges_are_kept_as_data():
    """Four cards ask their holder to sign in."""
    assert {card.challenge for card in TEST_CARDS.values()} == {None, *Challenge}


def test_other_cards_have_no_documented_result():
    """A number outside the table is not special."""
    assert outcome_for("4000100000000008") is None


def test_number_is_not_shown():
    """Printing a card shows what it does, not its number."""
    assert "4242" not in repr(outcome_for("4242424242424242"))
