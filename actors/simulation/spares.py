"""Wishes that wait until the others turn out to be too little."""

from collections import deque
from collections.abc import Iterable

from actors.simulation.schedule import Wish

#: Who has waited so long for others to come to their end begins all the same.
AFTER_MS = 6_000


class Spares:
    """Those of one run, in their order."""

    def __init__(self, wishes: Iterable[Wish], now_ms: int) -> None:
        self._left = deque(wish for wish in wishes if wish.spare)
        self._due_ms = now_ms + AFTER_MS

    def due(self, now_ms: int, *, is_over: bool) -> Wish | None:
        """The next one, if its time has come: all others are over, or take too long."""
        if not self._left or not (is_over or now_ms > self._due_ms):
            return None
        self._due_ms = now_ms + AFTER_MS
        return self._left.popleft()
