"""The house around the front door: how the other actors are, and orders to whoever keeps them.

Owns: lines in mailboxes/<actor>/control.jsonl, by the runtime's own hand.
Reads: cells and locks of the actors. Never: touches an actor itself.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from payrail.runtime.cellpage import Cells
from payrail.runtime.cells import HomeCells
from payrail.runtime.house import status
from payrail.runtime.orders import Verb, give_order


class Neighbours(Protocol):
    """What of its house the front door sees; a simulated house has its own."""

    @property
    def cells(self) -> Cells: ...

    def rows(self) -> Sequence[Mapping[str, Any]]:
        """Rows of `ps`; see `payrail.runtime.house.status`."""

    def order(self, actor: str, verb: Verb, at: str) -> None:
        """Tell an actor's supervisor. Raises OSError."""


class HomeNeighbours:
    """Those of a home on this machine."""

    def __init__(self, home: str) -> None:
        self._home = home
        self.cells: Cells = HomeCells(home)

    def rows(self) -> Sequence[Mapping[str, Any]]:
        return status(self._home)

    def order(self, actor: str, verb: Verb, at: str) -> None:
        give_order(self._home, actor, verb, at)
