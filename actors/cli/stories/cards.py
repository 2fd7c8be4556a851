"""Cards and orders that the stories pay with."""

from typing import Any

from payrail.domain.synthetic import SyntheticCard
from payrail.domain.testcards import TEST_CARDS, Later

MERCHANT = "m_001"


def good_card() -> SyntheticCard:
    """A documented card that is always approved."""
    number = next(iter(TEST_CARDS))
    return SyntheticCard(number, 12, 2034, "123", "visa", "US", "credit")


def disputed_card() -> SyntheticCard:
    """A documented card whose holder disputes what was paid, a minute later."""
    number = next(n for n, card in TEST_CARDS.items() if card.later is Later.DISPUTE_FRAUDULENT)
    return SyntheticCard(number, 12, 2034, "123", "visa", "US", "credit")


def order(token: str, amount: int = 1099, currency: str = "USD") -> dict[str, Any]:
    return {"amount": amount, "currency": currency, "payment_method": token}
