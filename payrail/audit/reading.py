"""Lines of a file that may be growing, up to a size that was looked at before.

A handle is kept, so that a file that is moved away while it is read stays the same file.
"""

from collections.abc import Iterator

from payrail.runtime.ports import File, Fs
from payrail.storage.lines import is_whole

#: How much is read at once.
READ_BYTES = 4 * 1024 * 1024


class Part:
    """The first `size` bytes of a file, as they stood when this was made."""

    def __init__(self, fs: Fs, path: str) -> None:
        self.path = path
        self.file: File | None = fs.open(path) if fs.exists(path) else None
        self.size = self.file.size() if self.file else 0
        self.tail = b""  # behind the last newline, known once the lines were read
        self.line_count = 0

    def grow(self, fs: Fs) -> None:
        """Take in what was appended since."""
        if self.file is None and fs.exists(self.path):
            self.file = fs.open(self.path)
        self.size = self.file.size() if self.file else 0

    def lines(self) -> Iterator[tuple[int, int, bytes]]:
        """(number from 1, offset behind it, line without its newline) of each whole line."""
        number, end, rest, at = 0, 0, b"", 0
        while self.file is not None and at < self.size:
            data = self.file.pread(at, min(READ_BYTES, self.size - at))
            if not data:
                break
            at += len(data)
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                number += 1
                end += len(line) + 1
                yield number, end, line
        self.tail, self.line_count = rest, number

    def close(self) -> None:
        if self.file is not None:
            self.file.close()


def has_broken_end(tail: bytes) -> bool:
    """Whether what lies behind the last newline is a whole line whose newline was changed: an
    unfinished write is never longer than its line."""
    return bool(tail) and is_whole(tail[:-1])


def prev_of(line: bytes) -> str:
    """The `prev` of a chained line that is whole; it stands right before the hash."""
    return line[-140:-76].decode("ascii", "replace")
