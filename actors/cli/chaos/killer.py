"""Kills actors of one house by SIGKILL, in a seeded order, at the moments that hurt.

An actor counts as busy when, right before the kill, something lay unread or in its hands, or its
steps had risen within the last 200 ms. Front door and console have no backlog: they are busy while
somebody's requests to them are on their way.
Never: kills a process that the home's own files do not name as this actor, or of another home.
"""

import asyncio
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from actors.cli.chaos.house import House
from actors.cli.chaos.witness import Witness
from payrail.runtime.cells import CellView

VICTIMS = (
    *("gateway", "vault", "provider-a", "provider-b", "dispatcher", "reconciler"),
    *("frontdoor", "console"),
)
_RISING_MS = 200
_SERVING = ("serving", "paused", "blocked")
#: An actor serves so long before it is struck again: a machine too busy to start one within seconds
#: would else have a house that never works, and a run that proves nothing.
_LIFE_S_MIN = 1.0
#: So many may be on their way back at once, for the same reason: the next kill waits for one.
DOWN_AT_ONCE_MAX = 2
#: How long the killer waits for a victim to have something in its hands.
_PATIENCE_S, _LOOK_S = 0.5, 0.02
_DOWN_LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill. `busy_inside`: by its cell; `busy_outside`: requests to it were on their way."""

    at: float
    actor: str
    pid: int
    epoch: int
    backlog: int
    busy_inside: bool
    busy_outside: bool

    @property
    def is_busy(self) -> bool:
        return self.busy_inside or self.busy_outside


class Killer:
    """Kills until it is cancelled. `in_flight` counts the requests to those who have no backlog."""

    def __init__(
        self,
        house: House,
        in_flight: Mapping[str, Callable[[], int]],
        *,
        kills_per_second: float,
        seed: int,
        victims: tuple[str, ...] = VICTIMS,
        in_turn: bool = True,
        log: Witness | None = None,
    ) -> None:
        """`in_turn`: every victim that serves once before any comes again; else by chance."""
        self._house, self._in_flight = house, in_flight
        self._every_s = 1 / kills_per_second if kills_per_second else 0.0
        self._victims = victims
        self._chance, self._in_turn, self._log = random.Random(seed), in_turn, log
        self.kills: list[Kill] = []
        self._serving_since: dict[str, tuple[int, float]] = {}  # (pid, when it was first seen)
        self.resting = False  # while the house is being started again

    async def run(self) -> None:
        """One kill each `_every_s`, until cancelled; none without a rate."""
        while not self._every_s:
            await asyncio.sleep(1)
        due = time.monotonic() + self._every_s
        left: list[str] = []
        while True:
            if not left or not self._in_turn:
                left = self._chance.sample(self._victims, len(self._victims))
            await asyncio.sleep(max(0.0, due - time.monotonic() - _RISING_MS / 1000))
            while self._down() >= DOWN_AT_ONCE_MAX:
                await asyncio.sleep(_DOWN_LOOK_S)
            kill = await self._chosen(left)
            if kill is None:
                left = []
                continue
            os.kill(kill.pid, signal.SIGKILL)
            self._keep(kill)
            left.remove(kill.actor)
            due = max(due + self._every_s, time.monotonic())

    def _keep(self, kill: Kill) -> None:
        self.kills.append(kill)
        if self._log is not None:
            told = {"actor": kill.actor, "pid": kill.pid, "epoch": kill.epoch}
            self._log.write(fault="kill", **told, busy=kill.is_busy)

    async def _chosen(self, left: list[str]) -> Kill | None:
        """The first of `left` that is busy; when none comes to be, the first that serves."""
        before = {actor: CellView.read(self._house.home, actor) for actor in left}
        await asyncio.sleep(_RISING_MS / 1000)
        until = time.monotonic() + _PATIENCE_S
        while True:
            seen = [kill for actor in left if (kill := self._seen(actor, before[actor]))]
            busy = [kill for kill in seen if kill.is_busy]
            if busy or time.monotonic() > until:
                return next(iter(busy or seen), None)
            await asyncio.sleep(_LOOK_S)

    def _seen(self, actor: str, before: CellView | None) -> Kill | None:
        """The kill that would be struck now; None while the actor does not serve."""
        row = None if self.resting else self._house.row(actor)
        cell = CellView.read(self._house.home, actor)
        if row is None or cell is None or not row["pid"] or row["state"] not in _SERVING:
            return None
        if not is_of(self._house.home, row["pid"]) or not self._has_lived(actor, row["pid"]):
            return None
        since = before.steps if before is not None and before.pid == cell.pid else 0
        return Kill(
            at=time.time(),
            actor=actor,
            pid=row["pid"],
            epoch=row["epoch"],
            backlog=row["backlog"],
            busy_inside=row["backlog"] > 0 or cell.inflight is not None or cell.steps > since,
            busy_outside=actor in self._in_flight and self._in_flight[actor]() > 0,
        )

    def _down(self) -> int:
        """How many victims do not serve now."""
        rows = self._house.rows()
        serving = {row["name"] for row in rows if row["pid"] and row["state"] in _SERVING}
        return len(set(self._victims) - serving)

    def _has_lived(self, actor: str, pid: int) -> bool:
        now = time.monotonic()
        if self._serving_since.get(actor, (0, 0.0))[0] != pid:
            self._serving_since[actor] = pid, now
        return now - self._serving_since[actor][1] >= _LIFE_S_MIN

    @property
    def busy_share(self) -> float:
        """Of all kills, how many hit a busy actor: 0 to 1."""
        return sum(kill.is_busy for kill in self.kills) / max(1, len(self.kills))

    def by_actor(self) -> Counter[str]:
        return Counter(kill.actor for kill in self.kills)


def is_of(home: Path, pid: int) -> bool:
    """Whether this process was started for this home."""
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return not Path("/proc/self/environ").exists()  # A machine without /proc: trust the lock.
    return b"PAYRAIL_HOME=" + os.fsencode(home) + b"\0" in environment
