"""A plan of any size: who pays what on which day of a month, and what becomes of it.

A payment is known by its key. What stands under a key (merchant, customer, card, amount, currency,
scene, pattern, what follows and after how many days) depends on the seed, the number of customers
and the number of merchants alone, never on how many payments or days a plan has. So whoever plays
a longer or a denser plan of the same world meets the same payments again under the same keys, and
more between them; only their place in the calendar moves. With the same days, the fifty scenes
stand at the same day and time in every plan; their orders that count from the end move with it.
Never: keeps what it has made, or sorts more than a bounded piece of a day at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from payrail.domain.synthetic.agenda import Agenda, Item, draft, paint
from payrail.domain.synthetic.calendar import Calendar
from payrail.domain.synthetic.crowd import World
from payrail.domain.synthetic.drafts import Draft
from payrail.domain.synthetic.follows import Follow
from payrail.domain.synthetic.happenings import (
    PlannedBreak,
    PlannedPayout,
    break_of_busy_day,
    break_of_scene,
    payouts_on,
    sure_captures,
)
from payrail.domain.synthetic.lives import REACH_DAYS, placed
from payrail.domain.synthetic.scenes import SeededPayment
from payrail.domain.synthetic.shops import SHOPS
from payrail.domain.synthetic.staging import staged

DAY_MS = 86_400_000
CUSTOMERS, DAYS = 1_000, 30
#: So many payments are put in order at once; a day with more is made in several rounds.
SORTED_MAX = 20_000
#: When on its day, its place among those of the same moment, and the payment or how to make it.
_Entry = tuple[int, int, Item | SeededPayment]


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan of `payments` payments over `days` days (0: all on one day, and nothing later).

    Day 0 is a Monday. Nothing is planned after the last day: whoever plays it leaves that day as it
    stands, so that what lasts for minutes or days is still to be seen.
    """

    seed: int
    payments: int = 50
    customers: int = CUSTOMERS
    days: int = DAYS
    merchants: int = len(SHOPS)  # 2: those of the demo house alone

    @property
    def world(self) -> World:
        return World(self.seed, self.customers, self.merchants)

    def size_of(self, day: int) -> int:
        """How many payments that day has."""
        return self.begin(day + 1) - self.begin(day)

    def begin(self, day: int) -> int:
        """How many there are before that day."""
        scenes = sum(one.day < day for one in self._scenes)
        return scenes + self._agenda.calendar.begin(day)

    def on(self, day: int) -> Iterator[SeededPayment]:
        """The payments of one day, in order of time."""
        return self._on(day, 0)

    def stream(self, start: int = 0) -> Iterator[SeededPayment]:
        """All payments in order of time, from number `start` on; what is left out costs at most
        the sorting of one day."""
        for day in range(self._days):
            if self.begin(day + 1) > start:
                yield from self._on(day, max(0, start - self.begin(day)))

    def due(self, day: int) -> Iterator[tuple[SeededPayment, tuple[Follow, ...]]]:
        """What follows on that day for payments of that day and before, payment by payment: each
        with the orders of that day alone, to be played in this order."""
        for payment in self._due_scenes(day) if self.days else ():
            yield payment, tuple(one for one in payment.later if one.day == day)
        world = self.world
        for begun in range(max(0, day - REACH_DAYS), day + 1 if self.days else 0):
            for item in self._agenda.items(begun):
                made = draft(world, item)
                if not made.life.after:
                    continue
                later = placed(made.life.after, begun, self.days, made.shift)
                if due := tuple(one for one in later if one.day == day):
                    yield self._payment(begun, item, made), due

    def breaks(self, day: int) -> tuple[PlannedBreak, ...]:
        """What goes wrong in the statements of that day."""
        if day >= self.days - 1:
            return ()
        sure = sure_captures(self._scenes)
        found = (
            break_of_scene(sure, day, self.days, self.seed),
            break_of_busy_day(day, self.size_of(day), self.seed),
        )
        return tuple(one for one in found if one)

    def payouts(self, day: int) -> tuple[PlannedPayout, ...]:
        """Who is paid out by hand on that day, and what the bank says of it."""
        return payouts_on(sure_captures(self._scenes), day, self.days)

    @property
    def _days(self) -> int:
        return max(1, self.days)

    @property
    def _scenes(self) -> tuple[SeededPayment, ...]:
        return staged(self.seed, self.payments, self.days)

    @property
    def _agenda(self) -> Agenda:
        calendar = Calendar(self.payments - len(self._scenes), self._days)
        return Agenda(self.world, calendar)

    def _due_scenes(self, day: int) -> Iterator[SeededPayment]:
        return (one for one in self._scenes if any(after.day == day for after in one.later))

    def _on(self, day: int, start: int) -> Iterator[SeededPayment]:
        for _, _, made in islice(self._sorted(day), start, None):
            if isinstance(made, Item):
                yield self._payment(day, made, draft(self.world, made))
            else:
                yield made

    def _sorted(self, day: int) -> Iterator[_Entry]:
        """A day in order of time, in rounds of a bounded size: each looks at the whole day, and
        takes what falls into its hours."""
        rounds = 1 + self.size_of(day) // SORTED_MAX
        for nth in range(rounds):
            begin_ms, end_ms = nth * DAY_MS // rounds, (nth + 1) * DAY_MS // rounds
            entries = (one for one in self._unsorted(day) if begin_ms <= one[0] < end_ms)
            yield from sorted(entries, key=_place)

    def _unsorted(self, day: int) -> Iterator[_Entry]:
        for index, scene in enumerate(self._scenes):
            if scene.day == day:
                yield scene.at_ms, index - len(self._scenes), scene
        world = self.world
        for index, item in enumerate(self._agenda.items(day)):
            yield draft(world, item).at_ms, index, item

    def _payment(self, day: int, item: Item, made: Draft) -> SeededPayment:
        later = placed(made.life.after, day, self.days, made.shift)
        return replace(paint(self.world, item, made), day=day, later=later)


def _place(entry: _Entry) -> tuple[int, int]:
    return entry[:2]


def seed_stream(
    seed: int,
    *,
    payments: int = 50,
    customers: int = CUSTOMERS,
    days: int = DAYS,
    merchants: int = len(SHOPS),
    start: int = 0,
) -> Iterator[SeededPayment]:
    """The payments of a plan in order of time, from number `start` on."""
    return Plan(seed, payments, customers, days, merchants).stream(start)
