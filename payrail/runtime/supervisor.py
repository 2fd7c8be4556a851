"""The supervisor: starts the actors of one house, watches their beats, restarts what dies.

It decides nothing about messages, holds no truth and writes only what it thinks of each actor into
that actor's lock file (`house`). What follows from a death is ruled in `supervision`. One spare
process stands ready to become whoever dies. The last name is the front door: last to start, first
to stop. All else starts at once; mailboxes do not need their readers to be there.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from payrail.runtime import supervision
from payrail.runtime.cells import CellView, monotonic_ms
from payrail.runtime.house import Tenancy, holders, request_stop, status
from payrail.runtime.orders import Order, OrderReader
from payrail.runtime.processes import ChildProcess
from payrail.runtime.supervision import Death, History, judge

__all__ = ["Limits", "Supervisor", "holders", "request_stop", "status"]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Limits:
    """How patient the supervisor is."""

    beat_ms_max: int = 5_000  # A serving actor that is silent longer hangs.
    start_ms_max: int = 60_000  # Likewise for one that recovers; a long journal takes its time.
    front_wait_ms_max: int = 10_000  # The front door waits no longer for the others.
    front_stop_ms_max: int = 3_000  # With the next, within the 10 s that SIGTERM may take.
    stop_ms_max: int = 5_000
    turn_ms: int = 100  # Between two looks at orders and beats.
    busy_turn_ms: int = 20  # Likewise while something starts.
    spare_pause_ms: int = 1_000  # A new spare lets a restart go first so long; a dead one waits it.


@dataclass(slots=True)
class Ward:
    """One actor under supervision. Times are monotonic milliseconds."""

    name: str
    orders: OrderReader
    process: ChildProcess | None = None
    started_ms: int = 0
    due_ms: int | None = 0  # when to start next; None: runs, or is held
    serving: bool = False
    was_serving: bool = False  # in any incarnation
    paused: bool = False
    hung: bool = False
    stop_by_ms: int | None = None  # it was told to end by then
    history: History = field(default_factory=History)


class Supervisor:
    """Runs the actors `names` of the home, in start order, until SIGTERM, SIGINT or `stop`.

    `build_path` says where `build(name, home, options)` is, as `module:function`: named and not
    imported, for the runtime knows no actor.
    """

    def __init__(
        self,
        home: str | Path,
        names: Sequence[str],
        build_path: str,
        options: Mapping[str, Any] | None = None,
        *,
        limits: Limits | None = None,
    ) -> None:
        self._home = os.path.abspath(home)
        self._names = list(names)
        self._build_path = build_path
        self._options = dict(options or {})
        self._limits = limits or Limits()
        self._wards: list[Ward] = []
        self._spare: ChildProcess | None = None
        self._spare_due_ms = 0  # not before
        self._spare_late_ms = 0  # from then on even while something starts
        self._watched_from_ms = 0
        self._turned_ms = 0
        self._stopping = False
        self._hurried = False

    async def run(self) -> None:
        """Live until told to stop. Raises HomeHeld, with nothing written, if another does."""
        self._tenancy = Tenancy(self._home, self._names)
        self._wake = asyncio.Event()
        heard = _hear_signals(self.stop)
        self._wards = [Ward(name, OrderReader(self._home, name)) for name in self._names]
        self._began_ms = self._turned_ms = monotonic_ms()
        try:
            while not self._stopping:
                self._turn(monotonic_ms())
                await self._pause()
            await self._wind_down()
        finally:
            self._end_all()
            _forget_signals(heard)
            self._tenancy.release()

    def stop(self) -> None:
        """End the house in order; told twice, at once."""
        self._hurried = self._stopping
        self._stopping = True
        self._wake.set()

    async def _pause(self) -> None:
        busy = any(ward.process and not ward.serving for ward in self._wards)
        turn_ms = self._limits.busy_turn_ms if busy else self._limits.turn_ms
        now_ms = monotonic_ms()
        waits_ms = [wait for ward in self._wards if (wait := (ward.due_ms or 0) - now_ms) > 0]
        try:
            async with asyncio.timeout(min([turn_ms, *waits_ms]) / 1000):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    def _turn(self, now_ms: int) -> None:
        """Look at everything once."""
        if now_ms - self._turned_ms > self._limits.beat_ms_max // 2:
            self._watched_from_ms = now_ms  # We stood still ourselves, so silence proves nothing.
        self._turned_ms = now_ms
        for ward in self._wards:
            for order in ward.orders.unread():
                self._obey(ward, order, now_ms)
            self._look_at(ward, now_ms)
        for ward in self._wards:
            if ward.due_ms is not None and now_ms >= ward.due_ms and self._may_start(ward, now_ms):
                self._start(ward, now_ms)
        self._keep_spare(now_ms)

    def _look_at(self, ward: Ward, now_ms: int) -> None:
        if ward.process is None:
            return
        code = ward.process.code()
        cell = self._cell_of(ward)
        if code is not None:
            self._bury(ward, code, cell, now_ms)
            return
        if cell and cell.served_ms and not ward.serving:
            ward.serving = ward.was_serving = True
            log.info("actor.serving", actor=ward.name, after_ms=now_ms - ward.started_ms)
        self._watch(ward, cell, now_ms)

    def _cell_of(self, ward: Ward) -> CellView | None:
        """The cell, if this incarnation has opened it. Its pid alone does not tell: in a container
        that starts anew, each process gets the number it had before."""
        cell = CellView.read(self._home, ward.name)
        if cell is None or ward.process is None or cell.beat_ms < ward.started_ms:
            return None
        return cell if cell.pid == ward.process.pid else None

    def _watch(self, ward: Ward, cell: CellView | None, now_ms: int) -> None:
        """Kill what is silent, or did not end when told to."""
        limits = self._limits
        beat_ms = max(cell.beat_ms if cell else 0, ward.started_ms, self._watched_from_ms)
        patience_ms = limits.beat_ms_max if ward.serving else limits.start_ms_max
        overdue = ward.stop_by_ms is not None and now_ms > ward.stop_by_ms
        if ward.process and not ward.hung and (overdue or now_ms - beat_ms > patience_ms):
            log.warning("actor.hangs", actor=ward.name, silent_ms=now_ms - beat_ms)
            ward.hung = True
            ward.process.kill()

    def _bury(self, ward: Ward, code: int, cell: CellView | None, now_ms: int) -> None:
        """An incarnation ended: rule what follows and write it down."""
        asked = ward.stop_by_ms is not None
        death = _death(code, cell, now_ms, ward.hung)
        ward.process, ward.serving, ward.hung, ward.stop_by_ms = None, False, False, None
        if self._stopping:
            self._tell(ward, "down")
            return
        if asked and code not in supervision.HELD_CODES:
            ward.due_ms = now_ms
            return
        ward.history, verdict = judge(ward.history, death)
        ward.due_ms = None if verdict.state == "held" else now_ms + verdict.wait_ms
        log.warning("actor.died", actor=ward.name, exit_code=code, verdict=verdict.state)
        self._tell(ward, verdict.state, why=f"exit {code}" if code >= 0 else f"signal {-code}")

    def _may_start(self, ward: Ward, now_ms: int) -> bool:
        """All at once; only the front door's first start waits until the others serve."""
        first_start = ward.started_ms == 0
        waited_ms = now_ms - self._began_ms
        if ward is not self._wards[-1] or not first_start:
            return True
        if waited_ms >= self._limits.front_wait_ms_max:
            return True
        others = self._wards[:-1]
        return all(
            other.was_serving or other.history.in_a_row or _is_held(other) for other in others
        )

    def _start(self, ward: Ward, now_ms: int) -> None:
        again = ward.started_ms != 0
        # At the beginning the spare, importing beside the others, is kept for the front door.
        take_spare = self._spare and (again or ward is self._wards[-1])
        if take_spare and self._spare and self._spare.code() is None:
            ward.process, self._spare = self._spare, None
            self._spare_late_ms = now_ms + self._limits.spare_pause_ms
        else:
            ward.process = self._new_process()
        if ward.process is None:
            ward.due_ms = now_ms + supervision.BACKOFF_MS_MAX
            return
        ward.process.become(ward.name, self._home, self._options)
        if ward.paused:
            ward.process.tell({"pause": True})
        ward.started_ms, ward.due_ms = now_ms, None
        self._tenancy.texts[ward.name].restarts += again
        self._tell(ward, "up", actor_pid=ward.process.pid)

    def _keep_spare(self, now_ms: int) -> None:
        """Have one spare, made while nothing else wants the processors."""
        if self._spare is not None and self._spare.code() is not None:
            self._spare = None
            self._spare_due_ms = now_ms + self._limits.spare_pause_ms
        booting = any(ward.started_ms == 0 for ward in self._wards)
        busy = any(ward.process and not ward.serving for ward in self._wards)
        if self._spare is not None or now_ms < self._spare_due_ms:
            return
        if booting or not busy or now_ms >= self._spare_late_ms:
            self._spare = self._new_process()
            if self._spare is None:
                self._spare_due_ms = now_ms + self._limits.spare_pause_ms

    def _new_process(self) -> ChildProcess | None:
        try:
            return ChildProcess(self._build_path, self._wake.set)
        except OSError as error:
            log.error("supervisor.no_process", errno=error.errno)
            return None

    def _obey(self, ward: Ward, order: Order, now_ms: int) -> None:
        log.info("supervisor.order", actor=ward.name, verb=order.verb)
        if order.verb == "kill" and ward.process:
            ward.process.kill()
        elif order.verb in ("pause", "resume"):
            ward.paused = order.verb == "pause"
            if ward.process:
                ward.process.tell({"pause": ward.paused})
        elif order.verb == "restart" and ward.process:
            ward.process.tell({"stop": True})
            ward.stop_by_ms = now_ms + self._limits.stop_ms_max
        elif order.verb in ("release", "restart") and not ward.process:
            ward.history, ward.due_ms = History(), now_ms

    async def _wind_down(self) -> None:
        """The front door first, so that nobody is let in any more; then all others at once."""
        await self._end(self._wards[-1:], self._limits.front_stop_ms_max)
        await self._end(self._wards[:-1], self._limits.stop_ms_max)

    async def _end(self, wards: Sequence[Ward], limit_ms: int) -> None:
        by_ms = monotonic_ms() + limit_ms
        for ward in wards:
            ward.due_ms = None
            ward.stop_by_ms = by_ms
            if ward.process:
                ward.process.tell({"stop": True})
        while any(ward.process for ward in wards) and not self._hurried:
            for ward in self._wards:
                self._look_at(ward, monotonic_ms())
            await self._pause()

    def _end_all(self) -> None:
        """Whatever is left when the house ends is killed and waited for."""
        for ward in self._wards:
            if ward.process:
                ward.process.end()
                ward.process = None
            self._tell(ward, "down")
        if self._spare:
            self._spare.end()
            self._spare = None

    def _tell(self, ward: Ward, state: str, *, actor_pid: int | None = None, why: str = "") -> None:
        text = self._tenancy.texts[ward.name]
        text.state, text.actor_pid, text.why = state, actor_pid, why or text.why
        try:
            self._tenancy.tell(ward.name)
        except OSError as error:  # A full disk: `ps` is out of date, the house goes on.
            log.error("supervisor.untold", actor=ward.name, errno=error.errno)


def _is_held(ward: Ward) -> bool:
    return ward.process is None and ward.due_ms is None


def _death(code: int, cell: CellView | None, now_ms: int, hung: bool) -> Death:
    if cell is None:
        return Death(code, now_ms, served_ms=0, steps=0, hung=hung)
    poisoned = supervision.is_poisoned(cell.inflight, cell.suspect, cell.deaths)
    return Death(code, now_ms, cell.served_ms, cell.steps, hung, poisoned)


def _hear_signals(stop: Callable[[], None]) -> list[signal.Signals]:
    """SIGTERM and SIGINT end the house; result: those heard, none outside the main thread."""
    heard = []
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            asyncio.get_running_loop().add_signal_handler(number, stop)
            heard.append(number)
        except (ValueError, RuntimeError):
            pass
    return heard


def _forget_signals(heard: Sequence[signal.Signals]) -> None:
    for number in heard:
        asyncio.get_running_loop().remove_signal_handler(number)
