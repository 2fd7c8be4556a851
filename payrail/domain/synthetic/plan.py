"""A plan of any size: who pays what on which day of a month, and what becomes of it.

A payment is known by its key. What stands under a key (merchant, customer, card, amount, currency,
scene, pattern, what follows and after how many days) depends on the seed, the number of customers
and the number of merchants alone, never on how many payments or days a plan has. So whoever plays
a longer or a denser plan of the same world meets the same payments again under the same keys, and
more between them; only their place in the calendar moves. With the same days, the fifty scenes
stand at the same day and time in every plan.
Never: keeps what it has made. A day is sorted by times and numbers alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from payrail.domain.synthetic.follows import Follow
from payrail.domain.synthetic.happenings import (
    PlannedBreak,
    PlannedPayout,
    breaks_on,
    payouts_on,
)
from payrail.domain.synthetic.scenes import SeededPayment, seed_plan

DAY_MS = 86_400_000
CUSTOMERS, DAYS, MERCHANTS_PLAYING = 1_000, 30, 12


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
    merchants: int = MERCHANTS_PLAYING  # 2: those of the demo house alone

    def size_of(self, day: int) -> int:
        """How many payments that day has."""
        return self._begin(day + 1) - self._begin(day)

    def on(self, day: int) -> Iterator[SeededPayment]:
        """The payments of one day, in order of time."""
        yield from self.stream(start=self._begin(day), stop=self._begin(day + 1))

    def stream(self, start: int = 0, stop: int | None = None) -> Iterator[SeededPayment]:
        """All payments in order of time, from number `start` on; what is left out costs at most
        the sorting of one day."""
        stop = self.payments if stop is None else min(stop, self.payments)
        plan = seed_plan(self.seed, self.payments)
        for number in range(start, stop):
            yield replace(plan[number], day=number * max(1, self.days) // self.payments)

    def due(self, day: int) -> Iterator[tuple[SeededPayment, tuple[Follow, ...]]]:
        """What follows on that day for payments of that day and before, payment by payment."""
        for payment in self.stream(stop=self._begin(day + 1)):
            if due := tuple(one for one in payment.later if one.day == day):
                yield payment, due

    def breaks(self, day: int) -> tuple[PlannedBreak, ...]:
        return breaks_on(self.seed, day, self.days)

    def payouts(self, day: int) -> tuple[PlannedPayout, ...]:
        return payouts_on(day, self.days)

    def _begin(self, day: int) -> int:
        days = max(1, self.days)
        return -(-min(day, days) * self.payments // days)


def seed_stream(
    seed: int,
    *,
    payments: int = 50,
    customers: int = CUSTOMERS,
    days: int = DAYS,
    merchants: int = MERCHANTS_PLAYING,
    start: int = 0,
) -> Iterator[SeededPayment]:
    """The payments of a plan in order of time, from number `start` on."""
    return Plan(seed, payments, customers, days, merchants).stream(start)
