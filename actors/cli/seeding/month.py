"""A plan, played day by day: payments, what is due, what happens to the house, and then the night.

    the day's payments ─▶ what follows today ─▶ payouts, spoiled statements ─▶ the clock moves on
    ─▶ reconciled ─▶ some breaks judged ─▶ the next day

Killed anywhere and played again, it goes on where it was: a day is over once the clock has left it,
and of the day that was under way only what is missing is asked for.
Never: keeps what was played; one window of payments, one day of what is due, and sums.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from actors.cli.pace import Pace
from actors.cli.scenes import Played, Stage, is_to_be_captured, play_all
from actors.cli.seeding.calendar import DAY_MS, Calendar
from actors.cli.seeding.deeds import Deeds
from actors.cli.seeding.found import Began, Found
from actors.cli.seeding.happenings import Happenings
from actors.cli.seeding.ids import Ids
from actors.cli.seeding.tally import Tally
from actors.cli.together import together
from payrail.domain.synthetic import Plan, PlannedBreak, SeededPayment
from payrail.domain.timestamps import iso

#: Payments about which orders are given at once.
_DEEDS_AT_ONCE = 8
#: A day with so many payments has lines for all that may be spoiled.
_BUSY = 100


@dataclass(frozen=True, slots=True)
class Parts:
    """Who does what."""

    ids: Ids
    stage: Stage
    deeds: Deeds
    happenings: Happenings
    calendar: Calendar
    tally: Tally
    pace: Pace
    lanes: int


@dataclass(frozen=True, slots=True)
class Told:
    """Who is told: of each payment, and of each day that begins."""

    played: Callable[[Played], None]
    day: Callable[[int], None]


def name_of(plan: Plan) -> str:
    """What parts this plan from others of its seed: its calendar."""
    return f"{plan.payments}/{plan.days}d/{plan.customers}c/{plan.merchants}m"


def first_day(plan: Plan, found: Found) -> int:
    """Where to begin: on the day that was under way, if it was this plan that was played."""
    if found.began is not None and found.began.plan == name_of(plan):
        return min(found.day, plan.days - 1)
    # A longer or a denser plan has other days: whatever the house has of it is looked through.
    return 0


def spread(plan: Plan) -> dict[int, list[PlannedBreak]]:
    """Planned breaks by day: a day has no more of them than lines that can be spoiled, and the
    next one the rest."""
    by_day: dict[int, list[PlannedBreak]] = {}
    waiting: list[PlannedBreak] = []
    for day in range(plan.days - 1):
        waiting += plan.breaks(day)
        if waiting:
            good = len(waiting)
            if plan.size_of(day) < _BUSY:
                captured = filter(is_to_be_captured, plan.on(day))
                good = sum(1 for _ in islice(captured, good))
            by_day[day], waiting = waiting[:good], waiting[good:]
    return by_day


class Month:
    """Plays one plan at one house."""

    def __init__(self, plan: Plan, parts: Parts, told: Told) -> None:
        self._plan, self._parts, self._told = plan, parts, told
        self._breaks = spread(plan)
        # Of all days: those that an earlier run has left were planned as well.
        parts.tally.planned_breaks.update(one.kind for day in self._breaks.values() for one in day)
        self._waiting: list[PlannedBreak] = []
        self._captured_at: set[str] = set()  # providers that have captures of this day

    async def play(self, found: Found) -> None:
        """Play it from where the house stands. Raises Stop 75 when it does not answer."""
        plan, calendar = self._plan, self._parts.calendar
        if plan.days == 0:
            await self._payments(plan.on(0))
            return
        first = first_day(plan, found)
        if found.began is None:
            first = next((day for day in range(plan.days) if plan.size_of(day)), 0)
        calendar.began = found.began or await self._begin(first)
        self._parts.happenings.since = iso(calendar.began.business_ms)[:10]
        self._parts.stage.said = calendar.began.metadata | {"plan": name_of(plan)}
        for day in range(first, plan.days):
            self._told.day(day)
            await self._day(day)

    async def _begin(self, first: int) -> Began:
        """The first day with payments is today: days without any before it are left out."""
        now = await self._parts.calendar.now(name_of(self._plan))
        return replace(now, business_ms=now.business_ms - first * DAY_MS)

    async def _day(self, day: int) -> None:
        plan, parts = self._plan, self._parts
        self._captured_at.clear()
        await self._payments(plan.on(day))
        await self._dues(day)
        if not await parts.calendar.is_leaving(day):
            await parts.happenings.pay_out(day)
            self._waiting += self._breaks.get(day, [])
            if self._captured_at:  # Otherwise there is nothing to state, and they wait for a day.
                await parts.happenings.spoil(self._waiting, self._captured_at)
                self._waiting = []
        if day < plan.days - 1:  # The last one stands as its payments leave it.
            await parts.calendar.leave(day)
        await parts.happenings.reconcile()
        await parts.happenings.judge(day, await parts.calendar.today())

    async def _payments(self, payments: Iterator[SeededPayment]) -> None:
        """Play them, the very first alone: when its plan began is what all others say, too."""
        parts = self._parts
        if not parts.ids.count and (first := next(payments, None)):
            await play_all(parts.stage, iter([first]), self._played, lanes=1)
        await play_all(parts.stage, payments, self._played, lanes=parts.lanes, pace=parts.pace)

    def _played(self, one: Played) -> None:
        if one.payment_id:
            self._parts.ids.put(one.plan.key, one.payment_id)
        self._parts.tally.played(one)
        if one.state == "captured" and one.provider:
            self._captured_at.add(one.provider)
        self._told.played(one)

    async def _dues(self, day: int) -> None:
        """What follows on that day, for some payments at once."""
        due = self._plan.due(day)

        async def lane() -> None:
            for planned, follows in due:
                if payment_id := self._parts.ids.get(planned.key):
                    await self._parts.deeds.follow(planned, payment_id, follows)

        await together(lane() for _ in range(_DEEDS_AT_ONCE))
