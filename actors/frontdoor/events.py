"""The outbox as pages: events after a place, without the links of their chain.

Owns nothing; reads data/outbox/events.jsonl. Lines are spliced as they are, never made anew.
"""

from array import array
from collections.abc import Callable

import msgspec
from msgspec import Struct

from payrail.domain.books import OUTBOX_BOOK
from payrail.domain.event_types import is_wanted
from payrail.runtime.ports import Fs
from payrail.storage.books import Follower, read_line
from payrail.storage.lines import without_links
from payrail.web.whole import taken_as_whole

#: Lines looked at for one page; a merchant with few events pages on.
SCAN_MAX = 5_000


class _Head(Struct):
    id: str
    seq: int
    type: str = ""
    merchant_id: str | None = None


_decode_head = msgspec.json.Decoder(_Head).decode


class Page(Struct):
    data: list[msgspec.Raw]
    has_more: bool
    through: int  # the `seq` up to which was looked


class EventsView:
    """An index of where each event begins."""

    def __init__(self, fs: Fs, must_be_whole: Callable[[], None] = taken_as_whole) -> None:
        """`must_be_whole` raises RequestError while the book may lack lines."""
        self._must_be_whole = must_be_whole
        self._follower = Follower(fs, OUTBOX_BOOK)
        self._offsets = array("q")
        self._seqs = array("q")
        self._ids = array("q")  # hashes of the ids, which are long: good for one process

    def catch_up(self) -> None:
        """Find what was posted since, to answer by it. Raises Corrupt, and RequestError 503."""
        self._must_be_whole()
        while self.catch_up_some():
            pass

    def catch_up_some(self) -> bool:
        """One slice; True when there may be more."""
        for count, (offset, line) in enumerate(self._follower.read(), 1):
            self._offsets.append(offset)
            head = _decode_head(line)
            self._seqs.append(head.seq)
            self._ids.append(hash(head.id))
            if count == SCAN_MAX:
                return True
        return False

    def seq_of(self, event_id: str, merchant_id: str | None) -> int | None:
        """The `seq` of an event; None when there is none that this merchant may see."""
        wanted, start = hash(event_id), 0
        while True:
            try:
                start = self._ids.index(wanted, start)
            except ValueError:
                return None
            head = _decode_head(self._line(start))
            if head.id == event_id and _may_see(merchant_id, head):
                return head.seq
            start += 1

    def page(
        self, after: int, merchant_id: str | None, limit: int, beginning: str | None = None
    ) -> Page:
        """Events with a greater `seq`: a merchant's own and the house's; None: all. `beginning`
        is of their type."""
        found: list[msgspec.Raw] = []
        index, end = self._first_after(after), len(self._offsets)
        stop = min(end, index + SCAN_MAX)
        while index < stop and len(found) < limit:
            line = self._line(index)
            head = _decode_head(line)
            if _may_see(merchant_id, head) and is_wanted(beginning or "", head.type):
                found.append(msgspec.Raw(without_links(line)))
            index += 1
        through = self._seqs[index - 1] if index else after
        return Page(found, index < end, max(after, through))

    def _first_after(self, seq: int) -> int:
        low, high = 0, len(self._seqs)
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if self._seqs[middle] <= seq else (low, middle)
        return low

    def _line(self, index: int) -> bytes:
        return read_line(self._follower.known(), self._offsets[index])


def _may_see(merchant_id: str | None, event: _Head) -> bool:
    return merchant_id is None or event.merchant_id in (None, merchant_id)
