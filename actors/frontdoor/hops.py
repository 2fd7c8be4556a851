"""Business time on its way: from timer to timer, so that what is due happens in its order.

Before each hop the house is still: what the last one brought about is done, in all actors. One way
at a time; a further order makes it longer. It ends where it was told to, or with a word on why it
stands where it stands: freezing, following, an actor that does not serve or never comes to rest.
A way begins with a move to where it starts: whoever's clock is behind the front door's is there
then, and nobody waits for it to be as late by itself.
Never: moves wire time, or goes on after its process: the next order does.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from actors.frontdoor.clock_hand import ClockHand
from payrail.domain.timestamps import iso
from payrail.domain.words.kinds import PROVIDERS
from payrail.errors import RequestError
from payrail.runtime.cellpage import Cells, CellView
from payrail.runtime.hopping import Seen, Stillness, next_stop, waiting_for
from payrail.runtime.ports import Bell

#: Looks at the cells are so far apart; each rings, so that whoever sleeps looks at its timers.
LOOK_S = 0.01
#: An actor that was killed is back by then; one that stays away is named.
AWAY_MS_MAX = 10_000
#: A long reconciliation has its end by then.
BUSY_MS_MAX = 60_000
#: More timers than any house has in the longest advance.
HOPS_MAX = 200_000
#: Actors without timers of business time, whose cells tell no rest.
TIMELESS = ("frontdoor", "console")
#: Its errands are visits to merchants' endpoints, which may hang and change nothing here.
_VISITOR = "dispatcher"

Look = Callable[[], Mapping[str, Seen]]


class Hopping(Struct):
    """A way under way."""

    from_ms: int
    to_ms: int  # as of `wire_ms`: a clock that follows goes on meanwhile
    wire_ms: int
    user_id: str
    hops: int = 0


class Stopped(Struct, frozen=True):
    """Where the last way ended before its end, and why."""

    at_ms: int
    to_ms: int
    why: str
    waiting_for: list[str] = []


class Hops:
    """The one way of this house."""

    def __init__(
        self, hand: ClockHand, look: Look, ring: Callable[[], None], closing: Callable[[], bool]
    ) -> None:
        """`look` reads the cells, `ring` wakes their actors, `closing` tells that the door goes."""
        self._hand, self._look, self._ring, self._closing = hand, look, ring, closing
        self._task: asyncio.Task[None] | None = None
        self.hopping: Hopping | None = None
        self.stopped: Stopped | None = None
        self.done_ms = 0  # all that is due by then is done, as far as this process has seen

    @property
    def end_ms(self) -> int:
        """Where business time will be; 0 while nothing is under way."""
        return self.hopping.to_ms if self.hopping else 0

    def go(self, to_ms: int, wire_ms: int, user_id: str) -> None:
        """Set out for `to_ms`, as it was meant at `wire_ms`, or go further than was asked for so
        far."""
        self.stopped = None
        if self.hopping is not None:
            self.hopping.to_ms = max(self.hopping.to_ms, to_ms)
            return
        self.hopping = Hopping(self._hand.business_ms(), to_ms, wire_ms, user_id)
        self._task = asyncio.create_task(self._run(self.hopping))

    def stop(self, why: str) -> None:
        """End it here and now."""
        self._stop(why)

    async def arrived(self, within_s: float) -> bool:
        """Wait for the end; whether it came."""
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=within_s)
        return self.hopping is None

    async def _run(self, way: Hopping) -> None:
        at_ms = way.from_ms
        try:
            self._hand.move(way.user_id, to_ms=at_ms)
            while way is self.hopping and await self._is_still(way, at_ms):
                self.done_ms = at_ms
                now_ms, end_ms, wire_ms = self._now_and_end(way)
                if now_ms >= end_ms:
                    self.hopping = None
                    return
                if way.hops == HOPS_MAX:
                    self._stop("so many timers are none of ours")
                    return
                at_ms = max(now_ms, next_stop(self._look(), end_ms))
                self._hand.move(way.user_id, to_ms=at_ms, at_wire_ms=wire_ms)
                way.hops += 1
        except (RequestError, OSError) as error:
            if way is self.hopping:
                self._stop(str(error))

    def _now_and_end(self, way: Hopping) -> tuple[int, int, int]:
        setting = self._hand.setting()
        business_ms, wire_ms = self._hand.times(setting)
        passed_ms = wire_ms - way.wire_ms if setting.mode == "follow" else 0
        return business_ms, way.to_ms + passed_ms, wire_ms

    async def _is_still(self, way: Hopping, at_ms: int) -> bool:
        """Wait until all is done that is due at `at_ms`; False when the way has ended meanwhile."""
        stillness, began_ms = Stillness(at_ms), self._hand.monotonic_ms()
        served_ms = began_ms
        while way is self.hopping:
            seen, now_ms = self._look(), self._hand.monotonic_ms()
            if stillness.look(seen, now_ms):
                return True
            if all(one.is_serving for one in seen.values()):
                served_ms = now_ms
            if now_ms - served_ms > AWAY_MS_MAX or now_ms - began_ms > BUSY_MS_MAX:
                self._stop("the house does not come to rest", list(waiting_for(seen, at_ms)))
            elif self._closing():
                self._stop("the front door stops")
            self._ring()
            await asyncio.sleep(LOOK_S)
        return False

    def _stop(self, why: str, waiting: list[str] | None = None) -> None:
        way, self.hopping = self.hopping, None
        if way is not None:
            self.stopped = Stopped(self._hand.business_ms(), way.to_ms, why, waiting or [])

    def shown(self) -> dict[str, Any]:
        """Both as they are answered."""
        way, stop = self.hopping, self.stopped
        hopping = way and {
            "from": iso(way.from_ms),
            "to": iso(way.to_ms),
            "now": iso(self._hand.business_ms()),
            "hops": way.hops,
        }
        stopped = stop and {
            "at": iso(stop.at_ms),
            "to": iso(stop.to_ms),
            "why": stop.why,
            "waiting_for": stop.waiting_for,
        }
        return {"hopping": hopping, "stopped": stopped}


def cells_of(cells: Cells, actors: tuple[str, ...]) -> Look:
    """How the actors' cells show them; who never was in this home has no timers here either."""
    names = [name for name in actors if name not in TIMELESS]

    def look() -> dict[str, Seen]:
        found = {name: cells.read(name) for name in names}
        return {name: _seen(name, cell) for name, cell in found.items() if cell is not None}

    return look


def ringer_of(bell: Bell, actors: tuple[str, ...]) -> Callable[[], None]:
    """Wakes all who have timers."""

    def ring() -> None:
        for name in actors:
            if name not in TIMELESS:
                bell.ring(name)

    return ring


def _seen(name: str, cell: CellView) -> Seen:
    errands = 0 if name == _VISITOR else cell.rested.errands
    rested = replace(cell.rested, errands=errands)
    return Seen(cell.epoch, cell.state, rested, posts=name in PROVIDERS)
