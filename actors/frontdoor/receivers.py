"""How the actors that the front door asks are doing, as their cells say.

Owns nothing; see `payrail.runtime.edge.Watch` for what an edge does with it.
"""

from collections.abc import Sequence

from payrail.runtime.cellpage import Cells
from payrail.storage.spool import NOT_READ


class Receivers:
    """Answers from the last look; whoever owns it looks now and then."""

    def __init__(self, cells: Cells, sender: str, receivers: Sequence[str]) -> None:
        """`sender`: whose messages the receivers have consumed."""
        self._cells, self._sender = cells, sender
        self._epochs = dict.fromkeys(receivers, 0)
        self._consumed = dict.fromkeys(receivers, (0, 0))
        self._blocked = dict.fromkeys(receivers, False)
        self.look()

    def look(self) -> None:
        """Read every cell once."""
        for receiver in self._epochs:
            cell = self._cells.read(receiver)
            self._epochs[receiver] = cell.epoch if cell else 0
            read = cell.consumed.get(self._sender, NOT_READ) if cell else NOT_READ
            self._consumed[receiver] = read.epoch, read.n
            self._blocked[receiver] = cell is not None and cell.state == "blocked"

    def epoch(self, receiver: str) -> int:
        return self._epochs[receiver]

    def blocked(self, receiver: str) -> bool:
        return self._blocked[receiver]

    def consumed(self, receiver: str) -> tuple[int, int]:
        return self._consumed[receiver]
