"""The documented test cards: public numbers that always end the same way, at either provider.

One row a card. Repeated use never changes a result, and no random fault touches them.
Never: a number of this table in a log, an error or a file; `repr` leaves it out.
Source: the widely published list of card processors' test numbers.
"""

from dataclasses import dataclass, field
from enum import StrEnum


class Later(StrEnum):
    """What such a card does after its payment went well. Data for refunds and disputes."""

    DISPUTE_FRAUDULENT = "dispute_fraudulent"
    DISPUTE_NOT_RECEIVED = "dispute_product_not_received"
    INQUIRY = "inquiry"
    EARLY_FRAUD_WARNING = "early_fraud_warning"
    REFUND_PENDING = "refund_pending_then_succeeded"
    REFUND_FAILS = "refund_succeeded_then_failed"
    FUNDS_AT_ONCE = "funds_available_at_once"


class Challenge(StrEnum):
    """When such a card asks its holder to sign in (3-D Secure)."""

    ALWAYS = "always"
    UNLESS_SET_UP = "unless_set_up"
    THEN_DECLINED = "then_declined"
    STEP_UP = "step_up"


@dataclass(frozen=True, slots=True)
class TestCard:
    """`outcome` at authorization: approved | declined; a decline always has both codes."""

    __test__ = False  # A card to test with, not a test.

    number: str = field(repr=False)
    outcome: str = "approved"
    code: str | None = None
    decline_code: str | None = None
    challenge: Challenge | None = None
    later: Later | None = None


def _declines(number: str, decline_code: str, code: str = "card_declined") -> TestCard:
    return TestCard(number, "declined", code, decline_code)


_CARDS = (
    TestCard("4242424242424242"),
    TestCard("4000056655665556"),
    TestCard("5555555555554444"),
    TestCard("2223003122003222"),
    TestCard("5200828282828210"),
    TestCard("5105105105105100"),
    TestCard("378282246310005"),
    TestCard("371449635398431"),
    TestCard("6011111111111117"),
    TestCard("3056930009020004"),
    TestCard("3566002020360505"),
    TestCard("6200000000000005"),
    _declines("4000000000000002", "generic_decline"),
    _declines("4000000000009995", "insufficient_funds"),
    _declines("4000000000009987", "lost_card"),
    _declines("4000000000009979", "stolen_card"),
    _declines("4000000000006975", "card_velocity_exceeded"),
    _declines("4000000000000069", "expired_card", "expired_card"),
    _declines("4000000000000127", "incorrect_cvc", "incorrect_cvc"),
    _declines("4000000000000119", "processing_error", "processing_error"),
    # Its check digit is wrong on purpose: the vault refuses it before anyone is asked.
    _declines("4242424242424241", "incorrect_number", "incorrect_number"),
    # Can be stored, then every charge fails.
    _declines("4000000000000341", "card_declined"),
    # Always blocked by the risk rules.
    _declines("4100000000000019", "fraudulent"),
    TestCard("4000000000000259", later=Later.DISPUTE_FRAUDULENT),
    TestCard("4000000000002685", later=Later.DISPUTE_NOT_RECEIVED),
    TestCard("4000000000001976", later=Later.INQUIRY),
    TestCard("4000000000005423", later=Later.EARLY_FRAUD_WARNING),
    TestCard("4000000000007726", later=Later.REFUND_PENDING),
    TestCard("4000000000005126", later=Later.REFUND_FAILS),
    TestCard("4000000000000077", later=Later.FUNDS_AT_ONCE),
    # These ask for their holder at every charge: nothing here sets a card up for later. The
    # outcome is what follows a challenge that was passed.
    TestCard("4000002760003184", challenge=Challenge.ALWAYS),
    TestCard("4000002500003155", challenge=Challenge.UNLESS_SET_UP),
    TestCard("4000000000003220", challenge=Challenge.STEP_UP),
    TestCard(
        "4000008400001629", "declined", "card_declined", "generic_decline", Challenge.THEN_DECLINED
    ),
)

TEST_CARDS: dict[str, TestCard] = {card.number: card for card in _CARDS}


def outcome_for(number: str) -> TestCard | None:
    """The documented result of a number, None for every card that is not in the table."""
    return TEST_CARDS.get(number)
