"""Holder names that decide a charge at providerB: a developer's explicit wish, for any card.

The seventeen words and their numbers are Adyen's published test names. Only the exact word counts;
every other name says nothing and stays in the vault. providerA takes no notice.
"""

from dataclasses import dataclass

APPROVED, PENDING, ERROR = "approved", "pending", "error"


@dataclass(frozen=True, slots=True)
class TestName:
    """`code` is our word for the answer: approved | pending (received, approved later) | error (an
    answer that says nothing) | the decline code."""

    __test__ = False  # A name to test with, not a test.

    word: str
    number: int
    code: str


_NAMES = (
    TestName("UNKNOWN", 0, "generic_decline"),
    TestName("APPROVED", 1, APPROVED),
    TestName("DECLINED", 2, "generic_decline"),
    TestName("REFERRAL", 3, "call_issuer"),
    TestName("ERROR", 4, ERROR),
    TestName("BLOCK_CARD", 5, "pickup_card"),
    TestName("CARD_EXPIRED", 6, "expired_card"),
    TestName("INVALID_AMOUNT", 7, "invalid_amount"),
    TestName("INVALID_CARD_NUMBER", 8, "invalid_number"),
    TestName("ISSUER_UNAVAILABLE", 9, "issuer_not_available"),
    TestName("NOT_SUPPORTED", 10, "card_not_supported"),
    TestName("NOT_3D_AUTHENTICATED", 11, "authentication_required"),
    TestName("NOT_ENOUGH_BALANCE", 12, "insufficient_funds"),
    TestName("PENDING", 13, PENDING),
    TestName("ACQUIRER_FRAUD", 14, "fraudulent"),
    TestName("CANCELLED", 15, "no_action_taken"),
    TestName("SHOPPER_CANCELLED", 16, "revocation_of_authorization"),
)

TEST_NAMES: dict[str, TestName] = {name.word: name for name in _NAMES}


def spoken_name(holder: str) -> str:
    """The name if it is one of the table, else nothing: a person's stays in the vault."""
    return holder if holder in TEST_NAMES else ""
