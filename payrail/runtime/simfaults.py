"""What can go wrong with simulated files: faults at counted steps, and what a power cut leaves.

A fault hits a process at a step; a survival (`Dropped, Kept, Torn, Lost, Chance`) decides what of
the un-synced is found on the disk afterwards. All are legal for a real disk and a real kernel.
"""

import errno
import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from msgspec import Struct

from payrail.runtime.simdisk import Write

SECTOR_BYTES = 512  # what a disk writes whole or not at all


class SimCrash(BaseException):
    """The simulated process is dead. No error of ours: no `except` of the product may catch it."""


class Call(Struct, frozen=True, gc=False):
    """One step: its number, what it does to which file or folder, how many bytes it would write."""

    n: int
    op: str
    path: str
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong at step `at`. Of a write, `kept_bytes` arrive before it is torn or fails."""

    at: int
    kind: Literal["crash_before", "crash_after", "torn", "error"]
    errno: int = errno.EIO
    kept_bytes: int = 0
    forever: bool = False
    ops: frozenset[str] | None = None  # None: whatever step it is

    def hits(self, call: Call) -> bool:
        is_due = call.n == self.at or (self.forever and call.n > self.at)
        return is_due and (self.ops is None or call.op in self.ops)


Faults = Sequence[Fault] | Callable[[Call], Fault | None]


class Dropped:
    """Nothing survives that was not synced."""

    def name(self, path: str) -> bool:  # noqa: ARG002
        return False

    def content(self, durable: bytes, writes: Sequence[Write]) -> bytes:  # noqa: ARG002
        return durable


@dataclass(frozen=True)
class Kept:
    """Everything survives, but for the changes of `lost_names`."""

    lost_names: Collection[str] = ()

    def name(self, path: str) -> bool:
        return path not in self.lost_names

    def content(self, durable: bytes, writes: Sequence[Write]) -> bytes:
        return _applied(durable, writes)


@dataclass(frozen=True)
class Torn(Kept):
    """Of each file's last pending write the first `kept_bytes` survive (-1: all but one)."""

    kept_bytes: int = 1

    def content(self, durable: bytes, writes: Sequence[Write]) -> bytes:
        *whole, last = writes
        if last.data is not None:
            whole.append(Write(last.offset, last.data[: self.kept_bytes]))
        return _applied(durable, whole)


@dataclass(frozen=True)
class Lost(Kept):
    """Of each file the pending write `index` is lost, and later ones survive."""

    index: int = 0

    def content(self, durable: bytes, writes: Sequence[Write]) -> bytes:
        return _applied(durable, [one for at, one in enumerate(writes) if at != self.index])


@dataclass(frozen=True)
class Chance:
    """Each name, file and sector has its own luck; the same seed gives the same disk."""

    rng: random.Random
    sector_bytes: int = SECTOR_BYTES

    def name(self, path: str) -> bool:  # noqa: ARG002
        return self.rng.random() < 0.5

    def content(self, durable: bytes, writes: Sequence[Write]) -> bytes:
        match self.rng.choice(("dropped", "kept", "torn", "sectors")):
            case "dropped":
                return durable
            case "kept":
                return _applied(durable, writes)
            case "torn":
                kept_bytes = self.rng.randint(0, len(writes[-1].data or b""))
                return Torn(kept_bytes=kept_bytes).content(durable, writes)
        return self._sectors(durable, writes)

    def _sectors(self, durable: bytes, writes: Sequence[Write]) -> bytes:
        """The size, and each sector, as it was at some moment since the last sync."""
        moments = [_applied(durable, writes[:count]) for count in range(len(writes) + 1)]
        size = len(self.rng.choice(moments))
        found = b"".join(
            self.rng.choice(moments)[at : at + self.sector_bytes].ljust(self.sector_bytes, b"\0")
            for at in range(0, size, self.sector_bytes)
        )
        return found[:size]


def _applied(durable: bytes, writes: Sequence[Write]) -> bytes:
    content = bytearray(durable)
    for write in writes:
        write.apply(content)
    return bytes(content)
