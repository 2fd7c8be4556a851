"""What fraud looks like, so that people can learn to see it: rings, and the testing of cards.

A ring has three cards and two addresses: many small payments to see which card is alive, most of
them declined, then few large ones, which come back as chargebacks. Who tests cards tries one after
another at one shop, seconds apart, for next to nothing.
"""

from dataclasses import replace

from payrail.domain.synthetic.crowd import World
from payrail.domain.synthetic.currencies import minor
from payrail.domain.synthetic.drafts import (
    CARD_TESTING,
    FRAUD_RING,
    Draft,
    Painted,
    card_for,
    finished,
    shop_of,
)
from payrail.domain.synthetic.draws import Draws
from payrail.domain.synthetic.lives import (
    DECLINED,
    DISPUTED_BY_CARD,
    SALE,
    SALE_AT_ONCE,
    TURNED_DOWN,
    Life,
    accepted,
    disputed,
)
from payrail.domain.synthetic.people import documentation_ip
from payrail.domain.synthetic.scenes import SeededPayment
from payrail.domain.synthetic.shops import any_shop

_PROBE = Life("probe", SALE_AT_ONCE)
_DEAD = Life("dead_card", TURNED_DOWN, card=DECLINED)
_ACCEPTED = Life("ring_accepted", SALE, (disputed(5, "fraudulent"), accepted(8)), spread=4)
_UNANSWERED = Life("ring_unanswered", SALE, (disputed(3, "fraudulent"),), spread=3)
#: The payments of a ring, in order: the small ones, then the large.
RING = (
    *(_PROBE, _DEAD, _DEAD, _PROBE, _DEAD, _PROBE, _DEAD, _DEAD),
    *(DISPUTED_BY_CARD, _ACCEPTED, _DEAD, _UNANSWERED),
)
_SMALL = 8
#: Tries of who tests cards: three of four cards are dead.
TRIES = 24
_RING_STEP_MS, _TRY_STEP_MS = 95_000, 4_000
#: Both are over before the day is.
_BEGIN_MS_MAX = 80_000_000


def ring(world: World, number: int, member: int) -> Draft:
    """Payment `member` of ring `number`."""
    shared = Draws.about(world.seed, "ring", number)
    shop, begin_ms = any_shop(shared, world.merchants), shared.below(_BEGIN_MS_MAX)
    draws = Draws.about(world.seed, "ring", number, member)
    life = RING[member]
    shift = draws.below(life.spread + 1)
    at_ms = begin_ms + member * _RING_STEP_MS + draws.below(_RING_STEP_MS)
    return Draft(at_ms, shop, life, shift, draws)


def testing(world: World, number: int, member: int) -> Draft:
    """Try `member` of run `number`."""
    shared = Draws.about(world.seed, "testing", number)
    shop, begin_ms = any_shop(shared, world.merchants), shared.below(_BEGIN_MS_MAX)
    draws = Draws.about(world.seed, "testing", number, member)
    life = _PROBE if member % 4 == 3 else _DEAD
    at_ms = begin_ms + member * _TRY_STEP_MS + draws.below(_TRY_STEP_MS)
    return Draft(at_ms, shop, life, 0, draws)


def ring_payment(world: World, draft: Draft, number: int, member: int) -> SeededPayment:
    gang = Draws.about(world.seed, "gang", number)
    people = [world.somebody(gang) for _ in range(3)]
    addresses = [documentation_ip(gang, number) for _ in range(2)]
    devices = [_device(gang) for _ in range(2)]
    draws = draft.draws
    person = draws.one_of(people)
    # Of each of the three one card, whatever else is in their purses.
    first = world.slots_of(person)[:1]
    card, code = (
        (world.card(first[0]), None)
        if draft.life.card == "own"
        else card_for(world, draws, draft.life, person)
    )
    customer = replace(world.customer(person), ip=draws.one_of(addresses))
    painted = Painted(customer, card, code, _ring_minor(draft, member), shop_of(draft).currency)
    key = f"r{number:05d}-{member:02d}"
    return finished(world, draft, painted, key, pattern=FRAUD_RING, device=draws.one_of(devices))


def testing_payment(world: World, draft: Draft, number: int, member: int) -> SeededPayment:
    tester = Draws.about(world.seed, "tester", number)
    address, device = documentation_ip(tester, number), _device(tester)
    draws, currency = draft.draws, shop_of(draft).currency
    person = world.somebody(draws)
    card, code = card_for(world, draws, draft.life, person)
    customer = replace(world.customer(person), ip=address)
    painted = Painted(customer, card, code, minor(100 + draws.below(100), currency), currency)
    key = f"t{number:05d}-{member:02d}"
    return finished(world, draft, painted, key, pattern=CARD_TESTING, device=device)


def _ring_minor(draft: Draft, member: int) -> int:
    shop, draws = shop_of(draft), draft.draws
    if member < _SMALL:
        return minor(100 + draws.below(200), shop.currency)
    cents = shop.trade.ticket_cents * (30 + draws.below(40)) // 10
    return minor(min(cents, shop.trade.high_cents), shop.currency)


def _device(draws: Draws) -> str:
    """Short enough that no run of its digits could be a card number."""
    return f"dev_{draws.below(1 << 32):08x}"
