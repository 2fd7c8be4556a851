"""The trace of a run: a hash over all that happened in it, in its order.

Every effect of every process by its kind, file and size, every request and the bytes of its answer,
every fault, every move of the clock, and all files as they are at the end: two runs of one seed
that differ in any of these have two hashes. What was written and then lost is told by its size
alone. Never: keeps what went by, but for the last lines, for whoever looks into a failure.
"""

import hashlib
from collections import deque

#: Lines that are kept for people.
LAST_LINES = 4000
#: So many are hashed at once: one by one costs twice as much.
HASHED_LINES = 500


class Trace:
    """One run's."""

    def __init__(self, *, keeps: bool = False) -> None:
        self._hash = hashlib.sha256()
        self._waiting: list[str] = []  # to be hashed together
        self._last: deque[str] = deque(maxlen=LAST_LINES if keeps else 0)

    def add(self, line: str) -> None:
        """One thing that happened."""
        self._waiting.append(line)
        if len(self._waiting) >= HASHED_LINES:
            self._take()

    @property
    def lines(self) -> tuple[str, ...]:
        """The last ones, for people."""
        self._take()
        return tuple(self._last)

    def add_bytes(self, name: str, data: bytes) -> None:
        """Something with content: an answer, a file as it is at the end."""
        digest = hashlib.sha256(data).hexdigest()
        self.add(f"{name} {digest}")

    @property
    def digest(self) -> str:
        self._take()
        return self._hash.hexdigest()

    def _take(self) -> None:
        lines, self._waiting = self._waiting, []
        self._hash.update("".join(f"{line}\n" for line in lines).encode())
        self._last.extend(lines)


def combined(digests: list[str]) -> str:
    """One hash for many runs, in the order of their seeds."""
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()
