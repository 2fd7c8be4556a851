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

    def __init__(self, fs: Fs, path: str, offset: int = 0, head: str = GENESIS) -> None:
        self._fs, self.path = fs, path
        self.offset, self.head, self.lines = offset, head, 0
        self._file: File | None = None

    def read(self) -> Iterator[tuple[int, bytes]]:
        """(offset, line) of every new whole line. Raises Corrupt at one that does not follow."""
        while True:
            data = self._bytes()
            lines, _ = complete_lines(data)
            if not lines:
                return
            for line in lines:
                yield self._checked(line)

    def _bytes(self) -> bytes:
        if self._file is None:
            if not self._fs.exists(self.path):
                return b""
            self._file = self._fs.open(self.path)
        left = self._file.size() - self.offset
        return self._file.pread(self.offset, min(left, READ_BYTES)) if left > 0 else b""

    def _checked(self, line: bytes) -> tuple[int, bytes]:
        if not is_whole(line):
            raise Corrupt(self.path, self.lines + 1, "the line's bytes do not match its hash")
        if decode_link(line).prev != self.head:
            raise Corrupt(self.path, self.lines + 1, "the line does not follow the one above")
        at = self.offset
        self.offset, self.head = at + len(line) + 1, hash_of(line)
        self.lines += 1
        return at, line


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
