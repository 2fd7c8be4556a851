"""How many payments each day of a plan has: weekdays, and the days of a sale.

Day 0 is a Monday. Never: floats; shares are running sums, cut down to whole payments.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from payrail.domain.synthetic.shops import SHOPS

#: On every tenth day some merchant has its sale, and the house is so much busier.
_SALE_EVERY, _SALE_DAY, _SALE_PERCENT = 10, 4, 140
_WEEK = tuple(sum(shop.weight * shop.trade.week[day] for shop in SHOPS) for day in range(7))


def is_sale(day: int) -> bool:
    """Whether a merchant has its sale on that day."""
    return day % _SALE_EVERY == _SALE_DAY


@dataclass(frozen=True, slots=True)
class Calendar:
    """`payments` payments over `days` days, at least one."""

    payments: int
    days: int

    def begin(self, day: int) -> int:
        """How many there are before that day."""
        sums = _sums(self.days)
        return self.payments * sums[max(0, min(day, self.days))] // sums[-1]


@lru_cache(maxsize=4)
def _sums(days: int) -> tuple[int, ...]:
    weights = (_WEEK[day % 7] * (_SALE_PERCENT if is_sale(day) else 100) for day in range(days))
    return tuple(accumulate(weights, initial=0))
