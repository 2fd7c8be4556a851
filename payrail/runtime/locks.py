"""Advisory locks on files, held for life: the kernel frees them when the holder is really gone.

A file that lies there says nothing and a pid in it may be stale; only the lock itself is believed.
Handles are not inherited by child processes, so a lock never outlives its holder by accident.
"""

import fcntl
import os
from pathlib import Path

_TEXT_BYTES_MAX = 16_384


class Lock:
    """An exclusive lock on one file, whose text its holder may rewrite."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    @classmethod
    def take(cls, path: Path, *, create: bool = True) -> "Lock | None":
        """Lock `path`; None when another holds it. Raises FileNotFoundError without `create`."""
        flags = os.O_RDWR | os.O_NOFOLLOW | (os.O_CREAT if create else 0)
        handle = os.open(path, flags, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
        return cls(handle)

    def write(self, line: bytes) -> None:
        """Replace the file's text. A reader may meet the old line's tail behind the new one."""
        os.pwrite(self._handle, line + b"\n", 0)
        os.ftruncate(self._handle, len(line) + 1)

    def release(self) -> None:
        os.close(self._handle)


def is_locked(path: Path) -> bool:
    """Whether somebody holds `path`. Asking takes a shared lock for a moment, so takers retry."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def first_line(path: Path) -> bytes:
    """The file's first line without its newline; empty when there is none."""
    try:
        with path.open("rb") as file:
            return file.read(_TEXT_BYTES_MAX).split(b"\n", 1)[0]
    except OSError:
        return b""
