"""Fills the disk of the house for some seconds, again and again.

Whatever the house accepted before must be there afterwards; what it cannot write down it must not
accept. An actor that lost its trust in the disk is held until people release it: that is done here.
"""

import asyncio
import random
import time
from collections import Counter

from actors.cli.chaos.house import House
from actors.cli.chaos.smalldisk import SmallDisk
from actors.cli.chaos.witness import Witness

EVERY_S = 20.0
FULL_S = (0.5, 4.0)
#: How long a house may take to serve again once there is room: a sick actor is tried each half
#: minute.
BACK_S_MAX = 300.0
_LOOK_S = 0.25


class FullDisk:
    """`done` counts: full, refused (a write beside the house found no room), released actors.
    `failures`: houses that did not come back by themselves."""

    def __init__(
        self, house: House, disk: SmallDisk, log: Witness, alone: asyncio.Lock, *, seed: int
    ) -> None:
        """`alone` is held while the disk is full, so that nobody starts a house on it."""
        self._house, self._disk, self._log, self._alone = house, disk, log, alone
        self._chance = random.Random(seed)
        self.done: Counter[str] = Counter()
        self.back_s: list[float] = []
        self.failures: list[str] = []

    async def run(self) -> None:
        """Fill and free, until cancelled; in the end there is room."""
        while True:
            await asyncio.sleep(EVERY_S)
            async with self._alone:
                await self._full()
                await self._back()

    async def _full(self) -> None:
        seconds = self._chance.uniform(*FULL_S)
        self._log.write(fault="disk full", seconds=round(seconds, 3))
        try:
            await asyncio.to_thread(self._disk.fill)
            self.done["full"] += 1
            self.done["refused"] += self._disk.refuses()
            await asyncio.sleep(seconds)
        finally:
            self._disk.free()

    async def _back(self) -> None:
        """Wait until all serve, while the killer goes on."""
        began, seen = time.monotonic(), set[str]()
        wanted = {row["name"] for row in self._house.rows()}
        while not wanted <= seen:
            if time.monotonic() - began > BACK_S_MAX:
                missing = ", ".join(sorted(wanted - seen))
                self.failures.append(f"not back {BACK_S_MAX} s after the disk was full: {missing}")
                return
            for row in self._house.rows():
                if row["state"] == "held":
                    await self._release(row["name"])
                elif row["state"] in ("serving", "paused", "blocked"):
                    seen.add(row["name"])
            await asyncio.sleep(_LOOK_S)
        self.back_s.append(time.monotonic() - began)

    async def _release(self, actor: str) -> None:
        await asyncio.to_thread(self._house.cli, "release", actor)
        self.done["released"] += 1
        self._log.write(fault="released by people", actor=actor)
