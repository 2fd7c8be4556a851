"""What a killed predecessor owed: the tails of its books and of its spools.

Both are told, in order, what the journal says they must hold, and remember only what differs.
"""

from payrail.errors import Behind, Corrupt
from payrail.runtime.head import BookEnd
from payrail.runtime.ports import File, Fs
from payrail.storage.books import Follower, read_line
from payrail.storage.lines import complete_lines, hash_of, is_whole


class BookMend:
    """Compares a book, from where a snapshot left it, with the lines of the journal."""

    def __init__(self, fs: Fs, path: str, end: BookEnd) -> None:
        self._fs, self.path = fs, path
        self._file: File | None = fs.open(path) if fs.exists(path) else None
        self._size = self._file.size() if self._file else 0
        self.durable_bytes = end.size  # a snapshot was written behind a sync of this book
        self._at = end.size
        self._lines = end.lines
        self.wrong_from: int | None = None  # offset of the first byte that differs
        self.wrong_line = 0
        self._contradicts = 0  # number of a whole line that says something else than the journal
        self._fix: list[bytes] = []
        if end.lines and self._tail_differs(end):
            for _ in Follower(fs, path).read():
                pass  # raises Corrupt at the first line that does not follow
            raise Corrupt(path, end.lines, "not the line that was durable here")

    def _tail_differs(self, end: BookEnd) -> bool:
        begin = max(0, end.size - 256 * 1024)
        tail = self._file.pread(begin, end.size - begin) if self._file else b""
        lines, rest = complete_lines(tail)
        if len(tail) < end.size - begin or rest or not lines or not is_whole(lines[-1]):
            return True  # also when a line was taken out above an end that is still the same
        return hash_of(lines[-1]) != end.hash

    def expect(self, line: bytes) -> None:
        """The journal says that `line` comes next."""
        whole = line + b"\n"
        if self.wrong_from is None:
            there = self._file.pread(self._at, len(whole)) if self._file else b""
            if there != whole:
                self.wrong_from, self.wrong_line = self._at, self._lines + 1
                found = read_line(self._file, self._at) if self._file else b""
                if found != line and is_whole(found):
                    self._contradicts = self.wrong_line
        if self.wrong_from is not None:
            self._fix.append(whole)
        self._at += len(whole)
        self._lines += 1

    def refuse_behind(self) -> None:
        """Raises Behind when the book holds a whole line that our journal does not know. Lines are
        posted only when they are durable there, so that no crash of ours can leave one."""
        if self._contradicts:
            raise Behind(self.path, f"line {self._contradicts} is not the one in our journal")
        if self._file is None or self._size <= self._at:
            return
        extra = complete_lines(self._file.pread(self._at, self._size - self._at))[0]
        for number, line in enumerate(extra, self._lines + 1):
            if is_whole(line):
                raise Behind(self.path, f"line {number} is unknown to our journal")

    def mend(self) -> bool:
        """Write the right bytes in place, cut what lies behind. True when anything was wrong."""
        if self.wrong_from is None and self._size <= self._at:
            return False
        file = self._fs.open(self.path, create=True)
        if self.wrong_from is not None:
            file.pwrite(self.wrong_from, b"".join(self._fix))
        if self._size > self._at:
            file.truncate(self._at)
        file.close()
        return True


class SpoolMend:
    """Collects what a receiver's file lacks. Lines up to `last_there` are there already."""

    def __init__(self, receiver: str, last_there: int) -> None:
        self.receiver, self.last_there = receiver, last_there
        self.sent = 0
        self.missing: list[bytes] = []
        self._first = 0

    def expect(self, n: int, line: bytes) -> None:
        self.sent = n
        self._first = self._first or n
        if n > self.last_there:
            self.missing.append(line)

    def has_hole(self) -> bool:
        """Whether lines between what is there and what the fold saw are missing."""
        if self._first:
            return self.last_there + 1 < self._first
        return self.last_there < self.sent

    def data(self) -> bytes:
        return b"\n".join(self.missing) + b"\n"
