"""Somebody who sets the clock of the house's machine, forward and back, again and again.

Never so far that its webhooks would be too old or too new for a shop, who has the right time.
"""

import asyncio
import random
from collections import Counter
from pathlib import Path

from actors.cli.chaos.jumpy import AHEAD_FILE
from actors.cli.chaos.witness import Witness

EVERY_S = 10.0
#: Shops take webhooks that are up to five minutes off; the rest is for those that are on their way.
AHEAD_S_MAX = 120
_JUMPS_S = (-120, -60, -10, -1, 1, 10, 60, 120)


class WallClock:
    """Counts its jumps. `settings` is what the house must be started with."""

    def __init__(self, folder: Path, log: Witness, *, seed: int) -> None:
        self._path, self._log = folder / "clock-ahead-s", log
        self._chance = random.Random(seed)
        self._ahead_s = 0
        self.jumps: Counter[str] = Counter()
        self.settings = {AHEAD_FILE: str(self._path)}
        self._set(0)

    async def run(self) -> None:
        """Set it again and again, until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            legal = [jump for jump in _JUMPS_S if abs(self._ahead_s + jump) <= AHEAD_S_MAX]
            jump_s = self._chance.choice(legal)
            self._set(self._ahead_s + jump_s)
            self.jumps["forward" if jump_s > 0 else "back"] += 1
            self._log.write(fault="clock", jump_s=jump_s, ahead_s=self._ahead_s)

    def _set(self, ahead_s: int) -> None:
        new = self._path.with_suffix(".new")
        new.write_text(str(ahead_s))
        new.replace(self._path)
        self._ahead_s = ahead_s
