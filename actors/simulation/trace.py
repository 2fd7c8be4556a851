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


class Trace:
    """One run's."""

    def __init__(self, *, keeps: bool = False) -> None:
        self._hash = hashlib.sha256()
        self.lines: deque[str] = deque(maxlen=LAST_LINES if keeps else 0)
        self.count = 0

    def add(self, line: str) -> None:
        """One thing that happened."""
        self.count += 1
        self._hash.update(line.encode())
        self._hash.update(b"\n")
        self.lines.append(line)

    def add_bytes(self, name: str, data: bytes) -> None:
        """Something with content: an answer, a file as it is at the end."""
        digest = hashlib.sha256(data).hexdigest()
        self.add(f"{name} {digest}")

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()


def combined(digests: list[str]) -> str:
    """One hash for many runs, in the order of their seeds."""
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()
