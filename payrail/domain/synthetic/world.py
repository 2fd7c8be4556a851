"""Who there is under a seed: the merchants, their customers, and the customers' cards."""

from dataclasses import dataclass

from payrail.domain.synthetic.draws import Draws
from payrail.domain.synthetic.people import MERCHANTS, Customer, Merchant, customer
from payrail.domain.synthetic.wallet import SyntheticCard, card_id, invented_card

#: No card of a made-up world expires before this year is over, unless another one is asked for.
YEAR = 2030
CUSTOMERS, CARDS = 20, 40

AMOUNT_MINOR_MIN, AMOUNT_MINOR_MAX = 100, 50_000
#: Twenty places: mostly USD and EUR, with one currency without decimals and one with three.
CURRENCIES = ("USD",) * 9 + ("EUR",) * 8 + ("JPY",) * 2 + ("KWD",)


@dataclass(frozen=True, slots=True)
class SmallWorld:
    """The few people of a demonstration, all of them made at once."""

    merchants: tuple[Merchant, ...]
    customers: tuple[Customer, ...]
    cards: tuple[SyntheticCard, ...]


def world(
    seed: int, customers: int = CUSTOMERS, cards: int = CARDS, *, year: int = YEAR
) -> SmallWorld:
    """The small world of a seed. No two cards share a number, and all are good through `year`."""
    draws = Draws(seed)
    people = tuple(customer(draws, number) for number in range(1, customers + 1))
    made: dict[str, SyntheticCard] = {}
    while len(made) < cards:
        card = invented_card(draws, year, card_id(f"seed:{seed}", len(made)))
        made.setdefault(card.number, card)
    return SmallWorld(MERCHANTS, people, tuple(made.values()))


def amount_minor(draws: Draws) -> int:
    """What somebody pays, in minor units of whatever currency."""
    return AMOUNT_MINOR_MIN + draws.below(AMOUNT_MINOR_MAX - AMOUNT_MINOR_MIN + 1)
