"""A watcher who writes down the last line of every book, again and again while the house runs.

Whatever it has seen must still stand there at the end: a book never goes back.
"""

import asyncio
import json
import time
from pathlib import Path

_LOOK_S = 0.5
_BOOKS = ("data/ledger/*.jsonl", "data/outbox/*.jsonl", "data/vault/access_log.jsonl")


class HeadWatch:
    """Follows the books of one home and keeps `heads.jsonl`."""

    def __init__(self, home: Path, heads: Path) -> None:
        self._home, self._heads = home, heads
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
        head = {
            "at": time.time(),
            "path": str(book.relative_to(self._home)),
            "line": lines,
            "hash": whole[-67:-3].decode("ascii", "replace"),
        }
        with self._heads.open("a") as file_out:
            file_out.write(json.dumps(head) + "\n")
