"""A watcher who writes down the last line of every book, again and again while the house runs.

Whatever it has seen must still stand there at the end: a book never goes back.
"""

import asyncio
from pathlib import Path

from actors.cli.chaos.witness import Witness

_LOOK_S = 0.5
_BOOKS = ("data/ledger/*.jsonl", "data/outbox/*.jsonl", "data/vault/access_log.jsonl")


class HeadWatch:
    """Follows the books of one home and keeps `heads.jsonl`."""

    def __init__(self, home: Path, heads: Path) -> None:
        self._home, self.witness = home, Witness(heads)
        self.seen = 0
        self._places: dict[Path, tuple[int, int]] = {}  # bytes read, lines read

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(_LOOK_S)

    def look(self) -> None:
        """Write down the new last line of each book that has grown."""
        for pattern in (*_BOOKS, "data/providers/*_truth.jsonl"):
            for book in self._home.glob(pattern):
                self._look_at(book)

    def _look_at(self, book: Path) -> None:
        size, lines = self._places.get(book, (0, 0))
        with book.open("rb") as file:
            file.seek(size)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        if not whole:
            return
        lines += whole.count(b"\n")
        self._places[book] = (size + len(whole), lines)
        head = whole[-67:-3].decode("ascii", "replace")
        path = str(book.relative_to(self._home))
        self.witness.write(path=path, line=lines, hash=head)
        self.seen += 1
