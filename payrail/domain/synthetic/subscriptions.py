"""The same customer, card and amount every seven or thirty days, at the same minute."""

from payrail.domain.synthetic.crowd import World
from payrail.domain.synthetic.drafts import (
    SUBSCRIPTION,
    Draft,
    Painted,
    card_for,
    finished,
    shop_of,
    ticket_minor,
)
from payrail.domain.synthetic.draws import Draws
from payrail.domain.synthetic.lives import SALE_IN_ONE_CALL
from payrail.domain.synthetic.scenes import SeededPayment
from payrail.domain.synthetic.shops import SHOPS, moment_ms, subscribed

WEEKLY, MONTHLY = 7, 30
_LETTERS = {WEEKLY: "w", MONTHLY: "d"}


def due_on(day: int, contracts: int, every: int) -> range:
    """The contracts that pay on that day: contract c on every day that leaves its remainder."""
    return range(day % every, contracts, every)


def contract(world: World, every: int, number: int) -> Draft:
    """A payment of contract `number`: all are alike."""
    draws = Draws.about(world.seed, _LETTERS[every], number)
    shop = draws.one_of(subscribed(world.merchants))
    return Draft(moment_ms(draws, SHOPS[shop]), shop, SALE_IN_ONE_CALL, 0, draws)


def contract_payment(
    world: World, draft: Draft, every: int, number: int, nth: int
) -> SeededPayment:
    """Payment `nth` of a contract."""
    draws, shop = draft.draws, shop_of(draft)
    customer = world.buyer(draws, draft.shop)
    card, _ = card_for(world, draws, draft.life, customer)
    painted = Painted(
        world.customer(customer),
        card,
        None,
        ticket_minor(draws, shop, shop.currency),
        shop.currency,
    )
    key = f"{_LETTERS[every]}{number:06d}-{nth:03d}"
    return finished(world, draft, painted, key, pattern=SUBSCRIPTION)
