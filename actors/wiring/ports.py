"""The real ports of one actor's process, and an actor's home over them.

Never: knows an actor.
"""

from collections.abc import Callable, Sequence
from typing import Any

from payrail.runtime.actor import Actor
from payrail.runtime.clocks import Ticks
from payrail.runtime.control import Resident
from payrail.settings import Settings
from payrail.storage.fs import RealFs


class Ports:
    """The real ports of one actor's process."""

    def __init__(self, name: str, home: str, settings: Settings, ticks: Ticks) -> None:
        from payrail.logs import LogFile, configure_logging
        from payrail.runtime.bells import Bells
        from payrail.runtime.clocks import SystemClock, SystemRng
        from payrail.steplog import StepLog

        self.name, self.home, self.settings = name, home, settings
        self.fs = RealFs(home, durable=settings.fsync)
        stream = LogFile(self.fs.open(f"data/logs/{self.name}.jsonl", create=True))
        self.log: Any = configure_logging(self.name, stream)
        self.clock = SystemClock(self.fs, self.log.warning, ticks)
        self.rng = SystemRng()
        self.bell = Bells(home)
        self.steps = StepLog(self.name, stream, self.clock)


def at_home(
    ports: Ports, make: Callable[[], Actor[Any]], doors: Sequence[Any], works: Any
) -> Resident:
    """An actor in its process: `make` gives its rules, `works` what it does beside its loop."""
    from payrail.runtime.resident import ActorResident, Place

    place = Place(ports.name, ports.home, ports.fs, ports.clock, ports.bell, ports.log, ports.steps)
    return ActorResident(place, make, doors, works)
