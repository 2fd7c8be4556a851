"""A world of any size: everybody in it is made by number, when asked for, and nobody is kept.

The first twenty customers are those of the small world; a customer is the same in a world of any
size, and so are their cards.
"""

from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import accumulate

from payrail.domain.synthetic.draws import Draws
from payrail.domain.synthetic.issued import (
    CARDS_EACH_MAX,
    CUSTOMERS_MAX,
    cards_held,
    issued_card,
    lapsed_card,
)
from payrail.domain.synthetic.names import FOLK, Folk
from payrail.domain.synthetic.people import Customer, Merchant, documentation_ip, named
from payrail.domain.synthetic.shops import SHOPS, Shop
from payrail.domain.synthetic.wallet import SyntheticCard
from payrail.domain.synthetic.world import YEAR, world

_WEIGHTS = tuple(accumulate(folk.weight for folk in FOLK))
_CURRENCIES = {folk.country: folk.currency for folk in FOLK}
#: Whom a merchant may be liked by is looked for so often; then anybody will do.
_LOOKS = 4


@dataclass(frozen=True, slots=True)
class World:
    """`customers` people, each with one to three cards, and the first `merchants` shops. Numbers
    count from 0. `year`: no card expires before January of it."""

    seed: int
    customers: int = 1_000
    merchants: int = len(SHOPS)
    year: int = YEAR

    def __post_init__(self) -> None:
        if not 1 <= self.customers <= CUSTOMERS_MAX:
            raise ValueError(f"a world has 1 to {CUSTOMERS_MAX} customers")
        if not 1 <= self.merchants <= len(SHOPS):
            raise ValueError(f"a world has 1 to {len(SHOPS)} merchants")

    def shop(self, number: int) -> Shop:
        return SHOPS[number % self.merchants]

    def merchant(self, number: int) -> Merchant:
        return self.shop(number).merchant

    def customer(self, number: int) -> Customer:
        first = _first_customers(self.seed)
        return first[number] if number < len(first) else _customer(self.seed, number)

    def card(self, slot: int) -> SyntheticCard:
        """Card number `slot`: customer n may hold cards 3 n to 3 n + 2."""
        country = self.customer(slot // CARDS_EACH_MAX).country
        return issued_card(self.seed, slot, country, self.year)

    def lapsed_card(self, slot: int) -> SyntheticCard:
        """The card that went before it, out of date: the vault refuses it."""
        country = self.customer(slot // CARDS_EACH_MAX).country
        return lapsed_card(self.seed, slot, country, self.year)

    def slots_of(self, number: int) -> range:
        """The numbers of a customer's cards."""
        first = number * CARDS_EACH_MAX
        return range(first, first + cards_held(self.seed, number))

    def cards_of(self, number: int) -> tuple[SyntheticCard, ...]:
        return tuple(self.card(slot) for slot in self.slots_of(number))

    def currency_of(self, number: int) -> str:
        """The currency at home."""
        return _CURRENCIES[self.customer(number).country]

    def favourites(self, number: int) -> tuple[int, int, int]:
        """The shops where a customer buys most."""
        draw = Draws.about(self.seed, "likes", number).below(self.merchants**3)
        rest, first = divmod(draw, self.merchants)
        return first, rest % self.merchants, rest // self.merchants

    def buyer(self, draws: Draws, shop: int) -> int:
        """Somebody who buys there: who likes it, if one is found soon. A few buy often."""
        for _ in range(_LOOKS):
            found = self.somebody(draws)
            if shop in self.favourites(found):
                break
        return found

    def somebody(self, draws: Draws) -> int:
        """Any customer, those with small numbers more often."""
        return draws.below(1 + draws.below(self.customers))


@lru_cache(maxsize=4)
def _first_customers(seed: int) -> tuple[Customer, ...]:
    return world(seed).customers


@cache
def _families(folk: Folk) -> tuple[str, ...]:
    return tuple(head + tail for head in folk.heads for tail in folk.tails)


def _customer(seed: int, number: int) -> Customer:
    draws = Draws.about(seed, "customer", number)
    folk = FOLK[draws.weighed(_WEIGHTS)]
    name = f"{draws.one_of(folk.given)} {draws.one_of(_families(folk))}"
    return named(draws, number + 1, name, folk.country, documentation_ip(draws, number))
