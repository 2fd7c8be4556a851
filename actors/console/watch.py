"""The console's one look at the house, shared by all tabs: health, providers, balances, events.

A turn asks the API once and keeps what it said. When nobody answers, what was seen last stays, with
the time since when it is old. Never: looks while nobody watches.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from actors.console.api import Api, ApiDown, ApiRefused
from actors.console.shapes import ActorRow, Balance, Provider
from actors.console.tally import Tally
from payrail.domain.timestamps import iso
from payrail.runtime.ports import Clock

#: A look younger than this is not repeated for one more page.
FRESH_MS = 500
#: Pages of events in one turn; a long outbox is counted over several.
EVENT_PAGES_MAX = 8


@dataclass(frozen=True, slots=True)
class Seen:
    """The house as it was seen last."""

    at: str = ""  # of the last look that was answered; empty: never
    down: str = ""  # why the API does not answer; empty: it does
    down_since: str = ""
    actors: Sequence[ActorRow] = ()
    providers: Sequence[Provider] = ()
    balances: Sequence[Balance] = ()
    counting: bool = False  # there are events that are not counted yet

    @property
    def api_up(self) -> bool:
        return not self.down and bool(self.at)


class Watch:
    """Looks at the house when asked to. Several who ask at once share one look."""

    def __init__(self, api: Api, clock: Clock) -> None:
        self.api, self._clock = api, clock
        self.seen, self.tally = Seen(), Tally()
        self.changes = 0  # looks that found new events; a list read before is old then
        self._looking = asyncio.Lock()
        self._looked_ms: int | None = None

    async def fresh(self) -> None:
        """See to it that what was seen is no older than FRESH_MS."""
        async with self._looking:
            now_ms = self._clock.monotonic_ms()
            if self._is_old(now_ms):
                await self._look()
                self._looked_ms = self._clock.monotonic_ms()

    def _is_old(self, now_ms: int) -> bool:
        if self._looked_ms is None or self.seen.counting:
            return True
        return now_ms - self._looked_ms >= FRESH_MS

    async def _look(self) -> None:
        try:
            health, providers = await self.api.health(), await self.api.providers()
            counting = await self._count()
            balances = await self.api.balances()
        except (ApiDown, ApiRefused) as error:
            self.missed(str(error))
            return
        at = iso(self._clock.now().wall_ms)
        self.seen = Seen(at, "", "", health.actors, providers, balances, counting)

    def missed(self, why: str) -> None:
        """Nobody answered: what was seen last is old from now on."""
        since = self.seen.down_since or iso(self._clock.now().wall_ms)
        self.seen = replace(self.seen, down=why, down_since=since)

    async def _count(self) -> bool:
        """Fold what happened since; True when there is more than one turn takes."""
        for _ in range(EVENT_PAGES_MAX):
            page = await self.api.events(self.tally.through)
            for event in page.data:
                self.tally.fold(event)
            if page.next_cursor:  # Also past events that are not for us.
                self.tally.through = max(self.tally.through, int(page.next_cursor))
            self.changes += bool(page.data)
            if not page.has_more:
                return False
        return True
