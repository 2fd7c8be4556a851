"""The ports: the only doors from an actor to the world. Real and simulated fillings exist for each.

Every mutating call on `Fs` and `File` is an effect of its own, so it is also a crash point.
Paths are relative to the house's home, with forward slashes; a filling refuses `..` and absolute
ones.
Errors are `OSError` with errno, as the operating system gives them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct


class File(Protocol):
    """One open file. Bytes are visible to readers when written, durable only after `sync`."""

    def append(self, data: bytes) -> int:
        """Write all of `data` at the end; result: offset where it begins. A short write raises."""

    def pread(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes from `offset`; fewer only at the end of the file."""

    def pwrite(self, offset: int, data: bytes) -> None:
        """Overwrite in place, growing the file where needed."""

    def truncate(self, size: int) -> None: ...

    def sync(self) -> None:
        """Make every byte of the file durable (`fdatasync`). After an error nothing is known."""

    def size(self) -> int: ...

    def identity(self) -> int:
        """What the kernel calls this file (inode): tells a replaced or renamed file from it."""

    def lock(self) -> bool:
        """Take an exclusive lock for the life of this handle; False when another holds it."""

    def close(self) -> None: ...


class Fs(Protocol):
    """Files below one home folder."""

    def open(self, path: str, *, create: bool = False) -> File:
        """Open for reading and writing. `create` makes file and parents when missing, and makes
        the new name durable (fsync of each folder that gained an entry)."""

    def read(self, path: str) -> bytes:
        """All bytes of a file. Raises FileNotFoundError."""

    def replace(self, path: str, data: bytes) -> None:
        """Whole new content or the old one, never a mix: temporary file, fsync, rename, fsync of
        the folder. Parents are made when missing."""

    def rename(self, path: str, new_path: str) -> None:
        """Rename and make both folders durable. The target's parents are made when missing."""

    def unlink(self, path: str) -> None: ...

    def listdir(self, path: str) -> list[str]:
        """Names in a folder, sorted; empty when there is no such folder."""

    def exists(self, path: str) -> bool: ...

    def identity(self, path: str) -> int | None:
        """Inode of the file now under this name, None when there is none."""

    def size(self, path: str) -> int:
        """Size in bytes; 0 when there is no such file."""


class Now(Struct, frozen=True, gc=False):
    """Two times, both in milliseconds since 1970 UTC.

    `wire_ms` follows the wall clock and is what deadlines, attempt timeouts and backoff are
    measured with. `business_ms` may be moved forward by people and is what holds, refunds,
    disputes and payouts are measured with. `wall_ms` is the machine's clock as it is, also after
    it was set back: the one time that two processes agree on.
    """

    wire_ms: int
    business_ms: int
    wall_ms: int


class Clock(Protocol):
    def now(self) -> Now: ...

    def look(self) -> None:
        """Follow people's moves up to this moment: whatever was brought about by a later time is
        then never seen at an earlier one."""

    def not_before(self, wire_ms: int, business_ms: int = 0) -> None:
        """Let both times go on from there if they are not there yet: what a journal has seen."""

    def monotonic_ms(self) -> int:
        """Never goes back, the same for all processes of a machine; for beats and waits only."""


class Bell(Protocol):
    """A hint that there is something to read. Losing one costs a poll, never a message."""

    def ring(self, actor: str) -> None: ...


class Rng(Protocol):
    """Unpredictable bits, for tokens and secrets made at an edge; seeded in simulation."""

    def token_hex(self, size_bytes: int) -> str: ...


class Cell(Protocol):
    """An actor's small shared memory: hints for others and for its own next incarnation."""

    def mark(self, message_id: str | None) -> None:
        """Name the message that is being decided, None when done. Survives SIGKILL."""

    def consumed(self, sender: str, n: int, offset: int, epoch: int = 0) -> None:
        """Tell how far the spool of `sender` has been read, see `storage.spool.ReadSoFar`."""


class Errands(Protocol):
    """Who does an actor's work on the world beside its loop."""

    def start(self, errand: Any) -> None:
        """Begin an errand (`runtime.actor.Errand`) and return at once. One that runs already is
        left to run."""

    def finished(self, at_most: int) -> Sequence[Any]:
        """What came of errands since we last asked (`runtime.admission.DoneItem`), in the order
        in which they ended."""


class Child(Protocol):
    """One process that a supervisor made. First a spare: nobody, with nothing opened."""

    @property
    def pid(self) -> int: ...

    def code(self) -> int | None:
        """Exit code, or minus the signal; None while it lives."""

    def become(self, actor: str) -> None:
        """Be this actor from now on."""

    def tell(self, line: Mapping[str, Any]) -> None:
        """Send one line (`runtime.child.Line`). One that is gone is found out elsewhere."""

    def kill(self) -> None:
        """SIGKILL; harmless when it has ended."""

    def end(self) -> None:
        """Kill and wait until it is gone."""


class Proc(Protocol):
    """Who makes processes."""

    def make(self) -> Child:
        """A spare. Raises OSError when there can be none now."""
