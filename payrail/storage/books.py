"""Books: public, append-only, chained files that anybody may follow.

A follower keeps a byte offset and the hash of the last line it folded. It stops at a torn tail
(the writer is at work) and at a line that does not follow (damage, for people to see).
"""

from collections.abc import Iterator

import msgspec
from msgspec import Struct

from payrail.errors import Corrupt
from payrail.runtime.ports import File, Fs
from payrail.storage.lines import GENESIS, complete_lines, hash_of, is_whole


class Link(Struct):
    seq: int
    prev: str
    hash: str


decode_link = msgspec.json.Decoder(Link).decode

#: How much a follower folds at once.
READ_BYTES = 4 * 1024 * 1024


class Follower:
    """Reads one book from an offset on."""

    def __init__(
        self,
        fs: Fs,
        path: str,
        offset: int = 0,
        head: str = GENESIS,
        *,
        read_bytes: int = READ_BYTES,
    ) -> None:
        """`read_bytes` are read at once: at least the longest line."""
        self._fs, self.path, self._read_bytes = fs, path, read_bytes
        self.offset, self.head, self.lines = offset, head, 0
        self._file: File | None = None
        self._seen_bytes = offset

    def read(self) -> Iterator[tuple[int, bytes]]:
        """(offset, line) of every new whole line. Raises Corrupt at one that does not follow."""
        while True:
            data = self._bytes()
            lines, _ = complete_lines(data)
            if not lines:
                return
            for line in lines:
                yield self._checked(line)

    def has_news(self) -> bool:
        """Whether the file has grown since the last look; a torn tail is no news for long."""
        file = self._opened()
        return file is not None and file.size() > self._seen_bytes

    def goes_on(self) -> bool:
        """Whether the next line is good; for whoever met one that was not."""
        file = self._opened()
        line = b"" if file is None else read_line(file, self.offset)
        return is_whole(line) and decode_link(line).prev == self.head

    def _bytes(self) -> bytes:
        file = self._opened()
        if file is None:
            return b""
        self._seen_bytes = file.size()
        left = self._seen_bytes - self.offset
        return file.pread(self.offset, min(left, self._read_bytes)) if left > 0 else b""

    def _opened(self) -> File | None:
        if self._file is None and self._fs.exists(self.path):
            self._file = self._fs.open(self.path)
        return self._file

    def _checked(self, line: bytes) -> tuple[int, bytes]:
        if not is_whole(line):
            raise Corrupt(self.path, self.lines + 1, "the line's bytes do not match its hash")
        if decode_link(line).prev != self.head:
            raise Corrupt(self.path, self.lines + 1, "the line does not follow the one above")
        at = self.offset
        self.offset, self.head = at + len(line) + 1, hash_of(line)
        self.lines += 1
        return at, line


def open_known(fs: Fs, path: str) -> File:
    """Open a book of which lines are known already. Raises Corrupt when it is gone."""
    try:
        return fs.open(path)
    except FileNotFoundError:
        raise Corrupt(path, 0, "it was read before, and is gone") from None


def read_line(file: File, offset: int) -> bytes:
    """The line that begins at `offset`, without its newline."""
    size = 16 * 1024
    while True:
        data = file.pread(offset, size)
        end = data.find(b"\n")
        if end >= 0:
            return data[:end]
        if len(data) < size:
            return data
        size *= 4
