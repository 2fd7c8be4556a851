"""Cards of a made-up world: numbers of invented issuers, and documented test cards to go with them.

Never: shows a number or a CVC in a `repr`, or makes an id out of a number.
"""

from dataclasses import dataclass, field
from functools import cache

from payrail.domain.cards import BinRow, bin_of, bin_table, last4, luhn_digit
from payrail.domain.ids import derived_id
from payrail.domain.synthetic.draws import Draws
from payrail.domain.testcards import TEST_CARDS, Later, TestCard

#: A card is good for one to so many years beyond the year of its world.
CARD_YEARS_MAX = 4
#: The issuers of small worlds, which stay as they are when the table grows at its end.
SMALL_WORLD_ISSUERS = 33
_LENGTHS = {"amex": 15, "diners": 14}


@dataclass(frozen=True, slots=True)
class SyntheticCard:
    """All that a form would ask for. `id` tells two cards apart and says nothing about them."""

    number: str = field(repr=False)
    exp_month: int
    exp_year: int
    cvc: str = field(repr=False)
    brand: str
    country: str
    funding: str
    id: str = ""

    @property
    def bin(self) -> str:
        return bin_of(self.number)

    @property
    def last4(self) -> str:
        return last4(self.number)


def invented_card(draws: Draws, year: int, card_id: str) -> SyntheticCard:
    """A card of an issuer of bins.csv, valid by brand, length and check digit."""
    row = draws.one_of(invented_issuers()[:SMALL_WORLD_ISSUERS])
    length = pan_digits(row.brand)
    body = row.bin6 + draws.digits(length - len(row.bin6) - 1)
    return _form(draws, body + luhn_digit(body), row, year, card_id)


def approved_card(draws: Draws, year: int) -> SyntheticCard:
    """A documented card that every provider approves, with nothing more to follow."""
    return _documented(draws, draws.one_of(_approved()), year)


def declined_card(draws: Draws, year: int) -> tuple[SyntheticCard, str | None]:
    """A documented card that can be stored and is declined by every provider, and its code."""
    declined = [card for card in TEST_CARDS.values() if card.outcome == "declined"]
    plain = [card for card in declined if not card.challenge]
    chosen = draws.one_of([card for card in plain if card.decline_code != "incorrect_number"])
    return _documented(draws, chosen, year), chosen.decline_code


def challenged_card(draws: Draws, year: int) -> SyntheticCard:
    """A documented card that asks for its holder at every charge."""
    asking = [card for card in TEST_CARDS.values() if card.challenge]
    return _documented(draws, draws.one_of(asking), year)


def later_card(draws: Draws, year: int, later: Later) -> SyntheticCard:
    """A documented card that is approved, and does this afterwards."""
    return _documented(
        draws, next(card for card in TEST_CARDS.values() if card.later is later), year
    )


def card_id(world: str, index: int) -> str:
    """An id from where the card comes from, not from its digits: nobody can count back."""
    return derived_id("card", world, index, 0)


def pan_digits(brand: str) -> int:
    """How long a number of this brand is."""
    return _LENGTHS.get(brand, 16)


@cache
def invented_issuers() -> tuple[BinRow, ...]:
    """Issuers that no documented test card comes from, so that no number can be one of those."""
    documented = {bin_of(number) for number in TEST_CARDS}
    return tuple(row for bin6, row in bin_table().items() if bin6 not in documented)


@cache
def _approved() -> tuple[TestCard, ...]:
    plain = (card for card in TEST_CARDS.values() if not card.challenge and not card.later)
    return tuple(card for card in plain if card.outcome == "approved")


def _documented(draws: Draws, card: TestCard, year: int) -> SyntheticCard:
    index = list(TEST_CARDS).index(card.number)
    row = bin_table()[bin_of(card.number)]
    return _form(draws, card.number, row, year, card_id("documented", index))


def _form(draws: Draws, number: str, row: BinRow, year: int, card_id: str) -> SyntheticCard:
    return SyntheticCard(
        number=number,
        exp_month=1 + draws.below(12),
        exp_year=year + 1 + draws.below(CARD_YEARS_MAX),
        cvc=draws.digits(4 if row.brand == "amex" else 3),
        brand=row.brand,
        country=row.country,
        funding=row.funding,
        id=card_id,
    )
