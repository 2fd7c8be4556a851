"""What a simulated process becomes: an actor's real life over the ports of that process.

    machine.add("gateway", actor_life(lambda process: Gateway(rules), errands=works_of))

`errands(process)` does its work beside the loop, anew for each incarnation; `doors` are opened in
its process once it has recovered. What ends such work by itself calls `process.wake()`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from payrail.runtime.actor import Actor
from payrail.runtime.driver import Driver
from payrail.runtime.errands import NoErrands
from payrail.runtime.ports import Errands
from payrail.runtime.simmachine import Build
from payrail.runtime.simproc import SimProcess
from payrail.runtime.turning import Habits, Parts, Turning
from payrail.storage.spool import ROTATE_BYTES

Door = Callable[[Driver[Any], SimProcess], object]


class NoSteps:
    """A log of steps that nobody keeps; fills `turning.Steps`."""

    def add(self, event: str, fields: Mapping[str, Any]) -> None: ...

    def flush(self) -> None: ...


def no_errands(_process: SimProcess) -> Errands:
    """For an actor that never leaves its loop."""
    return NoErrands()


def actor_life(
    make_actor: Callable[[SimProcess], Actor[Any]],
    *,
    errands: Callable[[SimProcess], Errands] = no_errands,
    doors: Sequence[Door] = (),
    habits: Habits | None = None,
    rotate_bytes: int = ROTATE_BYTES,
) -> Build:
    """An actor of the house, for `SimMachine.add`."""

    def build(process: SimProcess) -> Turning:
        life = Turning(make_actor(process), _parts(process, errands(process), rotate_bytes), habits)
        for door in doors:
            door(life.driver, process)
        return life

    return build


def _parts(process: SimProcess, errands: Errands, rotate_bytes: int) -> Parts:
    ground = process.ground
    return Parts(
        fs=process.fs,
        clock=process.clock,
        bell=ground.bell,
        cell=process.cell,
        cells=ground.cells,
        errands=errands,
        log=ground.log_of(process.name),
        steps=NoSteps(),
        open_errands=lambda: getattr(errands, "open", 0),
        rotate_bytes=rotate_bytes,
    )
