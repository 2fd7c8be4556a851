"""Whether the books of an actor are whole: it has served since this machine booted.

    books = Whole(cells, "gateway", state_of)
    books.must_be()                   # before they are read: 503 while lines may be missing

Lines of books are not synced one by one. A power cut may take the last of them, and only their
writer knows: it puts them back, out of its journal, before it serves. Once it has, no death of a
process takes anything while the machine runs, so a yes is for good and reads need no writer.
Owns nothing. A cell from before a boot is believed by its boot's name or by what beats in front of
us, never by its times: they are of another clock.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from payrail.errors import RequestError
from payrail.runtime.cellpage import Cells

#: Rows of `ps`, for the words of a refusal.
Rows = Callable[[], Sequence[Mapping[str, Any]]]


def taken_as_whole() -> None:
    """Where there is nobody who could have lost anything."""


class Whole:
    """The books of one writer, as one of their readers knows them."""

    def __init__(self, cells: Cells, writer: str, rows: Rows = tuple) -> None:
        self._cells, self._writer, self._rows = cells, writer, rows
        self._is_known = False
        found = cells.read(writer)
        self._first_beat_ms = found.beat_ms if found else None

    def must_be(self) -> None:
        """Raises RequestError 503 while the writer has still to say what its books hold."""
        if not self._is_known:
            self._is_known = self._has_served()
        if not self._is_known:
            raise self._refusal()

    def _has_served(self) -> bool:
        cell = self._cells.read(self._writer)
        if cell is None:
            return False
        if cell.served_boot and cell.served_boot == self._cells.boot:
            return True
        return bool(cell.served_ms) and cell.beat_ms != self._first_beat_ms

    def _refusal(self) -> RequestError:
        state = next((row["state"] for row in self._rows() if row["name"] == self._writer), "down")
        why = (
            f"The {self._writer} has not served since this machine started, and until then its"
            " books may lack their last lines: it puts them back when it starts."
        )
        what = "Nothing was read or written; try again."
        if state == "held":
            what = "It is held: `payrail ps` shows it, `payrail verify` names what is wrong."
        return RequestError(
            503,
            "actor-restarting",
            f"{why} {what}",
            retryable=True,
            headers={"Retry-After": "1"},
        )
