"""hand.jsonl: what people append with `echo`. Not ours, so read with care.

The position is (generation, offset). A file that no longer begins with the bytes we read was
replaced: that is a new generation, read from its beginning. Lines are made durable before they
are journaled, so that a power cut cannot take back what was handled.
Never: notices a change that leaves the file's size and inode as they were; people append.
"""

import hashlib
from typing import NamedTuple

from payrail.runtime.ports import File, Fs

#: A line longer than this is given up: what there is of it becomes a dead letter.
GIVE_UP_BYTES = 1024 * 1024
#: How much of what was read is compared before more is read: all of it would cost more each time.
TAIL_BYTES = 4096


class HandLine(NamedTuple):
    """One line: `end` is the offset behind it, `digest` the SHA-256 of the file up to there."""

    generation: int
    end: int
    line: bytes
    digest: str


class HandFile:
    """The reader of one actor's hand.jsonl."""

    def __init__(self, fs: Fs, actor: str, generation: int, offset: int, digest: str) -> None:
        self._fs = fs
        self.path = f"mailboxes/{actor}/hand.jsonl"
        self.generation, self.offset = generation, offset
        self._digest = digest  # of the file up to the offset
        self._seen = hashlib.sha256()
        self._tail = b""  # the last bytes before the offset
        self._is_doubtful = False  # a sync failed, and a later one says nothing of those bytes
        self._identity: int | None = None  # of the file that we read last
        self._end = 0  # how long it was then, as far as we read

    def has_news(self) -> bool:
        """Whether the file is another one or has another size than at the last read."""
        identity = self._fs.identity(self.path)
        if identity is None:
            return False
        return identity != self._identity or self._fs.size(self.path) != self._end

    def read(self) -> list[HandLine]:
        """Each new complete line, made durable before return. Raises OSError: try again."""
        if not self.has_news():
            return []
        file = self._fs.open(self.path)
        try:
            if not self._is_same(file):
                self._restart()
            data = file.pread(self.offset, GIVE_UP_BYTES)
            if b"\n" in data or len(data) == GIVE_UP_BYTES:
                self._make_durable(file, data)
            self._identity, self._end = file.identity(), self.offset + len(data)
            return self._split(data)
        finally:
            file.close()

    def _make_durable(self, file: File, data: bytes) -> None:
        if self._is_doubtful:
            file.pwrite(self.offset, data)
        self._is_doubtful = True
        file.sync()
        self._is_doubtful = False

    def _split(self, data: bytes) -> list[HandLine]:
        *whole, _ = data.split(b"\n")
        if not whole and len(data) == GIVE_UP_BYTES:
            whole = [data]
        lines = []
        for line in whole:
            taken = data[: len(line) + 1]
            data = data[len(taken) :]
            self._advance(taken)
            if line.strip():
                lines.append(HandLine(self.generation, self.offset, line, self._digest))
        return lines

    def _advance(self, taken: bytes) -> None:
        self.offset += len(taken)
        self._seen.update(taken)
        self._digest = self._seen.hexdigest()
        self._tail = (self._tail + taken)[-TAIL_BYTES:]

    def _is_same(self, file: File) -> bool:
        """Whether the file still begins with what we read."""
        tail = file.pread(self.offset - len(self._tail), len(self._tail))
        if file.identity() == self._identity and tail == self._tail:
            return True
        begin = file.pread(0, self.offset)
        seen = hashlib.sha256(begin)
        if self.offset and (len(begin) < self.offset or seen.hexdigest() != self._digest):
            return False
        self._seen, self._tail = seen, begin[-TAIL_BYTES:]
        return True

    def _restart(self) -> None:
        self.generation, self.offset = self.generation + 1, 0
        self._seen, self._digest, self._tail = hashlib.sha256(), "", b""
