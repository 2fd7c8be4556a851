"""Books: public, append-only, chained files that anybody may follow.

A follower keeps a byte offset and the hash of the last line it folded. It stops at a torn tail
(the writer is at work) and at a line that does not follow (damage, for people to see). People may
put a book back as another file: where it ends with the same line at the same offset, it is read on.
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
#: Behind a line's hash.
_END = b'"}\n'


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
        self._is_gone = False  # nothing had the book's name at the last look

    def read(self) -> Iterator[tuple[int, bytes]]:
        """(offset, line) of every new whole line. Raises Corrupt at one that does not follow."""
        while True:
            lines, _ = complete_lines(self._bytes())
            if not lines and not self._moved():
                return
            for line in lines:
                try:
                    found = self._checked(line)
                except Corrupt:
                    if not self._moved(is_stuck=True):
                        raise
                    break
                yield found

    def has_news(self) -> bool:
        """Whether the file has grown since the last look, or another one stands in its place that
        is not the same; a torn tail is no news for long."""
        file = self._opened()
        return file is not None and (file.size() > self._seen_bytes or self._is_elsewhere(file))

    def goes_on(self) -> bool:
        """Whether the next line is good; for whoever met one that was not."""
        try:
            self._moved(is_stuck=True)
        except Corrupt:
            return False
        file = self._opened()
        line = b"" if file is None else read_line(file, self.offset)
        return is_whole(line) and decode_link(line).prev == self.head

    def known(self) -> File:
        """The book as it was read, for its lines to be read again. Raises Corrupt when it was gone
        at the last look."""
        file = self._opened()
        if file is None or self._is_gone:
            raise Corrupt(self.path, 0, "it was read before, and is gone")
        return file

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

    def _is_elsewhere(self, file: File, *, is_stuck: bool = False) -> bool:
        """Whether another file has the book's name. One that ends where we stand has nothing for
        us: its writer may still be at work in ours."""
        found = self._fs.identity(self.path)
        self._is_gone = found is None
        if found in (file.identity(), None):
            return False
        return is_stuck or self._fs.size(self.path) != self.offset

    def _moved(self, *, is_stuck: bool = False) -> bool:
        """Whether we stand in another file now, put in the place of ours. Raises Corrupt for one
        that is not the book we read."""
        file = self._file
        if file is None or not self._is_elsewhere(file, is_stuck=is_stuck):
            return False
        try:
            other = self._fs.open(self.path)
        except FileNotFoundError:  # it is just being put there
            return False
        if not self._ends_as_read(other):
            other.close()
            why = "another file was put here, and the last line that was read is not in it"
            raise Corrupt(self.path, self.lines, why)
        file.close()
        self._file = other
        return True

    def _ends_as_read(self, file: File) -> bool:
        end = self.head.encode() + _END
        return self.offset == 0 or file.pread(self.offset - len(end), len(end)) == end

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
