"""What a resident is, and the handles it is given: the life of one actor inside one process.

    with taking_up(home, "vault") as control:
        await resident.run(control)

`taking_up` waits for the actor's writer lock, so that no line is ever written by two incarnations,
and only then opens the cell and the bell.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from payrail.errors import HomeHeld
from payrail.runtime.bells import BellWaiter
from payrail.runtime.cellpage import CellPage
from payrail.runtime.cells import CellWriter
from payrail.runtime.locks import Lock

#: How long a new incarnation waits until its predecessor, whose supervisor was killed, is gone.
WRITER_WAIT_MS = 5_000
_RETRY_S = 0.02
#: Beats are this far apart; the supervisor's patience is a multiple of it.
BEAT_MS = 250


class Control:
    """What a running resident is told, and what it tells."""

    def __init__(self, cell: CellPage, bell: BellWaiter) -> None:
        self.cell = cell
        self.bell = bell
        self.stopping = asyncio.Event()
        self._paused = False
        self._started = False

    @property
    def paused(self) -> bool:
        """While true, take no messages; beat all the same."""
        return self._paused

    def started(self) -> None:
        """Report that recovery is done and messages are taken."""
        self._started = True
        self.cell.serve()
        if self._paused:
            self.cell.state = "paused"

    def seal(self) -> None:
        """Report that nothing is read or written until people have put something right."""
        self.cell.state = "sealed"

    def unseal(self) -> None:
        """Report that it is right now, and recovery begins."""
        if not self.stopping.is_set():
            self.cell.state = "starting"

    def pause(self, paused: bool) -> None:
        """Take no messages, or take them again."""
        self._paused = paused
        if self._started and not self.stopping.is_set():
            self.cell.state = "paused" if paused else "serving"
        self.bell.wake()

    def stop(self) -> None:
        """Ask the resident to finish the batch in hand and return."""
        self.stopping.set()
        self.cell.state = "stopping"
        self.bell.wake()


class Resident(Protocol):
    """One actor with its driver, ready to run: what `build(name, home, options)` returns."""

    name: str

    async def run(self, control: Control) -> None:
        """Recover, call `control.started()`, serve until `control.stopping`, wind down.

        A recovery that holds up the loop for seconds calls `control.cell.beat()` as it goes, asks
        `control.cell.adopt()` which message is suspect, counts messages in `control.cell.steps`.
        """


async def beating(cell: CellPage) -> None:
    """Beat until cancelled. A loop that is stuck in a message does not get here."""
    while True:
        cell.beat()
        await asyncio.sleep(BEAT_MS / 1000)


@contextmanager
def taking_up(home: str | Path, name: str, *, wait_ms: int = WRITER_WAIT_MS) -> Iterator[Control]:
    """Become the only incarnation of `name` in this home. Raises HomeHeld."""
    lock = _writer_lock(home, name, wait_ms)
    cell = CellWriter(home, name)
    bell = BellWaiter(home, name, cell)
    try:
        yield Control(cell, bell)
    finally:
        bell.close()
        cell.state = "down"
        cell.close()
        lock.release()


def writer_lock_path(home: str | Path, name: str) -> Path:
    """The lock that the living incarnation of `name` holds."""
    return Path(home) / "data" / "actors" / name / "writer.lock"


def _writer_lock(home: str | Path, name: str, wait_ms: int) -> Lock:
    path = writer_lock_path(home, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + wait_ms / 1000
    while True:
        if lock := Lock.take(path):
            return lock
        if time.monotonic() >= until:
            raise HomeHeld(name, "an earlier incarnation that has not ended yet")
        time.sleep(_RETRY_S)
