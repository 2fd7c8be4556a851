"""Spools: `mailboxes/<receiver>/<sender>.jsonl`, one writer and one reader each.

The writer moves a file of 8 MiB that was read to its end into `old/`; the reader notices that the
name now means another file and goes on there. Positions are hints: what was consumed stands in the
receiver's journal, and a line that is read twice is dropped by its number.
"""

from collections.abc import Callable
from typing import NamedTuple

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


#: Bits of a line's number, where the place of a reader is kept: a cell has one word for it and its
#: epoch.
N_BITS = 40


class _Place(Struct):
    """Where a line stands in its channel; 0 for a reply, which has no number."""

    n: int = 0
    epoch: int = 0


_decode = msgspec.json.Decoder(_Place).decode


class ReadSoFar(NamedTuple):
    """How far a receiver has read the spool of a sender: the number of its last line, and where
    the next begins. `epoch` is that of an edge's line, whose numbers begin anew with each; 0 for an
    inner sender. Replies have no number: `file_mark` of what was read stands there instead."""

    n: int = 0
    offset: int = 0
    epoch: int = 0


NOT_READ = ReadSoFar()
#: Asked with receiver and sender.
ReadTo = Callable[[str, str], ReadSoFar]


def nowhere(_receiver: str, _sender: str) -> ReadSoFar:
    """Nothing is known of the reader."""
    return NOT_READ


def file_mark(identity: int) -> int:
    """A file's identity, as much of it as the place of a number holds."""
    return identity % (1 << N_BITS)


def _decode_place(line: bytes) -> _Place:
    """Where a whole line stands; nowhere for one that is none of ours."""
    try:
        return _decode(line)
    except (msgspec.MsgspecError, ValueError):
        return _Place()


def spool_path(receiver: str, sender: str) -> str:
    return f"mailboxes/{receiver}/{sender}.jsonl"


def _old_names(fs: Fs, receiver: str, sender: str) -> list[str]:
    """Files of this pair that were moved away, oldest first."""
    names = fs.listdir(f"mailboxes/{receiver}/old")
    return [name for name in names if name.rsplit(".", 3)[0] == sender]


def _last_moved(fs: Fs, receiver: str, sender: str) -> int:
    """The last `n` that was moved away with a drained file; 0 for none."""
    return max((int(name.split(".")[-2]) for name in _old_names(fs, receiver, sender)), default=0)


def last_numbered(data: bytes, moved: int = 0) -> int:
    """The `n` up to which the whole lines in `data` go on from `moved` without a gap."""
    last = moved
    for line in complete_lines(data)[0]:
        if is_whole(line) and _decode_place(line).n == last + 1:
            last += 1
    return last


def last_sent(fs: Fs, receiver: str, sender: str) -> int:
    """The last `n` that the receiver can find without a gap, in this file or a moved one."""
    path = spool_path(receiver, sender)
    data = fs.read(path) if fs.exists(path) else b""
    return last_numbered(data, _last_moved(fs, receiver, sender))


def last_epoch(fs: Fs, receiver: str, sender: str) -> int:
    """The highest epoch in the last lines of this file, or in a moved one; 0 without one."""
    path = spool_path(receiver, sender)
    moved = [int(name.split(".")[-3]) for name in _old_names(fs, receiver, sender)]
    if not fs.exists(path):
        return max(moved, default=0)
    file = fs.open(path)
    try:
        tail = file.pread(max(0, file.size() - LINE_BYTES_MAX), LINE_BYTES_MAX)
        lines = (line for line in complete_lines(tail)[0] if is_whole(line))
        return max([*moved, *(_decode_place(line).epoch for line in lines)], default=0)
    finally:
        file.close()


def _last_place(file: File, size: int) -> tuple[int, int]:
    """Epoch and `n` of the last numbered line before `size`; zeros without one."""
    tail = file.pread(max(0, size - LINE_BYTES_MAX), LINE_BYTES_MAX)
    for line in reversed(complete_lines(tail)[0]):
        if is_whole(line) and (place := _decode_place(line)).n:
            return place.epoch, place.n
    return 0, 0


class SpoolWriter:
    """The sender's end."""

    def __init__(
        self,
        fs: Fs,
        sender: str,
        receiver: str,
        read_to: ReadTo = nowhere,
        *,
        rotate_bytes: int = ROTATE_BYTES,
    ) -> None:
        self._fs, self.sender, self.receiver = fs, sender, receiver
        self._read_to, self._rotate_bytes = read_to, rotate_bytes
        self.out = Appender(fs, spool_path(receiver, sender))
        self.out.end_line()

    def append(self, data: bytes) -> None:
        """Append whole lines. Raises OSError; trying again with the same lines is safe."""
        self._go_where_the_name_is()
        self._pass_foreign_bytes(data)
        if self.out.size >= self._rotate_bytes:
            self._rotate()
        self.out.append(data)

    def _go_where_the_name_is(self) -> None:
        """A file that was deleted or replaced under us is read no more: its reader goes by name."""
        if self._fs.identity(self.out.path) == self.out.file.identity():
            return
        lost, self.out = self.out, Appender(self._fs, self.out.path)
        lost.close()
        self.out.end_line()

    def _pass_foreign_bytes(self, data: bytes) -> None:
        """What stands behind our end and is no piece of `data` may have been read: a failed append
        that was given up, or a line that people put into the wrong file. Nothing is written over
        it, for its reader would go on in the middle of a line of ours."""
        landed = self.out.file.size() - self.out.size
        if landed > 0 and self.out.file.pread(self.out.size, landed) != data[:landed]:
            self.out.keep_landed()
            self.out.end_line()

    def has_landed(self) -> bool:
        """Whether anything of an append that failed is in the file, and may have been read."""
        return self.out.file.size() > self.out.size

    def _rotate(self) -> None:
        """Move a drained file away. After an error the next append takes up where this ended."""
        if not self._is_drained():
            return
        folder = f"mailboxes/{self.receiver}/old"
        if self._fs.identity(self.out.path) == self.out.file.identity():
            epoch, n = self._last_place()
            self.out.sync()  # Nobody writes it again: what a power cut took would be missing there.
            self._fs.rename(self.out.path, f"{folder}/{self.sender}.{epoch:06d}.{n:012d}.jsonl")
        drained, self.out = self.out, Appender(self._fs, self.out.path)
        drained.close()
        for name in _old_names(self._fs, self.receiver, self.sender)[:-OLD_KEPT]:
            self._fs.unlink(f"{folder}/{name}")

    def _is_drained(self) -> bool:
        """Whether all of the file was read. Its size does not tell alone: a file that was moved
        before may have had the same, and its reader may still stand at the end of that one. Nor is
        one drained that holds a piece of a failed append: its reader waits there for the rest."""
        if self.has_landed():
            return False
        read = self._read_to(self.receiver, self.sender)
        if read.offset != self.out.size:
            return False
        epoch, n = _last_place(self.out.file, read.offset)
        if not n:
            return read.n == file_mark(self.out.file.identity())
        return read.n == n and read.epoch in (0, epoch)

    def _last_place(self) -> tuple[int, int]:
        """Epoch and `n` of the last line that was moved or is about to be."""
        epoch, n = _last_place(self.out.file, self.out.size)
        return (epoch, n) if n else (0, _last_moved(self._fs, self.receiver, self.sender))

    def sync(self) -> None:
        self.out.sync()


class SpoolReader:
    """The receiver's end: complete lines from where it stands."""

    def __init__(self, fs: Fs, receiver: str, sender: str, offset: int = 0) -> None:
        self._fs, self.sender = fs, sender
        self.path = spool_path(receiver, sender)
        self.offset = offset
        self.taken_bytes = 0
        self.at_end = False  # whether the last read saw the end of the file
        self._rest_bytes = 0  # of a line without end that the last read saw there
        self._file: File | None = None
        self._identity = 0  # of the open file

    def read(self, limit: int) -> list[bytes]:
        """Complete lines of about `limit` bytes; a line that has no end yet is left for later.
        What is too long for a line of ours is passed over: its sender sends the line again."""
        data = self._bytes(limit)
        if not data:
            self.at_end, self._rest_bytes = True, 0
            return []
        while len(data) == limit and b"\n" not in data:
            if limit >= LINE_BYTES_MAX:
                self._advance(len(data))
            limit = min(LINE_BYTES_MAX, limit * 4)
            data = self._bytes(limit)
        lines, rest = complete_lines(data)
        self._advance(len(data) - len(rest))
        self.at_end = len(data) < limit
        self._rest_bytes = len(rest)
        return lines

    def _advance(self, size: int) -> None:
        self.offset += size
        self.taken_bytes += size

    @property
    def place_among_replies(self) -> ReadSoFar:
        """Where we stand in a spool that has no numbers."""
        return ReadSoFar(file_mark(self._identity), self.offset)

    def waiting_bytes(self) -> int:
        """How much was written that no read has seen yet; a line may still lack its end. Of a file
        that the writer has moved away our offset says nothing about the one that came after it."""
        if self._file is not None and self._has_moved():
            return max(0, self._file.size() - self._seen_bytes) + self._fs.size(self.path)
        return max(0, self._fs.size(self.path) - self._seen_bytes)

    @property
    def _seen_bytes(self) -> int:
        return self.offset + self._rest_bytes

    def _has_moved(self) -> bool:
        """Whether the name means another file than the open one."""
        return self._fs.identity(self.path) not in (self._identity, None)

    def _bytes(self, limit: int) -> bytes:
        if self._file is None and not self._reopen():
            return b""
        assert self._file is not None
        left = self._file.size() - self.offset
        if left > 0:
            return self._file.pread(self.offset, min(limit, left))
        if not self._has_moved():
            return b""
        self.offset = 0  # the writer moved the drained file away
        self._reopen()
        return self._file.pread(0, limit)

    def _reopen(self) -> bool:
        if not self._fs.exists(self.path):
            return False
        if self._file is not None:
            self._file.close()
        self._file = self._fs.open(self.path)
        self._identity = self._file.identity()
        if self.offset > self._file.size():
            self.offset = 0
        return True

    def start_behind(self, n: int, epoch: int, offset: int) -> None:
        """Begin at `offset` if the line that ends there is number `n`, of `epoch` where one counts
        (an edge's; 0 for an inner sender, whose numbers go on through its epochs), else at 0.
        A file that is shorter is not the one that was meant: that was moved away."""
        if not offset or not self._reopen() or self._file is None or offset > self._file.size():
            return
        begin = max(0, offset - 2 * 64 * 1024)
        lines, rest = complete_lines(self._file.pread(begin, offset - begin))
        if rest or not lines or not is_whole(lines[-1]):
            return
        place = _decode_place(lines[-1])
        if place.n == n and epoch in (0, place.epoch):
            self.offset = offset
