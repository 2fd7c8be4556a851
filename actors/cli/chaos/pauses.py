"""Stops actors by SIGSTOP and lets them go on by SIGCONT, for moments and for too long.

Beyond its patience the supervisor takes a silent actor for hung: it is killed and started again,
and whatever the stopped one still had in its hands must not happen twice.
"""

import asyncio
import os
import random
import signal
from collections import Counter

from actors.cli.chaos.house import House
from actors.cli.chaos.killer import VICTIMS, is_of
from actors.cli.chaos.witness import Witness

EVERY_S = 3.0
#: A short stop, and one that the supervisor's five seconds do not bear.
SHORT_S, LONG_S = (0.05, 1.5), 7.5
#: One stop of so many is long.
LONG_EVERY = 4


class Pauser:
    """Counts its stops: short ones, long ones whose actor was replaced, and long ones whose actor
    was not: the supervisor itself was away, or somebody else killed it first."""

    def __init__(self, house: House, log: Witness, *, seed: int) -> None:
        self._house, self._log = house, log
        self._chance = random.Random(seed)
        self.stops: Counter[str] = Counter()
        self.by_actor: Counter[str] = Counter()

    async def run(self) -> None:
        """Stop one after the other, until cancelled; whoever is stopped then goes on."""
        number = 0
        while True:
            await asyncio.sleep(EVERY_S)
            actor = self._chance.choice(VICTIMS)
            pid = self._pid(actor)
            if pid is not None:
                number += 1
                await self._stop(actor, pid, is_long=number % LONG_EVERY == 0)

    def _pid(self, actor: str) -> int | None:
        row = self._house.row(actor)
        pid = row["pid"] if row else None
        return pid if pid and is_of(self._house.home, pid) else None

    async def _stop(self, actor: str, pid: int, *, is_long: bool) -> None:
        seconds = LONG_S if is_long else self._chance.uniform(*SHORT_S)
        if not self._signal(pid, signal.SIGSTOP):
            return
        self._log.write(fault="pause", actor=actor, pid=pid, seconds=round(seconds, 3))
        try:
            await asyncio.sleep(seconds)
        finally:
            lives = self._signal(pid, signal.SIGCONT)
        name = "short" if not is_long else "long, not replaced" if lives else "long, replaced"
        self.stops[name] += 1
        self.by_actor[actor] += 1

    def _signal(self, pid: int, number: signal.Signals) -> bool:
        """Whether there was such a process of this home to signal."""
        if not is_of(self._house.home, pid):
            return False
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return False
        return True
