"""The way from a number to a payment: an item says which, a draft when and what, then it is made.

A draft is cheap: a day is sorted, and what is due is found, from drafts alone. Painting goes on
with the draft's own draws, so that the same item always gives the same payment.
"""

from dataclasses import dataclass

from payrail.domain.synthetic.crowd import World
from payrail.domain.synthetic.currencies import minor, scattered
from payrail.domain.synthetic.draws import Draws
from payrail.domain.synthetic.lives import (
    CHALLENGED,
    DECLINED,
    DISPUTED,
    OWN,
    SENT_BACK,
    SLOW_REFUND,
    Life,
)
from payrail.domain.synthetic.people import Customer
from payrail.domain.synthetic.scenes import SeededPayment
from payrail.domain.synthetic.shops import SHOPS, Shop
from payrail.domain.synthetic.wallet import (
    SyntheticCard,
    challenged_card,
    declined_card,
    later_card,
)
from payrail.domain.testcards import Later

PLAIN, SUBSCRIPTION, BURST = "plain", "subscription", "burst"
FRAUD_RING, CARD_TESTING = "fraud_ring", "card_testing"
PATTERNS = (PLAIN, SUBSCRIPTION, BURST, FRAUD_RING, CARD_TESTING)
_LATER = {
    SENT_BACK: Later.REFUND_FAILS,
    SLOW_REFUND: Later.REFUND_PENDING,
    DISPUTED: Later.DISPUTE_FRAUDULENT,
}
#: One of so many tickets ends in 99.
_CHARM_EVERY = 2


@dataclass(frozen=True, slots=True)
class Draft:
    """When a payment is made, at which shop, and what becomes of it; `draws` for all the rest."""

    at_ms: int
    shop: int
    life: Life
    shift: int
    draws: Draws


@dataclass(frozen=True, slots=True)
class Painted:
    """Who pays with what. A declined card has its code."""

    customer: Customer
    card: SyntheticCard
    decline_code: str | None
    amount_minor: int
    currency: str


def shop_of(draft: Draft) -> Shop:
    return SHOPS[draft.shop]


def finished(
    world: World, draft: Draft, painted: Painted, number: str, *, pattern: str, device: str = ""
) -> SeededPayment:
    """The payment, without its place in a calendar. `number` tells it from all others."""
    return SeededPayment(
        key=f"{prefix(world)}-{number}",
        scene=draft.life.scene,
        merchant_id=shop_of(draft).merchant.id,
        customer=painted.customer,
        card=painted.card,
        amount_minor=painted.amount_minor,
        currency=painted.currency,
        decline_code=painted.decline_code,
        at_ms=draft.at_ms,
        pattern=pattern,
        device=device,
    )


def prefix(world: World) -> str:
    """What all keys of a world begin with: all on which the payments behind them depend."""
    merchants = "" if world.merchants == len(SHOPS) else f"m{world.merchants}"
    return f"seed-{world.seed:_}-c{world.customers}{merchants}"


def card_for(
    world: World, draws: Draws, life: Life, customer: int
) -> tuple[SyntheticCard, str | None]:
    """One of the customer's own cards, or a documented one that does what this life needs."""
    if life.card == OWN:
        return world.card(draws.one_of(world.slots_of(customer))), None
    if life.card == DECLINED:
        return declined_card(draws, world.year)
    if life.card == CHALLENGED:
        return challenged_card(draws, world.year), None
    return later_card(draws, world.year, _LATER[life.card]), None


def ticket_minor(draws: Draws, shop: Shop, currency: str, percent: int = 100) -> int:
    """What somebody pays there, in minor units of the currency."""
    trade = shop.trade
    cents = scattered(draws, trade.ticket_cents, trade.spread) * percent // 100
    cents = max(trade.low_cents, min(cents, trade.high_cents))
    if draws.below(_CHARM_EVERY) == 0:
        cents += 99 - cents % 100
    return minor(cents, currency)
