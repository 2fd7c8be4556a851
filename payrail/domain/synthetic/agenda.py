"""Which payments a day has beside the scenes: by number, so that none has to be made to be counted.

Rings and runs of card testing come in blocks, one after so many payments; subscriptions on their
days; in a sale, a third of the rest are bursts; all others are plain. A plain payment has the same
number in every plan that has it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from payrail.domain.synthetic import everyday, fraud, subscriptions
from payrail.domain.synthetic.calendar import Calendar, is_sale
from payrail.domain.synthetic.crowd import World
from payrail.domain.synthetic.drafts import Draft
from payrail.domain.synthetic.scenes import SeededPayment
from payrail.domain.synthetic.subscriptions import MONTHLY, WEEKLY

PLAIN, BURST, WEEKLY_CONTRACT, MONTHLY_CONTRACT, RING, TESTING = range(6)
#: A block of payments in every so many, and where it begins in them. They never meet: their
#: distance is no multiple of five hundred.
_RING_EVERY, _RING_AT = 1_500, 60
_TESTING_EVERY, _TESTING_AT = 2_500, 90
#: Of a hundred payments so many are subscriptions of either kind, at most half of a day's.
_CONTRACT_PERCENT = 6
_BURST_OF, _BURSTS = 20, 7


@dataclass(frozen=True, slots=True)
class Item:
    """One payment of a day: its kind, and the two numbers that make it this one."""

    kind: int
    number: int
    part: int


@dataclass(frozen=True, slots=True)
class Agenda:
    """The payments of a world beside its scenes, over the days of a calendar."""

    world: World
    calendar: Calendar

    def items(self, day: int) -> Iterator[Item]:
        """All of a day, in no order of time."""
        contracts = self._contracts(day)
        for number in range(self.calendar.begin(day), self.calendar.begin(day + 1)):
            yield _in_block(number) or next(contracts, None) or _alone(day, number)

    def _contracts(self, day: int) -> Iterator[Item]:
        """What subscribers pay on a day, unless it has hardly any payments."""
        room = (self.calendar.begin(day + 1) - self.calendar.begin(day)) // 2
        for kind, every in ((WEEKLY_CONTRACT, WEEKLY), (MONTHLY_CONTRACT, MONTHLY)):
            due = subscriptions.due_on(day, self._contract_count(every), every)[:room]
            room -= len(due)
            for number in due:
                yield Item(kind, number, day // every)

    def _contract_count(self, every: int) -> int:
        """How many contracts there are, so that they make up their share of all payments."""
        whole, days = self.calendar.payments, self.calendar.days
        return whole * _CONTRACT_PERCENT * every // (100 * days)


def _in_block(number: int) -> Item | None:
    nth, member = divmod(number - _RING_AT, _RING_EVERY)
    if nth >= 0 and member < len(fraud.RING):
        return Item(RING, nth, member)
    nth, member = divmod(number - _TESTING_AT, _TESTING_EVERY)
    return Item(TESTING, nth, member) if nth >= 0 and member < fraud.TRIES else None


def _alone(day: int, number: int) -> Item:
    if is_sale(day) and (number * 13 + day) % _BURST_OF < _BURSTS:
        return Item(BURST, day, number)
    return Item(PLAIN, number, 0)


def draft(world: World, item: Item) -> Draft:
    """When it is made, and what becomes of it."""
    drafted, _ = _PATTERNS[item.kind]
    return drafted(world, item)


def paint(world: World, item: Item, made: Draft) -> SeededPayment:
    """All of it but its place in the calendar, from a draft that nobody has painted before."""
    _, painted = _PATTERNS[item.kind]
    return painted(world, made, item)


def _contract(every: int) -> "_Pattern":
    def drafted(world: World, item: Item) -> Draft:
        return subscriptions.contract(world, every, item.number)

    def painted(world: World, made: Draft, item: Item) -> SeededPayment:
        return subscriptions.contract_payment(world, made, every, item.number, item.part)

    return drafted, painted


_Pattern = tuple[
    Callable[[World, Item], Draft],
    Callable[[World, Draft, Item], SeededPayment],
]
# In the order of the kinds.
_PATTERNS: tuple[_Pattern, ...] = (
    (
        lambda world, item: everyday.plain(world, item.number),
        lambda world, made, item: everyday.plain_payment(world, made, item.number),
    ),
    (
        lambda world, item: everyday.burst(world, item.number, item.part),
        lambda world, made, item: everyday.burst_payment(world, made, item.number, item.part),
    ),
    _contract(WEEKLY),
    _contract(MONTHLY),
    (
        lambda world, item: fraud.ring(world, item.number, item.part),
        lambda world, made, item: fraud.ring_payment(world, made, item.number, item.part),
    ),
    (
        lambda world, item: fraud.testing(world, item.number, item.part),
        lambda world, made, item: fraud.testing_payment(world, made, item.number, item.part),
    ),
)
