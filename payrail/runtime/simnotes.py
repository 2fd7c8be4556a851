"""What is written down of a simulated machine: deaths, the supervisor's opinions, and its log."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

#: Told of what is logged: actor, level, event, fields.
Told = Callable[[str, str, str, Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a process."""

    name: str
    pid: int
    code: int  # exit code, or minus the signal
    error: Exception | None
    at_ms: int  # monotonic


@dataclass(slots=True)
class Noted:
    """What the supervisor thinks of an actor; as `house.LockText`."""

    state: str = "down"
    pid: int | None = None
    why: str = ""
    restarts: int = 0


class SimLog:
    """A logger, as far as the runtime uses one."""

    def __init__(self, actor: str, told: Told) -> None:
        self._actor, self._told = actor, told

    def info(self, event: str, **fields: Any) -> None:
        self._told(self._actor, "info", event, fields)

    def warning(self, event: str, **fields: Any) -> None:
        self._told(self._actor, "warning", event, fields)

    def error(self, event: str, **fields: Any) -> None:
        self._told(self._actor, "error", event, fields)
