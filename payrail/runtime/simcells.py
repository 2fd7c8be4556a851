"""The cells of a simulated machine: real pages in plain memory.

They outlive the death of their process, as a mapped file does, and may be lost at a power cut,
since nobody ever syncs them. Never: rules anything itself; what is in a page is `cellpage`'s.
"""

from collections.abc import Callable

from payrail.runtime.cellpage import CELL_BYTES, CellPage, CellView

#: Told of each message that is about to be decided.
Marked = Callable[[str], None]


class SimCell(CellPage):
    """An actor's own cell, which tells of every message before its rule is asked."""

    def __init__(
        self, page: bytearray, pid: int, clock_ms: Callable[[], int], boot: int, marked: Marked
    ) -> None:
        super().__init__(page, pid, clock_ms, boot)
        self._marked = marked

    def mark(self, message_id: str | None) -> None:
        super().mark(message_id)
        if message_id is not None:
            self._marked(message_id)


class SimCells:
    """All cells of one machine; fills `cellpage.Cells`."""

    def __init__(self, clock_ms: Callable[[], int]) -> None:
        self._clock_ms, self.boot = clock_ms, 1
        self._pages: dict[str, bytearray] = {}
        self._beating: dict[str, SimCell] = {}

    def open(self, actor: str, pid: int, marked: Marked) -> SimCell:
        """A new incarnation begins, and beats from now on."""
        page = self._pages.setdefault(actor, bytearray(CELL_BYTES))
        cell = self._beating[actor] = SimCell(page, pid, self._clock_ms, self.boot, marked)
        return cell

    def read(self, actor: str) -> CellView | None:
        if (page := self._pages.get(actor)) is None:
            return None
        if (beating := self._beating.get(actor)) is not None:
            beating.beat()  # As it did all the time; only now does somebody look.
        return CellView.of(page)

    def beats(self, actor: str, cell: SimCell | None) -> None:
        """From now on this cell beats, or none."""
        if (before := self._beating.pop(actor, None)) is not None:
            before.beat()
        if cell is not None:
            self._beating[actor] = cell

    def reboot(self, *, keeps: bool) -> None:
        """A power cut. What is kept is of before it."""
        self.boot += 1
        self._beating.clear()
        if not keeps:
            self._pages.clear()
