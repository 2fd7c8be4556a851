"""A schedule: what the shops will try and what will go wrong, as data, before anything runs.

    seed ──▶ draw ──▶ Plan: wishes (of shops) and troubles (faults), each with a number of its own

Each part has chances of its own, drawn from (seed, what, number): a plan without some of its parts
has left all others as they were, so that a failure can be made shorter by leaving out what it does
not need. Never: looks at the house, or knows what a flow or a fault does.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random

#: A schedule that has less than this is no test of anything.
REQUESTS_MIN, PAYMENTS_MIN = 20, 3
#: Its restart, and one more: until then spare wishes begin. Some have drills alone beside it.
FAULTS_WANTED = 2
#: Wishes of one schedule beside spare ones and those of a storm; each makes some requests.
WISHES_MAX = 12
#: In so many schedules somebody who means no good is there beside the shops.
BESIDE = 0.5
#: Wishes that wait for others to be too little.
SPARES = 4
#: One schedule in so many has a storm: a provider refuses so many calls that its breaker opens. So
#: many more sell while it lasts, and again when the breaker lets some through.
STORMS_EVERY, STORM_WISHES = 16, 3
STORM_OVER_MS = 32_000
#: Troubles of one schedule beside the restart that every schedule has.
TROUBLES_MAX = 5
MERCHANTS = ("m_001", "m_002")
CURRENCIES = ("USD", "USD", "USD", "EUR", "JPY")
#: Within one of these, in simulated time, the shops begin: work takes hardly any, so that at once
#: means side by side, and later mostly one after the other.
BEGINS_MS = (0, 0, 3, 20, 400)


@dataclass(frozen=True, slots=True)
class Wish:
    """One shop's wish: a flow, and what it is done with. `clicks_twice`: each order is sent again
    once it is final. `choice` is what the flow may choose by. A `spare` one begins only where the
    others are too little: declined, refused or crossed before their end, or kept waiting."""

    number: int
    flow: str
    merchant: str
    amount_minor: int
    currency: str
    at_ms: int
    clicks_twice: bool
    choice: int
    spare: bool = False

    def key(self, operation: str) -> str:
        """The idempotency key of one order: fixed, whatever happens."""
        return f"w{self.number}-{operation}"


@dataclass(frozen=True, slots=True)
class Trouble:
    """One fault: it comes at the first effect of `target` that fits, from the effect `at` on.
    `how` is what its kind makes of it; `lasts_ms` in simulated time."""

    number: int
    kind: str
    target: str
    at: int
    lasts_ms: int
    how: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """All of one schedule. `left_out` are the numbers of the parts that were taken away; `routing`
    tells who is called first, as `actors.simulation.doubts` has it."""

    seed: int
    wishes: tuple[Wish, ...]
    troubles: tuple[Trouble, ...]
    left_out: tuple[int, ...] = ()
    routing: str = ""

    @property
    def numbers(self) -> list[int]:
        """Of every part that is still there, faults first: they are the first to be left out."""
        troubles = [one.number for one in self.troubles]
        return [*troubles, *(wish.number for wish in self.wishes)]

    def without(self, numbers: Collection[int]) -> "Plan":
        """The same schedule with less in it."""
        return replace(
            self,
            wishes=tuple(wish for wish in self.wishes if wish.number not in numbers),
            troubles=tuple(one for one in self.troubles if one.number not in numbers),
            left_out=tuple(sorted({*self.left_out, *numbers})),
        )


@dataclass(frozen=True, slots=True)
class Weight:
    """How often a flow is drawn, and what it surely has of what a schedule needs. One that is
    `beside` is no shop's: it is drawn in the second place, and counts for nothing."""

    weight: int
    requests: int
    payments: int = 0
    beside: bool = field(default=False, kw_only=True)


#: (the trouble's own chance, its number) -> the trouble
DrawTrouble = Callable[[Random, int], Trouble]
#: (seed, the wishes, the first number) -> who is called first, and the drills
DrawDoubts = Callable[[int, Sequence[Wish], int], tuple[str, tuple[Trouble, ...]]]


def chance(seed: int, *what: object) -> Random:
    """The chance of one part: it depends on nothing but the seed and the part's name."""
    text = "/".join(map(str, (seed, *what)))
    return Random(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big"))


def draw(
    seed: int,
    flows: Mapping[str, Weight],
    restart: DrawTrouble,
    trouble: DrawTrouble,
    doubts: DrawDoubts,
) -> Plan:
    """The schedule of a seed: wishes until they make enough requests, one restart, then as many
    troubles as its chance has it, and then its drills."""
    wishes = _wishes(seed, flows)
    first = len(wishes) + 1
    count = chance(seed, "troubles").randint(1, TROUBLES_MAX)
    numbers = range(first + 1, first + 1 + count)
    troubles = [trouble(chance(seed, "trouble", number - first), number) for number in numbers]
    routing, drills = doubts(seed, wishes, first + 1 + count)
    own = restart(chance(seed, "restart"), first)
    return Plan(seed, wishes, (own, *troubles, *drills), routing=routing)


def is_stormy(seed: int) -> bool:
    """Whether the schedule of this seed has a storm."""
    return chance(seed, "stormy").randrange(STORMS_EVERY) == 0


def _wishes(seed: int, flows: Mapping[str, Weight]) -> tuple[Wish, ...]:
    wishes: list[Wish] = []
    shops = {name: flow for name, flow in flows.items() if not flow.beside}
    while len(wishes) < WISHES_MAX and not _is_enough(wishes, flows):
        wishes.append(_wish(seed, len(wishes) + 1, shops))
    others = {name: flow for name, flow in flows.items() if flow.beside}
    if others and chance(seed, "beside").random() < BESIDE:
        wishes.append(_wish(seed, len(wishes) + 1, others))
    if is_stormy(seed):
        wishes += _in_storm(seed, len(wishes) + 1, shops)
    return (*wishes, *_spares(seed, len(wishes) + 1, shops))


def _in_storm(seed: int, first: int, flows: Mapping[str, Weight]) -> list[Wish]:
    """Those who sell in a storm, and those who do after it."""
    paying = {name: flow for name, flow in flows.items() if flow.payments}
    wishes = [_wish(seed, first + at, paying) for at in range(2 * STORM_WISHES)]
    later = [replace(wish, at_ms=wish.at_ms + STORM_OVER_MS) for wish in wishes[STORM_WISHES:]]
    return [*wishes[:STORM_WISHES], *later]


def _spares(seed: int, first: int, flows: Mapping[str, Weight]) -> list[Wish]:
    paying = {name: flow for name, flow in flows.items() if flow.payments}
    wishes = [_wish(seed, first + at, paying) for at in range(SPARES)]
    return [replace(wish, at_ms=0, spare=True) for wish in wishes]


def _is_enough(wishes: list[Wish], flows: Mapping[str, Weight]) -> bool:
    requests = sum(flows[wish.flow].requests for wish in wishes)
    payments = sum(flows[wish.flow].payments for wish in wishes)
    enough = requests >= REQUESTS_MIN and payments >= PAYMENTS_MIN
    return enough and {wish.merchant for wish in wishes} == set(MERCHANTS)


def _wish(seed: int, number: int, flows: Mapping[str, Weight]) -> Wish:
    """The first two wishes are of two merchants, and every other one pays."""
    own = chance(seed, "wish", number)
    begin_ms = chance(seed, "begin").choice(BEGINS_MS)
    paying = [name for name, flow in flows.items() if flow.payments]
    names = paying if number % 2 and paying else list(flows)
    return Wish(
        number=number,
        flow=own.choices(names, weights=[flows[name].weight for name in names])[0],
        merchant=MERCHANTS[number - 1] if number <= 2 else own.choice(MERCHANTS),
        amount_minor=own.randint(200, 90_000),
        currency=own.choice(CURRENCIES),
        at_ms=own.randint(0, begin_ms),
        clicks_twice=own.random() < 0.15,
        choice=own.getrandbits(30),
    )
