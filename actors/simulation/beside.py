"""What a simulated actor does beside its loop: its real works, as tasks in virtual time.

    posting = lambda: SimOutgoing(net, clock, guard=None)
    beside = Beside(place, notice_works("http://api", key, clock, posting), statement_works(fs))
    world = World(fs, clock, bell, cell, errands=beside)
    while driver.turn() or beside.turn():
        ...
    beside.end()                                  # its process is killed

The workshop is the product's own: works that fail are tried again, later each time. What would be
done in a thread is done at once.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any

from actors.simulation.doors import Place
from payrail.runtime.admission import DoneItem
from payrail.runtime.errands import Work, Workshop

Opening = AbstractAsyncContextManager[Mapping[str, Work]]


class Beside:
    """The errands of one incarnation; fills `ports.Errands`."""

    def __init__(
        self, place: Place, *works: Opening, begins: Callable[[str], object] = lambda _errand: None
    ) -> None:
        """`begins` is told of each errand by its id, before anything of it is done."""
        self._begins = begins
        self.loop = place.loop()
        self._stack = AsyncExitStack()
        found: dict[str, Work] = {}
        for opening in works:
            found |= self.loop.finish(self._stack.enter_async_context(opening))
        self._shop = Workshop(found, place.rouse, place.log.log)

    def start(self, errand: Any) -> None:
        """See `ports.Errands`."""
        self._begins(errand.id)
        self.loop.call(self._shop.start, errand)

    def finished(self, at_most: int) -> Sequence[DoneItem]:
        return self._shop.finished(at_most)

    @property
    def open(self) -> int:
        """Errands whose outcome somebody waits for."""
        return self._shop.open

    def turn(self) -> bool:
        """Go on with what can go on. Raises SimCrash when the process dies of it."""
        return self.loop.run_ready()

    def next_due_ms(self) -> int | None:
        """When something goes on by itself, on the monotonic clock; None for never."""
        return self.loop.next_due_ms()

    def end(self) -> None:
        """Its process is killed."""
        self.loop.end()
