"""What the clients will try: payments drawn from a seed, before anything runs."""

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass

#: Published test numbers: always approved, always declined.
APPROVED = ("4242424242424242", "5555555555554444", "378282246310005", "6011111111111117")
#: Its cardholder has to confirm each payment.
CHALLENGED = ("4000002760003184",)
DECLINED = ("4000000000000002", "4000000000009995")

#: How a payment is meant to end, and how many of a hundred do.
ENDS = {"capture": 42, "cancel": 12, "decline": 12, "parts": 6, "refund": 12, "dispute": 10}
ENDS |= {"challenge": 6}


_CARDS = {"decline": DECLINED, "challenge": CHALLENGED}


@dataclass(frozen=True, slots=True)
class Plan:
    """One payment as its client wants it. `clicks_twice`: it sends each final request again."""

    number: int
    merchant: str
    end: str  # capture | cancel | decline | parts | refund | dispute | challenge
    card: str
    amount_minor: int
    currency: str
    clicks_twice: bool

    @property
    def cvc(self) -> str:
        """Three digits, on American Express four."""
        return "1234" if self.card.startswith("37") else "123"

    def key(self, operation: str) -> str:
        """The idempotency key of one operation: fixed, whatever happens."""
        return f"kill-{self.number}-{operation}"


def draw(seed: int) -> Iterator[Plan]:
    """Plans without end; the same seed draws the same ones."""
    chance = random.Random(seed)
    for number in itertools.count(1):
        yield _plan(number, chance)


def _plan(number: int, chance: random.Random) -> Plan:
    end = chance.choices(list(ENDS), weights=list(ENDS.values()))[0]
    return Plan(
        number=number,
        merchant=chance.choice(("m_001", "m_002")),
        end=end,
        card=chance.choice(_CARDS.get(end, APPROVED)),
        amount_minor=chance.randint(200, 90_000),
        currency=chance.choice(("USD", "USD", "EUR", "JPY")),
        clicks_twice=chance.random() < 0.2,
    )
