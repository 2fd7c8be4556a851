"""An actor at home in a process: its driver, turned until the house says stop.

Works while there is work, sleeps on its bell otherwise, snapshots itself at rest. What went wrong
is logged with its correlation id; what cannot go on ends the incarnation with an exit code.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from payrail.errors import PayRailError
from payrail.logs import told
from payrail.runtime.actor import Actor
from payrail.runtime.bells import IDLE_MS_MAX
from payrail.runtime.cells import CellView
from payrail.runtime.control import Control
from payrail.runtime.driver import Driver
from payrail.runtime.errands import Work, Workshop
from payrail.runtime.intake import SUSPECT_BYTES, TURN_BYTES, World
from payrail.runtime.ports import Bell, Clock, Errands, Fs
from payrail.runtime.scrub import SLICE_BYTES
from payrail.steplog import StepLog

#: Steps after which a rest is used for a snapshot, and how many force one without a rest.
REST_STEPS, FORCED_STEPS = 1, 20_000
#: A rest is this long without a message.
REST_MS = 500
#: Snapshots are at least this far apart, and so far that they take a twentieth of the time at most.
DOCUMENTS_MS, DOCUMENTS_SHARE = 2_000, 20
#: Who follows a book looks this often at least: nobody rings for it.
FOLLOW_MS_MAX = 20

Door = Callable[[Driver[Any], Control], AbstractAsyncContextManager[object]]
#: What an actor does beside its loop, open for as long as it lives; see `runtime.errands`.
Works = Callable[[Control], AbstractAsyncContextManager[Mapping[str, Work]]]


@asynccontextmanager
async def no_works(_control: Control) -> AsyncIterator[Mapping[str, Work]]:
    """For an actor that never leaves its loop."""
    yield {}


def all_works(*some: Works) -> Works:
    """The works of several rooms together."""

    @asynccontextmanager
    async def together(control: Control) -> AsyncIterator[Mapping[str, Work]]:
        async with AsyncExitStack() as stack:
            found: dict[str, Work] = {}
            for works in some:
                found.update(await stack.enter_async_context(works(control)))
            yield found

    return together


@dataclass(frozen=True, slots=True)
class Place:
    """Where a resident lives: its name, its home, and its real ports."""

    name: str
    home: str
    fs: Fs
    clock: Clock
    bell: Bell
    log: Any  # a bound structlog logger
    steps: StepLog


class ActorResident:
    """One core actor, with the HTTP doors that live in its process."""

    def __init__(
        self,
        place: Place,
        make_actor: Callable[[], Actor[Any]],
        doors: Sequence[Door] = (),
        works: Works = no_works,
    ) -> None:
        self.name, self._home = place.name, place.home
        self.make_actor, self._doors, self._works = make_actor, doors, works
        self._fs, self._clock, self._bell = place.fs, place.clock, place.bell
        self._log, self._steps = place.log, place.steps
        self._save_again_ms = 0

    async def run(self, control: Control) -> None:
        """Recover, serve until told to stop, leave a snapshot."""
        try:
            await self._live(control)
        except (PayRailError, OSError) as error:
            self._log.error("actor.failed", error=told(error))
            raise

    async def _live(self, control: Control) -> None:
        async with AsyncExitStack() as stack:
            works = await stack.enter_async_context(self._works(control))
            errands = Workshop(works, control.bell.wake, self._log)
            stack.push_async_callback(errands.close)
            driver, suspect = self._recover(control, errands)
            for door in self._doors:
                await stack.enter_async_context(door(driver, control))
            control.started()
            await self._serve(driver, control, suspect, errands)
        self._snapshot(driver)

    def _recover(self, control: Control, errands: Errands) -> tuple[Driver[Any], str | None]:
        suspect, deaths = control.cell.adopt()
        poisoned = frozenset({suspect}) if suspect and deaths >= 3 else frozenset[str]()
        world = World(
            self._fs,
            self._clock,
            self._bell,
            control.cell,
            drained=self._drained,
            hint=self._hint,
            errands=errands,
        )
        driver = Driver(self.make_actor(), world, poisoned=poisoned, deaths=deaths)
        control.cell.epoch = driver.loop.head.epoch
        if suspect and not poisoned:
            driver.intake.batch_bytes = SUSPECT_BYTES
            self._log.warning("message.suspect", message=suspect, deaths=deaths)
        self._log.info("actor.recovered", **_recovered(driver))
        return driver, suspect

    def _drained(self, receiver: str, sender: str, size: int) -> bool:
        cell = CellView.read(self._home, receiver)
        return cell is not None and cell.consumed.get(sender, (0, 0))[1] == size

    def _hint(self, sender: str) -> int:
        cell = CellView.read(self._home, self.name)
        return cell.consumed.get(sender, (0, 0))[1] if cell else 0

    async def _serve(
        self, driver: Driver[Any], control: Control, suspect: str | None, errands: Workshop
    ) -> None:
        rest_ms, rest = 0, control.cell.rest
        while not control.stopping.is_set():
            if control.paused:
                await control.bell.wait(IDLE_MS_MAX)
                continue
            looked_ms = self._clock.now().business_ms
            rest.turning()
            if driver.turn():
                rest.worked()
                rest_ms = 0
                suspect = self._after_turn(driver, control, suspect)
                if driver.steps_since_documents >= FORCED_STEPS:
                    self._snapshot_at_times(driver)
                await asyncio.sleep(0)
                continue
            self._tell(driver, control)
            if driver.is_at_rest:
                rest.rested(looked_ms, driver.loop.alarms.next_business_ms(), errands.open)
            driver.scrub.run(SLICE_BYTES)
            wait_ms = self._wait_ms(driver, rest_ms)
            # One that is blocked takes nothing in: what is new must not keep it from its pause.
            anything_new = None if driver.blocked else driver.intake.anything_new
            rung = await control.bell.wait(wait_ms, anything_new)
            rest_ms = 0 if rung else rest_ms + wait_ms
            if rest_ms >= REST_MS:
                self._snapshot_at_times(driver)

    def _after_turn(self, driver: Driver[Any], control: Control, suspect: str | None) -> str | None:
        control.cell.steps += driver.loop.batch_steps
        control.cell.report.add(driver.loop.counted, self._clock.now().wire_ms)
        self._log_turn(driver)
        if suspect and not driver.intake.anything_new():
            driver.intake.batch_bytes = TURN_BYTES
            control.cell.acquit()
            return None
        return suspect

    def _wait_ms(self, driver: Driver[Any], rest_ms: int) -> int:
        """2 ms right after work, longer the longer nothing came, never past the next timer."""
        idle_ms = FOLLOW_MS_MAX if driver.intake.is_following else IDLE_MS_MAX
        wait_ms = min(idle_ms, max(2, rest_ms))
        if driver.blocked:
            return IDLE_MS_MAX
        due_ms = driver.intake.next_due_ms(self._clock.now())
        return wait_ms if due_ms is None else max(1, min(wait_ms, due_ms))

    def _tell(self, driver: Driver[Any], control: Control) -> None:
        control.cell.backlog_bytes = driver.intake.backlog_bytes()
        wanted = "blocked" if driver.blocked else "serving"
        if control.cell.state in ("blocked", "serving") and control.cell.state != wanted:
            control.cell.state = wanted
        for event, fields in driver.notes:
            self._log.warning(event, **fields)
        driver.notes.clear()

    def _log_turn(self, driver: Driver[Any]) -> None:
        for step in driver.loop.told:
            self._steps.add("step", step)
        self._steps.flush()
        for fault in driver.loop.faults:
            self._log.error("decide.failed", error=fault)
        for sender, lines in driver.loop.gaps.items():
            self._log.error("channel.gap", sender=sender, lines=lines)
        driver.loop.gaps.clear()
        driver.loop.faults.clear()

    def _snapshot_at_times(self, driver: Driver[Any]) -> None:
        """A snapshot, if the last one is long enough ago: it costs more the more is open, and must
        not take the time of those who wait."""
        began_ms = self._clock.monotonic_ms()
        if began_ms < self._save_again_ms:
            return
        self._snapshot(driver)
        took_ms = self._clock.monotonic_ms() - began_ms
        self._save_again_ms = began_ms + max(DOCUMENTS_MS, took_ms * DOCUMENTS_SHARE)

    def _snapshot(self, driver: Driver[Any]) -> None:
        if driver.steps_since_documents < REST_STEPS or not driver.flush():
            return
        try:
            driver.write_documents()
            driver.flush()
        except OSError as error:
            self._log.warning("documents.held", reason=error.strerror)


def _recovered(driver: Driver[Any]) -> dict[str, Any]:
    head, found = driver.loop.head, driver.found
    return {
        "step": head.step,
        "epoch": head.epoch,
        "folded": found.found.lines,
        "from_documents": found.from_documents,
        "cut_bytes": found.found.cut_bytes,
    }
