"""Which timers are due, found without looking at those that are not.

A hint beside the head's timers, which are the truth: an alarm of a timer that was cancelled or
moved since is passed over, and forgotten when such alarms become the greater part.
"""

import heapq
from collections.abc import Mapping

from payrail.runtime.admission import DueItem
from payrail.runtime.head import Timer
from payrail.runtime.ports import Now

#: Passed-over alarms are not worth sweeping below this many.
SWEEP_MIN = 1024


class Alarms:
    """The timers of one head, by when they come due."""

    def __init__(self, timers: Mapping[str, Timer]) -> None:
        self._timers = timers
        self._wire: list[tuple[int, str, int]] = []
        self._business: list[tuple[int, str, int]] = []
        self._fill()

    def add(self, timer_id: str) -> None:
        """A timer was set, perhaps again."""
        if len(self._wire) + len(self._business) > 2 * len(self._timers) + SWEEP_MIN:
            self._fill()
            return
        timer = self._timers[timer_id]
        heap = self._business if timer.business else self._wire
        heapq.heappush(heap, (timer.due_ms, timer_id, timer.generation))

    def due(self, now: Now, limit: int) -> list[DueItem]:
        """Up to `limit` timers that are due, earliest first; each is told once."""
        wire = self._taken(self._wire, now.wire_ms, limit)
        business = self._taken(self._business, now.business_ms, limit - len(wire))
        return wire + business

    def next_ms(self, now: Now) -> int | None:
        """Milliseconds until the next timer, 0 when it is due; None without one."""
        waits = []
        for heap, at_ms in ((self._wire, now.wire_ms), (self._business, now.business_ms)):
            if (due_ms := self._first_ms(heap)) is not None:
                waits.append(max(0, due_ms - at_ms))
        return min(waits, default=None)

    def next_business_ms(self) -> int | None:
        """When the next timer of business time is due; None without one."""
        return self._first_ms(self._business)

    def _first_ms(self, heap: list[tuple[int, str, int]]) -> int | None:
        while heap and not self._stands(heap[0]):
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def _taken(self, heap: list[tuple[int, str, int]], at_ms: int, limit: int) -> list[DueItem]:
        items: list[DueItem] = []
        while heap and heap[0][0] <= at_ms and len(items) < limit:
            alarm = heapq.heappop(heap)
            if self._stands(alarm):
                items.append(DueItem(alarm[1], alarm[2]))
        return items

    def _stands(self, alarm: tuple[int, str, int]) -> bool:
        timer = self._timers.get(alarm[1])
        return timer is not None and timer.generation == alarm[2] and timer.due_ms == alarm[0]

    def _fill(self) -> None:
        alarms = [
            (timer.business, (timer.due_ms, name, timer.generation))
            for name, timer in self._timers.items()
        ]
        self._wire = [alarm for business, alarm in alarms if not business]
        self._business = [alarm for business, alarm in alarms if business]
        heapq.heapify(self._wire)
        heapq.heapify(self._business)
