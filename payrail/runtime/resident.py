"""An actor at home in a process: its life (`turning`), turned until the house says stop.

Here is what awaits: the doors in its process, its work beside the loop, the sleep on its bell. What
cannot go on ends the incarnation with an exit code.
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
from payrail.runtime.cells import HomeCells
from payrail.runtime.control import Control
from payrail.runtime.driver import Driver
from payrail.runtime.errands import Work, Workshop
from payrail.runtime.ports import Bell, Clock, Fs
from payrail.runtime.turning import Habits, Parts, Turning
from payrail.steplog import StepLog

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
        habits: Habits | None = None,
    ) -> None:
        self.name, self._place = place.name, place
        self.make_actor, self._doors, self._works = make_actor, doors, works
        self._habits = habits

    async def run(self, control: Control) -> None:
        """Recover, serve until told to stop, leave a snapshot."""
        try:
            await self._live(control)
        except (PayRailError, OSError) as error:
            self._place.log.error("actor.failed", error=told(error))
            raise

    async def _live(self, control: Control) -> None:
        async with AsyncExitStack() as stack:
            works = await stack.enter_async_context(self._works(control))
            errands = Workshop(works, control.bell.wake, self._place.log)
            stack.push_async_callback(errands.close)
            life = Turning(self.make_actor(), self._parts(control, errands), self._habits)
            for door in self._doors:
                await stack.enter_async_context(door(life.driver, control))
            control.started()
            await self._serve(life, control)
        life.leave()

    def _parts(self, control: Control, errands: Workshop) -> Parts:
        place = self._place
        return Parts(
            fs=place.fs,
            clock=place.clock,
            bell=place.bell,
            cell=control.cell,
            cells=HomeCells(place.home),
            errands=errands,
            log=place.log,
            steps=place.steps,
            open_errands=lambda: errands.open,
        )

    async def _serve(self, life: Turning, control: Control) -> None:
        while not control.stopping.is_set():
            if control.paused:
                await control.bell.wait(IDLE_MS_MAX)
                continue
            wait = life.turn()
            if wait is None:
                await asyncio.sleep(0)
            else:
                life.waited(wait.ms, rung=await control.bell.wait(wait.ms, wait.anything_new))
