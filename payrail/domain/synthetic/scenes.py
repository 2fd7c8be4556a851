"""What `seed` plays: fifty payments that leave every state behind at least twice, then more of the
plain ones.

A plan is a prefix of every longer plan of its seed, and its keys are part of it: played again, or
further, it asks for nothing twice.
"""

from collections import Counter
from dataclasses import dataclass

from payrail.domain.synthetic.draws import Draws
from payrail.domain.synthetic.follows import Follow
from payrail.domain.synthetic.people import Customer
from payrail.domain.synthetic.wallet import (
    SyntheticCard,
    approved_card,
    challenged_card,
    declined_card,
)
from payrail.domain.synthetic.world import CURRENCIES, YEAR, SmallWorld, amount_minor, world

A, B = "providerA", "providerB"
#: The issuer's word on an invented card, where a scene needs one that is certain.
MADE_UP_DECLINE = "do_not_honor"


@dataclass(frozen=True, slots=True)
class Act:
    """One order about a payment that was created. A capture claims `percent` of the amount, or all
    that is left; `final` gives the rest back."""

    verb: str  # authorize | capture | cancel
    percent: int | None = None
    final: bool = True


@dataclass(frozen=True, slots=True)
class Scene:
    """A kind of payment. `count`: how many of the first fifty; `ends`: the state it is left in,
    unless `settles` and the house has settled it. At `provider` the `drill`, if any, is on; a scene
    at B is first refused by A. `one_call`: created with `confirm`, and captured by itself or not.
    """

    name: str
    count: int
    ends: str
    acts: tuple[Act, ...] = ()
    provider: str | None = A
    drill: str = ""
    one_call: str = ""  # manual | automatic
    settles: bool = False


HOLD, CLAIM, _CANCEL = Act("authorize"), Act("capture"), Act("cancel")
_HANG, _DECLINE = "hang", f"decline:{MADE_UP_DECLINE}"
ASKED = "cardholder_asked"
_PARTS = (HOLD, Act("capture", 60, final=False), CLAIM)

SCENES = (
    Scene("created", 2, "created", provider=None),
    Scene("canceled_at_once", 2, "reversed", (_CANCEL,), provider=None),
    Scene("held", 3, "authorized", (HOLD,)),
    Scene("held_at_b", 2, "authorized", (HOLD,), provider=B),
    Scene("held_in_one_call", 2, "authorized", one_call="manual"),
    Scene("captured", 5, "captured", (HOLD, CLAIM), settles=True),
    Scene("captured_at_b", 4, "captured", (HOLD, CLAIM), provider=B, settles=True),
    Scene("captured_in_one_call", 4, "captured", one_call="automatic", settles=True),
    Scene("captured_in_part", 4, "captured", (HOLD, Act("capture", 70)), settles=True),
    Scene("captured_in_parts", 3, "captured", _PARTS, settles=True),
    # More may still be claimed, so that no settlement closes it.
    Scene("captured_so_far", 3, "captured", _PARTS[:2]),
    Scene("canceled", 3, "reversed", (HOLD, _CANCEL)),
    Scene("canceled_at_b", 1, "reversed", (HOLD, _CANCEL), provider=B),
    Scene("declined", 4, "declined", (HOLD,)),
    Scene("declined_made_up", 2, "declined", (HOLD,), drill=_DECLINE),
    # Given up after a quarter of an hour, unless somebody opens their page.
    Scene(ASKED, 2, "requires_action", (HOLD,)),
    # Taken up and never answered: every ask hears `pending`.
    Scene("doubtful", 2, "unknown", (HOLD,), drill=_HANG),
    Scene("doubtful_at_b", 2, "unknown", (HOLD,), provider=B, drill=_HANG),
)
#: All of them, played at the two merchants of the demo.
SCENES_COUNT = sum(scene.count for scene in SCENES)


@dataclass(frozen=True, slots=True)
class SeededPayment:
    """One payment of a plan; `key` begins each of its idempotency keys.

    `day` counts from 0, `at_ms` from that day's midnight in UTC. `pattern` is plain | subscription
    | burst | fraud_ring | card_testing; `device` says from where it was asked for, in a pattern
    that has devices. `later`: what follows on this day or a later one, in order.
    """

    key: str
    scene: Scene
    merchant_id: str
    customer: Customer
    card: SyntheticCard
    amount_minor: int
    currency: str
    decline_code: str | None
    day: int = 0
    at_ms: int = 0
    pattern: str = "plain"
    device: str = ""
    later: tuple[Follow, ...] = ()

    @property
    def metadata(self) -> dict[str, str]:
        """What goes with the payment, so that people find it: the order, and its pattern."""
        found = {"order": self.key, "pattern": self.pattern}
        return found | ({"device": self.device} if self.device else {})

    def share_minor(self, percent: int) -> int:
        """That share of the amount, at least one minor unit."""
        return max(1, self.amount_minor * percent // 100)


def seed_plan(seed: int, payments: int = 50, *, year: int = YEAR) -> list[SeededPayment]:
    """The first `payments` payments of a seed, in order."""
    made_up = world(seed, year=year)
    # Its own draws, so that a longer plan does not change the world, and the other way round.
    draws = Draws(seed ^ 0x7363656E65)
    cast = draws.shuffled([scene for scene in SCENES for _ in range(scene.count)])
    plain = [scene for scene in cast if not scene.drill and scene.provider != B]
    currencies = draws.shuffled(CURRENCIES)
    played: Counter[str] = Counter()
    plan = []
    for number in range(payments):
        scene = cast[number] if number < len(cast) else draws.one_of(plain)
        currency = currencies[number % len(currencies)]
        key = f"seed-{seed:_}-p{number + 1:05d}"
        plan.append(_payment(draws, made_up, scene, key, currency, played[scene.name], year))
        played[scene.name] += 1
    return plan


def _payment(
    draws: Draws, made_up: SmallWorld, scene: Scene, key: str, currency: str, nth: int, year: int
) -> SeededPayment:
    card, decline_code = _card(draws, made_up, scene, nth, year)
    return SeededPayment(
        key=key,
        scene=scene,
        merchant_id=draws.one_of(made_up.merchants).id,
        customer=draws.one_of(made_up.customers),
        card=card,
        amount_minor=amount_minor(draws),
        currency=currency,
        decline_code=decline_code,
    )


def _card(
    draws: Draws, made_up: SmallWorld, scene: Scene, nth: int, year: int
) -> tuple[SyntheticCard, str | None]:
    """Every other scene of a kind has a card whose end is certain: of invented ones the issuer
    declines a share, and no state may be missing because of that."""
    if scene.name == "declined":
        return declined_card(draws, year)
    if scene.name == ASKED:
        return challenged_card(draws, year), None
    if scene.drill == _DECLINE:
        return draws.one_of(made_up.cards), MADE_UP_DECLINE
    if scene.provider is not None and nth % 2 == 0:
        return approved_card(draws, year), None
    return draws.one_of(made_up.cards), None
