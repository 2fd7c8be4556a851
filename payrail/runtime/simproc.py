"""Simulated processes: each takes up an actor as a real one does, lives a turn at a time, and dies.

    process = SimProcess(machine, pid=7)        # a spare
    process.become("gateway")                   # first turn: writer lock, cell, recovery
    process.turn()                              # what it does until it would wait
    process.kill()                              # at any moment; what was written stays

A process fills `ports.Child`, so that the real `warden` keeps it. Real here are also the cell's
page, the control, the life of the actor, the guarded clock and the exit codes.
Never: knows an actor; its machine says what a process of that name becomes.
"""

import signal
from collections.abc import Callable, Mapping
from typing import Any, Protocol, cast

import msgspec

from payrail.errors import HomeHeld
from payrail.runtime.bells import IDLE_MS_MAX, BellWaiter
from payrail.runtime.child import Line, exit_code, obey
from payrail.runtime.clocks import SystemClock
from payrail.runtime.control import WRITER_WAIT_MS, Control
from payrail.runtime.ports import Bell
from payrail.runtime.simcells import SimCell, SimCells
from payrail.runtime.simdisk import SimDisk
from payrail.runtime.simfaults import Faults, SimCrash
from payrail.runtime.simfs import SimFs
from payrail.runtime.simtime import SimTime
from payrail.runtime.turning import Wait

#: The code of a process that was killed.
KILLED = -signal.SIGKILL
#: Between two tries for a writer lock that an earlier incarnation still holds.
_LOCK_AGAIN_MS = 20


class Life(Protocol):
    """What a process does once it has recovered; building it is the recovery. `turning.Turning` is
    one, a front door may be another."""

    @property
    def turns_paused(self) -> bool:
        """Whether it has something to do also while it is paused: a door says so to its askers."""

    def turn(self) -> Wait | None: ...

    def waited(self, waited_ms: int, *, rung: bool) -> None: ...

    def leave(self) -> None: ...

    def idle_ms(self, slept_ms: int) -> int | None: ...


class Ground(Protocol):
    """What a process stands on: its machine (`simmachine.SimMachine`)."""

    time: SimTime
    disk: SimDisk
    cells: SimCells
    bell: Bell
    faults: Callable[[str], Faults]
    mischief: Callable[[str, str], str]
    slow_ms: dict[str, int]

    def joined(self, process: "SimProcess") -> None:
        """A spare has become somebody."""

    def locked(self, process: "SimProcess") -> bool:
        """Take the writer lock of its actor; False when another living process has it."""

    def build(self, process: "SimProcess") -> Life:
        """Recover what a process of that name is."""

    def ended(self, process: "SimProcess") -> None:
        """It is dead: `code` and `error` say of what."""

    def log_of(self, actor: str) -> Any: ...


class Hung(BaseException):
    """The simulated process stands still in the middle of a message. No error of ours."""


class SimProcess:
    """One process from spare to death. Times are monotonic milliseconds."""

    # These four are there once it holds its actor's writer lock.
    fs: SimFs
    cell: SimCell
    clock: SystemClock
    control: Control

    def __init__(self, ground: Ground, pid: int) -> None:
        self.ground, self._pid = ground, pid
        self.name = ""  # of the actor; empty: a spare
        self.life: Life | None = None
        self.error: Exception | None = None  # what it died of, if not of a signal
        self.due_ms: int | None = None  # when it turns next by itself; None: never
        self.is_stopped = self.is_hung = False
        self._code: int | None = None
        self._is_up = False  # it holds its lock, and has its cell
        self._lines: list[Mapping[str, Any]] = []
        self._give_up_ms = 0
        self._wait: Wait | None = None  # what it sleeps for; None: it is awake
        self._slept_from_ms = 0
        self._rung = False
        self._is_news = False  # whether somebody had written when it was asked last
        self._late_rings = 0

    # As its supervisor sees it: `ports.Child`.

    @property
    def pid(self) -> int:
        return self._pid

    def code(self) -> int | None:
        return self._code

    def become(self, actor: str) -> None:
        if self._code is None:
            self.name, self.due_ms = actor, self._now_ms()
            self._give_up_ms = self.due_ms + WRITER_WAIT_MS
            self.ground.joined(self)

    def tell(self, line: Mapping[str, Any]) -> None:
        self._lines.append(line)
        self.wake()

    def kill(self) -> None:
        self._end(KILLED)

    def end(self) -> None:
        self._end(KILLED)

    # As the world sees it.

    @property
    def is_alive(self) -> bool:
        return self._code is None

    def is_ready(self, now_ms: int) -> bool:
        """Whether it would do something now, if it were its turn."""
        due_ms = self.due_ms  # None of the dead
        if due_ms is None or due_ms > now_ms:
            return False
        return not self.is_stopped and not self.is_hung

    def next_ms(self, now_ms: int, *, at_once: bool = False) -> int | None:
        """When it will have something to do, if nobody writes and nobody rings: looks that would
        find nothing are passed over. None: never. `at_once`: nobody wrote since this was asked."""
        if self._code is not None or self.due_ms is None or self.is_stopped or self.is_hung:
            return None
        if self._wait is None or self._rung or self.life is None:
            return self.due_ms
        if self.control.paused and not self.life.turns_paused:
            return None
        if not at_once:
            self._is_news = self._wait.anything_new is not None and self._wait.anything_new()
        if self._is_news:
            return self.due_ms  # Its bell was lost: it looks when its sleep ends.
        idle_ms = self.life.idle_ms(now_ms - self._slept_from_ms)
        return None if idle_ms is None else max(self.due_ms, now_ms + idle_ms)

    def sleeps_on(self, now_ms: int, *, at_once: bool = False) -> None:
        """Its sleep is over and a look would find nothing: it has looked, and sleeps again."""
        if self._wait is None or self._rung or self.due_ms is None or self.due_ms > now_ms:
            return
        next_ms = self.next_ms(now_ms, at_once=at_once)
        again_ms = now_ms + IDLE_MS_MAX
        if next_ms is None:
            self.due_ms = again_ms
        elif next_ms > now_ms:
            self.due_ms = min(next_ms, again_ms)

    def stop(self) -> None:
        """SIGSTOP: neither turn nor beat; its lock is held all the same."""
        self.is_stopped = True
        self._beat(False)

    def go_on(self) -> None:
        """SIGCONT."""
        self.is_stopped = False
        self._beat(not self.is_hung)

    def ring(self, rings: int) -> None:
        """Its bell: one ring ends its sleep; of more than one, the others come at its next sleep.
        Nobody rings for the wakeful."""
        if rings and self._wait is not None:
            self._late_rings += rings - 1
            self.wake()

    def wake(self) -> None:
        """End its sleep, or skip the next: for what comes to an end in its own process."""
        self._rung = True
        if self.due_ms is not None:
            self.due_ms = min(self.due_ms, self._now_ms())

    def turn(self) -> None:
        """Do what comes next, until it would wait or others may run. What it dies of is its own:
        nothing is raised."""
        try:
            self._turn()
        except SimCrash:
            self._end(KILLED)
        except Hung:
            self.is_hung = True
            self._beat(False)
        except Exception as error:
            self._end(exit_code(error), error)

    # Its life.

    def _turn(self) -> None:
        if self.life is None:
            self._take_up()
            return
        self._wake_up(self.life)
        self._hear()
        if self.control.stopping.is_set():
            self.life.leave()
            self._end(0)
        elif self.control.paused and not self.life.turns_paused:
            self._sleep(Wait(IDLE_MS_MAX))
        elif (wait := self.life.turn()) is None:
            self.due_ms = self._now_ms() + self.ground.slow_ms.get(self.name, 0)
        else:
            self._sleep(wait)

    def _take_up(self) -> None:
        """As `control.taking_up`: the lock first, and nothing is touched before."""
        ground, now_ms = self.ground, self._now_ms()
        if not ground.locked(self):
            if now_ms >= self._give_up_ms:
                raise HomeHeld(self.name, "an earlier incarnation that has not ended yet")
            self.due_ms = now_ms + _LOCK_AGAIN_MS
            return
        self.fs = SimFs(ground.disk, faults=ground.faults(self.name))
        self.cell = ground.cells.open(self.name, self._pid, self._marked)
        self._is_up = True
        self.control = Control(self.cell, cast(BellWaiter, self))  # of a bell it wants `wake`
        self._hear()
        self.clock = ground.time.clock(self.fs, ground.log_of(self.name).warning)
        self.life = ground.build(self)
        self.control.started()
        self.due_ms = now_ms + ground.slow_ms.get(self.name, 0)

    def _hear(self) -> None:
        lines, self._lines = self._lines, []
        for line in lines:
            obey(self.control, msgspec.convert(line, Line))

    def _sleep(self, wait: Wait) -> None:
        self._wait, self._slept_from_ms = wait, self._now_ms()
        if self._late_rings:
            self._late_rings -= 1
            self._rung = True
        if not self._rung and wait.anything_new is not None:
            self._rung = wait.anything_new()
        self.due_ms = self._slept_from_ms + (0 if self._rung else wait.ms)
        self.cell.sleeping = True

    def _wake_up(self, life: Life) -> None:
        if self._wait is None:
            return
        rung, self._rung, self._wait = self._rung, False, None
        self.cell.sleeping = False
        if not self.control.paused:
            life.waited(self._now_ms() - self._slept_from_ms, rung=rung)

    def _beat(self, beats: bool) -> None:
        if self._is_up and self._code is None:
            self.ground.cells.beats(self.name, self.cell if beats else None)

    def _marked(self, message_id: str) -> None:
        what = self.ground.mischief(self.name, message_id)
        if what == "kill":
            self.fs.kill()
            raise SimCrash
        if what == "hang":
            raise Hung

    def _end(self, code: int, error: Exception | None = None) -> None:
        if self._code is not None:
            return
        self._beat(False)
        self._code, self.error, self.due_ms = code, error, None
        if self._is_up:
            self.fs.kill()
            if code != KILLED:
                self.cell.state = "down"
        self.ground.ended(self)

    def _now_ms(self) -> int:
        return self.ground.time.monotonic_ms()
