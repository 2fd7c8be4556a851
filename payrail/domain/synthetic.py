"""A made-up world, the same for the same seed: merchants, customers, cards, and what they will do.

Nothing here belongs to anybody: mail at example domains (RFC 2606), addresses for documentation
(RFC 5737), card numbers from the invented issuers of bins.csv.
Never: draws from an unseeded source, or makes a documented test card by chance.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TypeVar

from payrail.domain.cards import BinRow, bin_of, bin_table, luhn_digit
from payrail.domain.testcards import TEST_CARDS

T = TypeVar("T")

#: No card of a made-up world expires before this year unless another one is asked for.
YEAR = 2030
CARD_YEARS_MAX = 4

AMOUNT_MINOR_MIN, AMOUNT_MINOR_MAX = 100, 50_000

_NAMES = (
    "Ada Brook",
    "Ben Castle",
    "Cleo Dunn",
    "Dario Elm",
    "Edda Frost",
    "Femi Grant",
    "Gita Hale",
    "Hugo Iver",
    "Ines Jarvis",
    "Jonas Kern",
    "Kaya Lund",
    "Leo Marsh",
    "Mina North",
    "Nils Otter",
    "Olga Penn",
    "Piet Quist",
    "Rosa Reed",
    "Sami Stone",
    "Tara Underhill",
    "Udo Vale",
    "Vera Wood",
    "Wim Xander",
    "Yara Young",
    "Zeno Ash",
    "US US",
    "US DE",
    "DE FR",
    "GB NL",
    "ES IT",
    "SE PL",
    "CA AU",
    "JP KW",
    "BR IN",
    "CH SG",
)
_COUNTRIES = ("US",) * 4 + ("DE", "DE", "FR", "GB", "NL", "ES", "IT", "SE", "PL", "CA", "JP", "KW")
_MAIL_DOMAINS = ("example.com", "example.org")
_NETWORKS = ("192.0.2", "198.51.100", "203.0.113")
_LENGTHS = {"amex": 15, "diners": 14}
# Twenty places: mostly USD and EUR, with one currency without decimals and one with three.
_CURRENCIES = ("USD",) * 9 + ("EUR",) * 8 + ("JPY",) * 2 + ("KWD",)

#: Shares of a plan in percent; the rest is captured.
DECLINE_PERCENT, AUTHORIZE_ONLY_PERCENT, CANCEL_PERCENT = 11, 10, 8


@dataclass(frozen=True, slots=True)
class Merchant:
    id: str
    name: str
    mcc: str  # merchant category code, ISO 18245
    country: str


@dataclass(frozen=True, slots=True)
class Customer:
    id: str
    name: str
    email: str
    ip: str
    country: str


@dataclass(frozen=True, slots=True)
class SyntheticCard:
    """All that a form would ask for. `repr` shows neither the number nor the CVC."""

    number: str = field(repr=False)
    exp_month: int
    exp_year: int
    cvc: str = field(repr=False)
    brand: str
    country: str
    funding: str


@dataclass(frozen=True, slots=True)
class World:
    merchants: tuple[Merchant, ...]
    customers: tuple[Customer, ...]
    cards: tuple[SyntheticCard, ...]


@dataclass(frozen=True, slots=True)
class PlannedPayment:
    """`action`: capture | authorize_only | cancel | decline. A declined card carries its
    `decline_code`."""

    merchant_id: str
    customer: Customer
    card: SyntheticCard
    amount_minor: int
    currency: str
    action: str
    decline_code: str | None = None


MERCHANTS = (
    Merchant("m_001", "Lantern Books", "5942", "US"),
    Merchant("m_002", "Harbour Kitchen", "5812", "DE"),
)


class Draws:
    """Whole numbers from a seed, the same on every Python: SplitMix64, nothing to keep secret."""

    _MASK = (1 << 64) - 1

    def __init__(self, seed: int) -> None:
        self._state = seed & self._MASK

    def below(self, bound: int) -> int:
        """From 0 to `bound` - 1. The bias of a remainder of 64 bits does not show here."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & self._MASK
        mixed = self._state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & self._MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & self._MASK
        return (mixed ^ (mixed >> 31)) % bound

    def one_of(self, choices: Sequence[T]) -> T:
        return choices[self.below(len(choices))]

    def digits(self, count: int) -> str:
        return "".join(str(self.below(10)) for _ in range(count))

    def shuffled(self, things: Sequence[T]) -> list[T]:
        mixed = list(things)
        for index in range(len(mixed) - 1, 0, -1):
            other = self.below(index + 1)
            mixed[index], mixed[other] = mixed[other], mixed[index]
        return mixed


def world(seed: int, customers: int = 20, cards: int = 40, *, year: int = YEAR) -> World:
    """The world of a seed. No two cards share a number, and all are good through `year`."""
    draws = Draws(seed)
    people = tuple(_customer(draws, number) for number in range(1, customers + 1))
    made: dict[str, SyntheticCard] = {}
    while len(made) < cards:
        card = _card(draws, year)
        made[card.number] = card
    return World(MERCHANTS, people, tuple(made.values()))


def demo_plan(seed: int, payments: int = 200, *, year: int = YEAR) -> list[PlannedPayment]:
    """What a demonstration pays, in order: who, with which card, how much, and what follows."""
    made_up = world(seed, year=year)
    # Its own draws, so that a longer plan does not change the world, and the other way round.
    draws = Draws(seed ^ 0x706C616E)
    return [_planned(draws, made_up, action, year) for action in _actions(draws, payments)]


def _actions(draws: Draws, payments: int) -> list[str]:
    """Exact shares in a seeded order: a short plan, too, has its declines."""
    declines = _share(payments, DECLINE_PERCENT)
    holds = _share(payments, AUTHORIZE_ONLY_PERCENT)
    cancels = _share(payments, CANCEL_PERCENT)
    captures = payments - declines - holds - cancels
    return draws.shuffled(
        ["capture"] * captures
        + ["authorize_only"] * holds
        + ["cancel"] * cancels
        + ["decline"] * declines
    )


def _share(whole: int, percent: int) -> int:
    return (whole * percent + 50) // 100


def _planned(draws: Draws, made_up: World, action: str, year: int) -> PlannedPayment:
    card, decline_code = draws.one_of(made_up.cards), None
    if action == "decline":
        card, decline_code = _declined_card(draws, year)
    return PlannedPayment(
        merchant_id=draws.one_of(made_up.merchants).id,
        customer=draws.one_of(made_up.customers),
        card=card,
        amount_minor=AMOUNT_MINOR_MIN + draws.below(AMOUNT_MINOR_MAX - AMOUNT_MINOR_MIN + 1),
        currency=draws.one_of(_CURRENCIES),
        action=action,
        decline_code=decline_code,
    )


def _customer(draws: Draws, number: int) -> Customer:
    name = _NAMES[(number - 1) % len(_NAMES)]
    mailbox = name.lower().replace(" ", ".")
    return Customer(
        id=f"cus_{number:03d}",
        name=name,
        email=f"{mailbox}.{number}@{draws.one_of(_MAIL_DOMAINS)}",
        ip=f"{draws.one_of(_NETWORKS)}.{1 + draws.below(254)}",
        country=draws.one_of(_COUNTRIES),
    )


@cache
def _invented_bins() -> tuple[BinRow, ...]:
    """Issuers that no documented test card comes from, so that no number can be one of those."""
    documented = {bin_of(number) for number in TEST_CARDS}
    return tuple(row for bin6, row in bin_table().items() if bin6 not in documented)


def _card(draws: Draws, year: int) -> SyntheticCard:
    row = draws.one_of(_invented_bins())
    length = _LENGTHS.get(row.brand, 16)
    body = row.bin6 + draws.digits(length - len(row.bin6) - 1)
    return _form(draws, body + luhn_digit(body), row, year)


def _declined_card(draws: Draws, year: int) -> tuple[SyntheticCard, str | None]:
    """A documented card that can be stored and is declined by every provider."""
    declined = [card for card in TEST_CARDS.values() if card.outcome == "declined"]
    chosen = draws.one_of([card for card in declined if card.decline_code != "incorrect_number"])
    row = bin_table()[bin_of(chosen.number)]
    return _form(draws, chosen.number, row, year), chosen.decline_code


def _form(draws: Draws, number: str, row: BinRow, year: int) -> SyntheticCard:
    return SyntheticCard(
        number=number,
        exp_month=1 + draws.below(12),
        exp_year=year + 1 + draws.below(CARD_YEARS_MAX),
        cvc=draws.digits(4 if row.brand == "amex" else 3),
        brand=row.brand,
        country=row.country,
        funding=row.funding,
    )
