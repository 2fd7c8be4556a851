"""Balances now and at any time: sums over stretches of a book of the ledger.

A stretch that was booked by then is added as a whole; of the one in which the time lies, the lines
are read again. So a look back costs little, however long the book is, and memory holds a few sums
for each stretch.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec
from msgspec import Struct

from payrail.domain.ledger import Posting
from payrail.storage.books import Follower

#: How much of the book is summed up as one: a few milliseconds to read again.
STRETCH_BYTES = 512 * 1024

#: (account, currency) -> minor units, debit positive.
Sums = dict[tuple[str, str], int]


class _Dated(Struct):
    timestamp: str
    postings: list[Posting]


@dataclass(slots=True)
class _Stretch:
    """Entries that move money, from one offset to another. Times as the lines have them."""

    begin: int
    end: int
    earliest: str
    latest: str
    sums: Sums = field(default_factory=dict)


_decode = msgspec.json.Decoder(_Dated).decode


class DatedSums:
    """What the entries move, told when."""

    def __init__(self, book: Follower) -> None:
        self._book = book
        self._stretches: list[_Stretch] = []
        self._now: Sums = {}

    def add(self, begin: int, end: int, timestamp: str, postings: list[Posting]) -> None:
        """Take in an entry whose line begins and ends at these offsets of the book."""
        if not postings:
            return
        stretch = self._stretches[-1] if self._stretches else None
        if stretch is None or end - stretch.begin > STRETCH_BYTES:
            stretch = _Stretch(begin, end, timestamp, timestamp)
            self._stretches.append(stretch)
        stretch.end = end
        stretch.earliest = min(stretch.earliest, timestamp)
        stretch.latest = max(stretch.latest, timestamp)
        _post(stretch.sums, postings)
        _post(self._now, postings)

    def now(self) -> Mapping[tuple[str, str], int]:
        return self._now

    def at(self, timestamp: str) -> Sums:
        """What stood in the books then, entries of that very time included."""
        sums: Sums = {}
        for stretch in self._stretches:
            if stretch.latest <= timestamp:
                _add(sums, stretch.sums.items())
            elif stretch.earliest <= timestamp:
                self._read_again(stretch, timestamp, sums)
        return sums

    def _read_again(self, stretch: _Stretch, timestamp: str, sums: Sums) -> None:
        data = self._book.known().pread(stretch.begin, stretch.end - stretch.begin)
        for line in data.split(b"\n"):
            entry = _decode(line) if line else None
            if entry is not None and entry.timestamp <= timestamp:
                _post(sums, entry.postings)


def together(*parts: Mapping[tuple[str, str], int]) -> Sums:
    """The sums of several books as those of one."""
    sums: Sums = {}
    for part in parts:
        _add(sums, part.items())
    return sums


def _post(sums: Sums, postings: list[Posting]) -> None:
    _add(sums, (((one.account, one.currency), one.amount) for one in postings))


def _add(sums: Sums, amounts: Iterable[tuple[tuple[str, str], int]]) -> None:
    for place, amount_minor in amounts:
        sums[place] = sums.get(place, 0) + amount_minor
