"""The books of others that an actor follows: what is new in them, a bounded piece a turn.

Nobody rings for a book, so whoever follows one looks often. A damaged book is told once and read
no further until its next line is good: its owner mends what a power cut has torn, maybe after us,
anything else is for people, and everything else goes on.
"""

from collections.abc import Mapping
from itertools import islice
from typing import Any

from payrail.errors import Corrupt
from payrail.runtime.admission import ReadItem
from payrail.runtime.head import FollowPosition
from payrail.runtime.ports import Fs
from payrail.storage.books import Follower
from payrail.storage.journal import LINE_BYTES_MAX

#: Lines of one book taken into one turn: few enough that what follows fits into a journal line.
TURN_LINES = 128
#: Bytes read for them: no line of a book is longer, as it stood in a line of a journal.
READ_BYTES = LINE_BYTES_MAX


class Following:
    """Reads the followed books from where the journal says that they were read to."""

    def __init__(
        self,
        fs: Fs,
        follows: Mapping[str, str],
        positions: Mapping[str, FollowPosition],
        notes: list[tuple[str, Mapping[str, Any]]],
    ) -> None:
        self._notes = notes
        self._followers: dict[str, Follower] = {}
        for book, path in follows.items():
            at = positions.get(book) or FollowPosition()
            follower = Follower(fs, path, at.offset, at.hash, read_bytes=READ_BYTES)
            follower.lines = at.lines
            self._followers[book] = follower
        self._damaged: set[str] = set()

    @property
    def is_following(self) -> bool:
        return bool(self._followers)

    def has_news(self) -> bool:
        """Whether a book that can be read has grown, or one that could not can be read on."""
        return any(
            follower.goes_on() if book in self._damaged else follower.has_news()
            for book, follower in self._followers.items()
        )

    def read(self, at_most: int = TURN_LINES) -> list[ReadItem]:
        """The next lines of each book."""
        items = []
        for book, follower in self._followers.items():
            if book in self._damaged and not follower.goes_on():
                continue
            lines = self._lines(book, follower, at_most)
            if lines:
                items.append(ReadItem(book, lines, follower.offset, follower.lines, follower.head))
        return items

    def _lines(self, book: str, follower: Follower, at_most: int) -> tuple[bytes, ...]:
        """What can be read; a damaged line ends it, those above it still count."""
        lines: list[bytes] = []
        self._damaged.discard(book)
        try:
            lines.extend(line for _at, line in islice(follower.read(), at_most))
        except Corrupt as damage:
            self._damaged.add(book)
            self._notes.append(("book.damaged", {"book": book, "reason": str(damage)}))
        return tuple(lines)
