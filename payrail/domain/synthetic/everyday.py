"""What most people do: buy something, or buy it because a shop has its sale."""

from payrail.domain.synthetic.crowd import World
from payrail.domain.synthetic.drafts import (
    BURST,
    PLAIN,
    Draft,
    Painted,
    card_for,
    finished,
    shop_of,
    ticket_minor,
)
from payrail.domain.synthetic.draws import Draws
from payrail.domain.synthetic.lives import life_of
from payrail.domain.synthetic.scenes import SCENES_COUNT, SeededPayment
from payrail.domain.synthetic.shops import SHOPS, any_shop, from_local_ms, moment_ms

#: A sale: from seven in the evening for two hours, a third off, on every second ticket.
_SALE_HOUR, _SALE_MINUTES, _SALE_PERCENT = 19, 120, 67
_ABROAD_EVERY = 6


def plain(world: World, number: int) -> Draft:
    """Plain payment `number` of a world."""
    draws = Draws.about(world.seed, "plain", number)
    shop = any_shop(draws, world.merchants)
    life, shift = life_of(draws, SHOPS[shop].trade)
    return Draft(moment_ms(draws, SHOPS[shop]), shop, life, shift, draws)


def burst(world: World, day: int, number: int) -> Draft:
    """Payment `number` in the sale of that day."""
    shop = any_shop(Draws.about(world.seed, "sale", day), world.merchants)
    draws = Draws.about(world.seed, "burst", day, number)
    life, shift = life_of(draws, SHOPS[shop].trade)
    minute = _SALE_HOUR * 60 + draws.below(_SALE_MINUTES)
    return Draft(from_local_ms(draws, SHOPS[shop], minute), shop, life, shift, draws)


def plain_payment(world: World, draft: Draft, number: int) -> SeededPayment:
    painted = _painted(world, draft, percent=100)
    key = f"p{number + SCENES_COUNT + 1:07d}"  # Counts on behind the keys of the scenes.
    return finished(world, draft, painted, key, pattern=PLAIN)


def burst_payment(world: World, draft: Draft, day: int, number: int) -> SeededPayment:
    painted = _painted(world, draft, percent=_SALE_PERCENT)
    return finished(world, draft, painted, f"b{day:03d}-{number:07d}", pattern=BURST)


def _painted(world: World, draft: Draft, percent: int) -> Painted:
    draws, shop = draft.draws, shop_of(draft)
    customer = world.buyer(draws, draft.shop)
    card, decline_code = card_for(world, draws, draft.life, customer)
    at_home = draws.below(_ABROAD_EVERY) == 0
    currency = world.currency_of(customer) if at_home else shop.currency
    amount_minor = ticket_minor(draws, shop, currency, percent)
    return Painted(world.customer(customer), card, decline_code, amount_minor, currency)
