"""A schedule: what the shops will try and what will go wrong, as data, before anything runs.

    seed ──▶ draw ──▶ Plan: wishes (of shops) and troubles (faults), each with a number of its own

Each part has chances of its own, drawn from (seed, what, number): a plan without some of its parts
has left all others as they were, so that a failure can be made shorter by leaving out what it does
not need. Never: looks at the house, or knows what a flow or a fault does.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from random import Random

#: A schedule that has less than this is no test of anything.
REQUESTS_MIN, PAYMENTS_MIN = 20, 3
#: Wishes of one schedule; each makes a handful of requests.
WISHES_MAX = 12
#: In so many schedules somebody who means no good is there beside the shops.
BESIDE = 0.5
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
    once it is final. `choice` is what the flow may choose by."""

    number: int
    flow: str
    merchant: str
    amount_minor: int
    currency: str
    at_ms: int
    clicks_twice: bool
    choice: int

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
    """All of one schedule. `left_out` are the numbers of the parts that were taken away."""

    seed: int
    wishes: tuple[Wish, ...]
    troubles: tuple[Trouble, ...]
    left_out: tuple[int, ...] = ()

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


def chance(seed: int, *what: object) -> Random:
    """The chance of one part: it depends on nothing but the seed and the part's name."""
    text = "/".join(map(str, (seed, *what)))
    return Random(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big"))


def draw(
    seed: int,
    flows: Mapping[str, Weight],
    restart: DrawTrouble,
    trouble: DrawTrouble,
) -> Plan:
    """The schedule of a seed: wishes until they make enough requests, one restart, and then as
    many troubles as its chance has it."""
    wishes = _wishes(seed, flows)
    first = len(wishes) + 1
    count = chance(seed, "troubles").randint(1, TROUBLES_MAX)
    numbers = range(first + 1, first + 1 + count)
    troubles = [trouble(chance(seed, "trouble", number - first), number) for number in numbers]
    return Plan(seed, wishes, (restart(chance(seed, "restart"), first), *troubles))


def _wishes(seed: int, flows: Mapping[str, Weight]) -> tuple[Wish, ...]:
    wishes: list[Wish] = []
    shops = {name: flow for name, flow in flows.items() if not flow.beside}
    while len(wishes) < WISHES_MAX and not _is_enough(wishes, flows):
        wishes.append(_wish(seed, len(wishes) + 1, shops))
    others = {name: flow for name, flow in flows.items() if flow.beside}
    if others and chance(seed, "beside").random() < BESIDE:
        wishes.append(_wish(seed, len(wishes) + 1, others))
    return tuple(wishes)


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
