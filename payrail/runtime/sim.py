"""Simulated time and chance, and the door to the simulated files: everything from one seed.

Ships with the package: whoever writes an actor tests it on these, without sleeping.
"""

from random import Random

from payrail.runtime.ports import Now
from payrail.runtime.simdisk import SimDisk, Survival
from payrail.runtime.simfaults import Call, Chance, Dropped, Fault, Kept, Lost, SimCrash, Torn
from payrail.runtime.simfs import SimFile, SimFs
from payrail.runtime.simtime import NOON_MS, SimTime

__all__ = [
    "NOON_MS",
    "Call",
    "Chance",
    "Dropped",
    "Fault",
    "Kept",
    "Lost",
    "NoBell",
    "NoCell",
    "SimClock",
    "SimCrash",
    "SimDisk",
    "SimFile",
    "SimFs",
    "SimRng",
    "SimTime",
    "Survival",
    "Torn",
]


class SimClock:
    """Stands still until it is moved."""

    def __init__(self, wire_ms: int = NOON_MS, business_ms: int | None = None) -> None:
        self._wire_ms = wire_ms
        self._business_ms = wire_ms if business_ms is None else business_ms
        self._monotonic_ms = 0

    def now(self) -> Now:
        return Now(self._wire_ms, self._business_ms, wall_ms=self._wire_ms)

    def look(self) -> None:
        """Nothing to see that was not there."""

    def not_before(self, wire_ms: int, business_ms: int = 0) -> None:
        self._wire_ms = max(self._wire_ms, wire_ms)
        self._business_ms = max(self._business_ms, business_ms)

    def monotonic_ms(self) -> int:
        return self._monotonic_ms

    def advance_ms(self, ms: int) -> None:
        """Let time pass: all three clocks."""
        self._wire_ms += ms
        self._business_ms += ms
        self._monotonic_ms += ms

    def advance_business_ms(self, ms: int) -> None:
        """Move business time alone, as people do."""
        self._business_ms += ms


class SimRng:
    """Predictable bits, for simulation only: the same seed, the same tokens."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def token_hex(self, size_bytes: int) -> str:
        return self._random.randbytes(size_bytes).hex()


class NoCell:
    """A cell that nobody reads; remembers what was marked."""

    def __init__(self) -> None:
        self.marked: list[str | None] = []

    def mark(self, message_id: str | None) -> None:
        self.marked.append(message_id)

    def consumed(self, sender: str, n: int, offset: int, epoch: int = 0) -> None: ...


class NoBell:
    def ring(self, actor: str) -> None: ...
