"""The life of a core actor between its waits: recover, turn, rest, snapshot. Nothing here awaits.

    life = Turning(actor, parts)            # recovers
    while not told_to_stop:
        wait = life.turn()                  # None: it worked, turn again
        if wait is not None:
            life.waited(wait.ms, rung=sleep(wait))
    life.leave()                            # a last snapshot

`resident.ActorResident` lives so over real files and an event loop, `simproc` over simulated ones.
What went wrong is logged with its correlation id; what cannot go on is raised.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from payrail.runtime.actor import Actor
from payrail.runtime.bells import IDLE_MS_MAX
from payrail.runtime.cellpage import CellPage, Cells, read_to
from payrail.runtime.driver import Driver
from payrail.runtime.intake import SUSPECT_BYTES, TURN_BYTES, World
from payrail.runtime.ports import Bell, Clock, Errands, Fs
from payrail.runtime.scrub import SLICE_BYTES
from payrail.runtime.supervision import POISON_DEATHS
from payrail.storage.spool import ROTATE_BYTES


@dataclass(frozen=True, slots=True)
class Habits:
    """When an actor rests and writes its snapshot."""

    rest_steps: int = 1  # Steps after which a rest is used for a snapshot,
    forced_steps: int = 20_000  # and how many force one without a rest.
    rest_ms: int = 500  # A rest is this long without a message.
    documents_ms: int = 2_000  # Snapshots are at least this far apart,
    documents_share: int = 20  # and so far that they take a twentieth of the time at most.
    follow_ms_max: int = 20  # Who follows a book looks this often: nobody rings for it.


class Steps(Protocol):
    """The log of what happens all the time; see `payrail.steplog`."""

    def add(self, event: str, fields: Mapping[str, Any]) -> None: ...

    def flush(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What one incarnation lives on: its ports, its own cell and everybody's, its logs."""

    fs: Fs
    clock: Clock
    bell: Bell
    cell: CellPage
    cells: Cells
    errands: Errands
    log: Any  # a bound structlog logger
    steps: Steps
    open_errands: Callable[[], int] = lambda: 0  # those whose outcome somebody waits for
    rotate_bytes: int = ROTATE_BYTES  # of our spools in others' mailboxes
    turn_bytes: int = TURN_BYTES  # taken from each sender in one turn


@dataclass(frozen=True, slots=True)
class Wait:
    """Sleep so long, or until rung; but not if there is `anything_new`, asked before the sleep."""

    ms: int
    anything_new: Callable[[], bool] | None = None


class Turning:
    """One incarnation of a core actor, from recovery on."""

    #: While it is paused it takes nothing in, so nobody turns it.
    turns_paused = False

    def __init__(self, actor: Actor[Any], parts: Parts, habits: Habits | None = None) -> None:
        self.name, self._parts, self._habits = actor.name, parts, habits or Habits()
        self._cell, self._clock, self._log = parts.cell, parts.clock, parts.log
        self._rest_ms = 0
        self._save_again_ms = 0
        self._suspect, deaths = self._cell.adopt()
        self.driver = self._recovered(actor, deaths)

    def _recovered(self, actor: Actor[Any], deaths: int) -> Driver[Any]:
        suspect = self._suspect
        is_poison = suspect is not None and deaths >= POISON_DEATHS
        poisoned = frozenset({suspect}) if suspect and is_poison else frozenset[str]()
        driver = Driver(actor, self._world(), poisoned=poisoned, deaths=deaths)
        self._cell.epoch = driver.loop.head.epoch
        driver.intake.batch_bytes = self._parts.turn_bytes
        if suspect and not is_poison:
            driver.intake.batch_bytes = SUSPECT_BYTES
            self._log.warning("message.suspect", message=suspect, deaths=deaths)
        self._log.info("actor.recovered", **_told(driver))
        self._log_notes(driver)
        return driver

    def _world(self) -> World:
        parts = self._parts
        return World(
            parts.fs,
            parts.clock,
            parts.bell,
            parts.cell,
            read_to=partial(read_to, parts.cells),
            hint=self._hint,
            errands=parts.errands,
            rotate_bytes=parts.rotate_bytes,
        )

    def _hint(self, sender: str) -> int:
        return read_to(self._parts.cells, self.name, sender).offset

    def turn(self) -> Wait | None:
        """Take one batch; None when there was anything to do. Raises JournalLost."""
        driver, rest = self.driver, self._cell.rest
        looked_ms = self._clock.now().business_ms
        rest.turning()
        if driver.turn():
            rest.worked()
            self._rest_ms = 0
            self._after_turn()
            if driver.steps_since_documents >= self._habits.forced_steps:
                self._snapshot_at_times()
            return None
        self._tell()
        if driver.is_at_rest:
            due_ms = driver.loop.alarms.next_business_ms()
            rest.rested(looked_ms, due_ms, self._parts.open_errands())
        driver.scrub.run(SLICE_BYTES)
        # One that is blocked takes nothing in: what is new must not keep it from its pause.
        return Wait(self._wait_ms(), None if driver.blocked else driver.intake.anything_new)

    def waited(self, waited_ms: int, *, rung: bool) -> None:
        """The wait is over; after a rest, leave a snapshot."""
        self._rest_ms = 0 if rung else self._rest_ms + waited_ms
        if self._rest_ms >= self._habits.rest_ms:
            self._snapshot_at_times()

    def leave(self) -> None:
        """The last of this life: a snapshot."""
        self._snapshot()

    def idle_ms(self, slept_ms: int) -> int | None:
        """How long from now on another look would find nothing to do as long as nobody writes; 0:
        not even until the next one; None: for ever. It sleeps for `slept_ms` already. For
        simulation, where idle time is passed over."""
        if self.driver.blocked or not self.driver.is_at_rest:
            return 0
        waits = [self.driver.intake.next_due_ms(self._clock.now())]
        if self.driver.steps_since_documents >= self._habits.rest_steps:
            pause_ms = self._save_again_ms - self._clock.monotonic_ms()
            waits.append(max(0, pause_ms, self._habits.rest_ms - self._rest_ms - slept_ms))
        return min((wait for wait in waits if wait is not None), default=None)

    def _after_turn(self) -> None:
        driver, cell = self.driver, self._cell
        cell.steps += driver.loop.batch_steps
        cell.report.add(driver.loop.counted, self._clock.now().wire_ms)
        self._log_turn()
        if self._suspect and not driver.intake.anything_new():
            driver.intake.batch_bytes = self._parts.turn_bytes
            cell.acquit()
            self._suspect = None

    def _wait_ms(self) -> int:
        """2 ms right after work, longer the longer nothing came, never past the next timer."""
        driver = self.driver
        idle_ms = self._habits.follow_ms_max if driver.intake.is_following else IDLE_MS_MAX
        wait_ms = min(idle_ms, max(2, self._rest_ms))
        if driver.blocked:
            return IDLE_MS_MAX
        due_ms = driver.intake.next_due_ms(self._clock.now())
        return wait_ms if due_ms is None else max(1, min(wait_ms, due_ms))

    def _tell(self) -> None:
        cell, driver = self._cell, self.driver
        cell.backlog_bytes = driver.intake.backlog_bytes()
        wanted = "blocked" if driver.blocked else "serving"
        if cell.state in ("blocked", "serving") and cell.state != wanted:
            cell.state = wanted
        self._log_notes(driver)

    def _log_notes(self, driver: Driver[Any]) -> None:
        """Also of a recovery, before anybody is told that we serve."""
        for event, fields in driver.notes:
            self._log.warning(event, **fields)
        driver.notes.clear()

    def _log_turn(self) -> None:
        loop, steps = self.driver.loop, self._parts.steps
        for step in loop.told:
            steps.add("step", step)
        for note, about in loop.noted:
            steps.add(note.event, {**note.fields, "correlation_id": about})
        steps.flush()
        for fault in loop.faults:
            self._log.error("decide.failed", error=fault)
        for sender, lines in loop.gaps.items():
            self._log.error("channel.gap", sender=sender, lines=lines)
        loop.gaps.clear()
        loop.noted.clear()
        loop.faults.clear()

    def _snapshot_at_times(self) -> None:
        """A snapshot, if the last one is long enough ago: it costs more the more is open, and must
        not take the time of those who wait."""
        began_ms = self._clock.monotonic_ms()
        if began_ms < self._save_again_ms:
            return
        self._snapshot()
        took_ms = self._clock.monotonic_ms() - began_ms
        pause_ms = max(self._habits.documents_ms, took_ms * self._habits.documents_share)
        self._save_again_ms = began_ms + pause_ms

    def _snapshot(self) -> None:
        driver = self.driver
        if driver.steps_since_documents < self._habits.rest_steps or not driver.flush():
            return
        try:
            driver.write_documents()
            driver.flush()
        except OSError as error:
            self._log.warning("documents.held", reason=error.strerror)


def _told(driver: Driver[Any]) -> dict[str, Any]:
    head, found = driver.loop.head, driver.found
    return {
        "step": head.step,
        "epoch": head.epoch,
        "folded": found.found.lines,
        "from_documents": found.from_documents,
        "cut_bytes": found.found.cut_bytes,
    }
