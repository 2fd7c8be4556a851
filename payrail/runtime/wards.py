"""What a warden knows and lives on: one actor under supervision, its limits and its ports.

Owns: the words of `warden`. Never: rules anything.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from payrail.runtime.cellpage import Cells
from payrail.runtime.orders import Order
from payrail.runtime.ports import Child, Proc
from payrail.runtime.supervision import History


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


class Orders(Protocol):
    """Orders of people to one actor's supervisor."""

    def unread(self) -> Sequence[Order]:
        """Orders since the last look."""


class Notes(Protocol):
    """Where is written down what the supervisor thinks of each actor."""

    def note(self, actor: str, state: str, *, pid: int | None, why: str, again: bool) -> None:
        """`state` as in `house.LockText`; an empty `why` keeps the last one; `again`: one more
        restart. Never raises."""


@dataclass(frozen=True, slots=True)
class Ports:
    """What a warden lives on."""

    proc: Proc
    cells: Cells
    orders: Callable[[str], Orders]
    notes: Notes
    log: Any  # a structlog logger


@dataclass(slots=True)
class Ward:
    """One actor under supervision. Times are monotonic milliseconds."""

    name: str
    orders: Orders
    process: Child | None = None
    started_ms: int = 0
    due_ms: int | None = 0  # when to start next; None: runs, or is held
    serving: bool = False
    was_serving: bool = False  # in any incarnation
    sealed: bool = False  # lives, and waits for people before it may serve
    paused: bool = False
    hung: bool = False
    stop_by_ms: int | None = None  # it was told to end by then
    history: History = field(default_factory=History)

    @property
    def is_held(self) -> bool:
        return self.process is None and self.due_ms is None

    def is_released_by(self, verb: str) -> bool:
        """Whether this lets a sealed one look again at what sealed it."""
        return verb == "release" and self.sealed

    @property
    def is_settled(self) -> bool:
        """Whether waiting would not make it serve: it did, or it died, is held or sealed."""
        died = bool(self.history.in_a_row)
        return self.was_serving or died or self.is_held or self.sealed

    @property
    def is_starting(self) -> bool:
        return self.process is not None and not self.serving and not self.sealed
