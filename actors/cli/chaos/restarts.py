"""Kills the supervisor, and with it the whole house, about once a minute, and starts it again."""

import asyncio
import time

from actors.cli.chaos.house import House
from actors.cli.chaos.killer import Killer
from actors.cli.chaos.witness import Witness

EVERY_S = 60.0


class Restarter:
    """`ready_s` are the seconds from each kill until the house, started again, was ready."""

    def __init__(
        self, house: House, killer: Killer, log: Witness, alone: asyncio.Lock, *, seconds: float
    ) -> None:
        """In a run of `seconds`, at least once in its middle."""
        self._house, self._killer, self._log, self._alone = house, killer, log, alone
        self._every_s = min(EVERY_S, seconds / 2)
        self.ready_s: list[float] = []

    async def run(self) -> None:
        """Again and again, until cancelled. Raises HouseFailed."""
        while True:
            await asyncio.sleep(self._every_s)
            async with self._alone:
                await self.once()

    async def once(self) -> None:
        """Kill the supervisor and start the house again. Raises HouseFailed."""
        self._killer.resting = True
        self._log.write(fault="kill", actor="supervisor")
        began = time.monotonic()
        await asyncio.to_thread(self._house.kill_supervisor)
        await asyncio.to_thread(self._house.start)
        self.ready_s.append(time.monotonic() - began)
        self._killer.resting = False
