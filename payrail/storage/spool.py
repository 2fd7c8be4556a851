"""Spools: `mailboxes/<receiver>/<sender>.jsonl`, one writer and one reader each.

The writer moves a file of 8 MiB that was read to its end into `old/`; the reader notices that the
name now means another file and goes on there. Positions are hints: what was consumed stands in the
receiver's journal, and a line that is read twice is dropped by its number.
"""

from collections.abc import Callable

import msgspec
from msgspec import Struct

from payrail.runtime.ports import File, Fs
from payrail.storage.appender import Appender
from payrail.storage.lines import complete_lines, is_whole

#: A drained spool of this size is moved away.
ROTATE_BYTES = 8 * 1024 * 1024
#: How many moved files are kept for each pair.
OLD_KEPT = 8
#: A line longer than this is never waited for.
LINE_BYTES_MAX = 1024 * 1024


class _Place(Struct):
    n: int
    epoch: int


_decode_place = msgspec.json.Decoder(_Place).decode


def spool_path(receiver: str, sender: str) -> str:
    return f"mailboxes/{receiver}/{sender}.jsonl"


def _old_names(fs: Fs, receiver: str, sender: str) -> list[str]:
    names = fs.listdir(f"mailboxes/{receiver}/old")
    return [name for name in names if name.startswith(f"{sender}.") and name.endswith(".jsonl")]


def last_numbered(data: bytes) -> int:
    """The `n` up to which the whole lines in `data` follow each other without a gap; 0 for none."""
    last = 0
    for line in complete_lines(data)[0]:
        if not is_whole(line):
            continue
        n = _decode_place(line).n if b'"kind":"reply"' not in line[:200] else 0
        if n == last + 1 or (last == 0 and n):
            last = n
    return last


class SpoolWriter:
    """The sender's end."""

    def __init__(
        self,
        fs: Fs,
        sender: str,
        receiver: str,
        drained: Callable[[str, str, int], bool] = lambda receiver, sender, size: False,
    ) -> None:
        self._fs, self.sender, self.receiver = fs, sender, receiver
        self._drained = drained
        self.out = Appender(fs, spool_path(receiver, sender))
        self.out.end_line()
        self._last = (0, 0)

    def last_n(self) -> int:
        """The last `n` that the receiver can find: in this file, or in the newest moved one."""
        here = last_numbered(self.out.file.pread(0, self.out.size))
        if here:
            return here
        old = _old_names(self._fs, self.receiver, self.sender)
        return int(old[-1].rsplit(".", 2)[1]) if old else 0

    def append(self, data: bytes) -> None:
        """Append whole lines. Raises OSError; trying again is safe."""
        self.out.append(data)
        if self.out.size >= ROTATE_BYTES:
            self._rotate()

    def _rotate(self) -> None:
        if not self._drained(self.receiver, self.sender, self.out.size):
            return
        epoch, n = self._last_place()
        folder = f"mailboxes/{self.receiver}/old"
        moved = f"{folder}/{self.sender}.{epoch:06d}.{n:012d}.jsonl"
        self._fs.rename(self.out.path, moved)
        self.out.close()
        self.out = Appender(self._fs, self.out.path)
        for name in _old_names(self._fs, self.receiver, self.sender)[:-OLD_KEPT]:
            self._fs.unlink(f"{folder}/{name}")

    def _last_place(self) -> tuple[int, int]:
        tail = self.out.file.pread(max(0, self.out.size - LINE_BYTES_MAX), LINE_BYTES_MAX)
        for line in reversed(complete_lines(tail)[0]):
            if is_whole(line) and b'"kind":"reply"' not in line[:200]:
                place = _decode_place(line)
                return place.epoch, place.n
        return (0, 0)

    def sync(self) -> None:
        self.out.sync()


class SpoolReader:
    """The receiver's end: complete lines from where it stands."""

    def __init__(self, fs: Fs, receiver: str, sender: str, offset: int = 0) -> None:
        self._fs, self.sender = fs, sender
        self.path = spool_path(receiver, sender)
        self.offset = offset
        self._file: File | None = None

    def read(self, limit: int) -> list[bytes]:
        """Complete lines of about `limit` bytes; a line that has no end yet is left for later."""
        data = self._bytes(limit)
        while data and b"\n" not in data and len(data) == limit and limit < LINE_BYTES_MAX:
            limit *= 4
            data = self._bytes(limit)
        lines, rest = complete_lines(data)
        self.offset += len(data) - len(rest)
        return lines

    def _bytes(self, limit: int) -> bytes:
        if self._file is None and not self._reopen():
            return b""
        assert self._file is not None  # noqa: S101 - opened just now
        data = self._file.pread(self.offset, limit)
        if data or self._fs.identity(self.path) in (self._file.identity(), None):
            return data
        self.offset = 0  # the writer moved the drained file away
        self._reopen()
        return self._file.pread(0, limit)

    def _reopen(self) -> bool:
        if not self._fs.exists(self.path):
            return False
        if self._file is not None:
            self._file.close()
        self._file = self._fs.open(self.path)
        if self.offset > self._file.size():
            self.offset = 0
        return True

    def start_behind(self, n: int, epoch: int, offset: int) -> None:
        """Begin at `offset` if the line that ends there is number `n` of `epoch`, else at 0."""
        if not offset or not self._reopen() or self._file is None:
            return
        begin = max(0, offset - 2 * 64 * 1024)
        lines, rest = complete_lines(self._file.pread(begin, offset - begin))
        if rest or not lines or not is_whole(lines[-1]):
            return
        place = _decode_place(lines[-1])
        if place.n == n and place.epoch == epoch:
            self.offset = offset
