"""A decline says whose turn it is, and tells the payer no more than is good."""

import pytest

from payrail.domain.declines import (
    COLUMNS,
    OF_THE_VAULT,
    DeclineClass,
    decline_of,
    default_declines,
    default_text,
    read_declines,
)
from payrail.domain.testcards import TEST_CARDS

HEAD = ",".join(COLUMNS)
PLAIN_NO = "generic_decline,unspecified,no,Your bank declined this payment."


@pytest.mark.parametrize(
    ("code", "class_"),
    [
        ("stolen_card", "hard"),
        ("incorrect_cvc", "fix_data"),
        ("authentication_required", "authenticate"),
        ("insufficient_funds", "soft"),
        ("do_not_honor", "unspecified"),
        ("processing_error", "technical"),
        ("never_heard_of", "unspecified"),
    ],
)
def test_every_code_has_a_class(code, class_):
    """A code that nobody knows is a plain no of the issuer."""
    assert decline_of(code).class_ == class_


@pytest.mark.parametrize("code", sorted(OF_THE_VAULT))
def test_the_bank_is_not_blamed_for_what_the_vault_withheld(code):
    """Nor where a table from before has no row for it; a row of people's own counts."""
    before = read_declines(f"{HEAD}\n{PLAIN_NO}\n")
    own = read_declines(f"{HEAD}\n{PLAIN_NO}\n{code},soft,no,Come again.\n")

    assert "bank" not in decline_of(code).payer_message
    assert decline_of(code, before) == decline_of(code)
    assert decline_of(code, own).payer_message == "Come again."


def test_nothing_is_tried_elsewhere_by_default():
    """A decline is final at every provider until somebody writes otherwise."""
    assert not any(row.retry_elsewhere for row in default_declines().values())


def test_test_cards_decline_with_known_codes():
    """Every documented decline has a row of its own."""
    codes = {card.decline_code for card in TEST_CARDS.values() if card.decline_code}
    assert codes <= set(default_declines())


def test_payer_hears_nothing_of_theft_or_suspicion():
    """What is said of a lost, stolen or suspected card could be said of any."""
    told = {decline_of(code).payer_message for code in ("lost_card", "stolen_card", "fraudulent")}
    assert told == {"Your bank declined this payment. Use another card."}


def test_people_may_change_their_table():
    """A row with yes is tried elsewhere, and classes all have a name."""
    table = read_declines(f"{HEAD}\n{PLAIN_NO}\nissuer_not_available,soft,yes,Try again.\n")

    assert decline_of("issuer_not_available", table).retry_elsewhere
    assert not decline_of("insufficient_funds", table).retry_elsewhere
    assert {row.class_ for row in read_declines(default_text()).values()} == set(DeclineClass)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "line 1: the head must be"),
        (f"code,class\n{PLAIN_NO}\n", "line 1: the head must be"),
        (f"{HEAD}\n{PLAIN_NO}\n{PLAIN_NO}\n", "line 3: this code has a row already"),
        (f"{HEAD}\nlost_card,hard,no,No.\n", "needs a row for generic_decline"),
        (f"{HEAD}\n{PLAIN_NO}\nx,rude,no,No.\n", "line 3: a class is one of hard, fix_data"),
        (f"{HEAD}\n{PLAIN_NO}\nx,hard,perhaps,No.\n", "line 3: retry_elsewhere is yes or no"),
        (f"{HEAD}\n{PLAIN_NO}\nX,hard,no,No.\n", "line 3: a code has lower-case"),
        (f"{HEAD}\n{PLAIN_NO}\nx,hard,no\n", "line 3: a row has 4 columns"),
        (f"{HEAD}\n{PLAIN_NO}\nx,hard,no,No,more\n", "line 3: a row has 4 columns"),
        (f"{HEAD}\n{PLAIN_NO}\nx,hard,no,{'n' * 201}\n", "line 3: a message is at most 200"),
        (f'{HEAD}\n{PLAIN_NO}\nx,hard,no,"No\n', "not a row of a CSV file"),
    ],
)
def test_table_that_cannot_be_used(text, told):
    """The complaint names the line and the remedy."""
    with pytest.raises(ValueError, match=told):
        read_declines(text)
