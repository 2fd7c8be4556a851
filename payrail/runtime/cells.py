"""Cells: one small shared page per actor, `data/actors/<name>/cell`. A hint, never fsynced.

What it promises: a store is visible to every process of the machine at once and survives SIGKILL of
its writer, so the next incarnation learns which message its predecessor died of. What it never is:
truth. A power cut may take it, a reader may catch two words of different moments, and nothing but
waits, `ps` and the count of deaths rests on it. What stands in it: `payrail.runtime.cellpage`.

Only the incarnation that holds the actor's writer lock opens a `CellWriter`.
"""

import mmap
import os
import time
from functools import cache
from pathlib import Path
from uuid import UUID

from payrail.runtime.cellpage import (
    CELL_BYTES,
    MAGIC,
    SENDERS_MAX,
    SLEEPING_BYTE,
    CellPage,
    CellView,
    cell_path,
)

__all__ = [
    "CELL_BYTES",
    "MAGIC",
    "SENDERS_MAX",
    "CellView",
    "CellWriter",
    "HomeCells",
    "SleepWatch",
    "boot_number",
    "cell_path",
    "monotonic_ms",
]

#: Where the kernel tells it (Linux).
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def monotonic_ms() -> int:
    """The machine's clock for beats and waits; the same in all its processes."""
    return time.monotonic_ns() // 1_000_000


@cache
def boot_number() -> int:
    """Names this boot of the machine, the same in all its processes; 0 where it is not told."""
    try:
        return UUID(_BOOT_ID.read_text("ascii").strip()).int >> 64  # as much as a word holds
    except (OSError, ValueError):
        return 0


class CellWriter(CellPage):
    """The cell of an actor as a mapped file, written by this process."""

    def __init__(self, home: str | Path, actor: str) -> None:
        path = cell_path(home, actor)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._map = _map_file(path)
        super().__init__(self._map, os.getpid(), monotonic_ms, boot_number())

    def close(self) -> None:
        super().close()
        self._map.close()


class HomeCells:
    """The cells of one home; fills `cellpage.Cells`."""

    def __init__(self, home: str | Path) -> None:
        self._home = home

    @property
    def boot(self) -> int:
        return boot_number()

    def read(self, actor: str) -> CellView | None:
        return CellView.read(self._home, actor)


class SleepWatch:
    """Whether an actor sleeps, at the price of one load; for those who ring its bell."""

    #: How long a replaced file may go unnoticed; meanwhile polling carries the messages.
    RECHECK_MS = 1_000

    def __init__(self, home: str | Path, actor: str) -> None:
        self._path = cell_path(home, actor)
        self._page: mmap.mmap | None = None
        self._identity = 0
        self._checked_ms = -self.RECHECK_MS

    def sleeps(self) -> bool:
        now_ms = monotonic_ms()
        if now_ms - self._checked_ms >= self.RECHECK_MS:
            self._checked_ms = now_ms
            self._recheck()
        return self._page is not None and self._page[SLEEPING_BYTE] != 0

    def close(self) -> None:
        if self._page is not None:
            self._page.close()
        self._page, self._identity = None, 0

    def _recheck(self) -> None:
        try:
            found = self._path.stat()
            if found.st_ino == self._identity:
                return
            self.close()
            if found.st_size >= CELL_BYTES:
                with self._path.open("rb") as file:
                    self._page = mmap.mmap(file.fileno(), CELL_BYTES, access=mmap.ACCESS_READ)
                self._identity = found.st_ino
        except OSError:
            self.close()


def _map_file(path: Path) -> mmap.mmap:
    """Map the cell for writing. It only ever grows: a page cut under a reader would kill it. It has
    its room on the disk first: a store into a hole of a full disk would kill us. Raises OSError."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    try:
        _make_room(handle)
        return mmap.mmap(handle, CELL_BYTES)
    finally:
        os.close(handle)


def _make_room(handle: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(handle, 0, CELL_BYTES)
    elif (size := os.fstat(handle).st_size) < CELL_BYTES:
        os.pwrite(handle, bytes(CELL_BYTES - size), size)
