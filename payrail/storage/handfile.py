"""hand.jsonl: what people append with `echo`. Not ours, so read with care.

The position is (generation, offset). A file that no longer begins with the bytes we read was
replaced: that is a new generation, read from its beginning. Lines are made durable before they
are journaled, so that a power cut cannot take back what was handled.
"""

import hashlib
from typing import NamedTuple

from payrail.runtime.ports import Fs

#: A line longer than this is given up: what there is of it becomes a dead letter.
GIVE_UP_BYTES = 1024 * 1024


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
        self._identity: int | None = None
        self._seen = hashlib.sha256()
        self._resume(digest)

    def digest(self) -> str:
        """SHA-256 of what was read of this generation: tells a replaced file at the next start."""
        return self._seen.hexdigest()

    def read(self) -> list[HandLine]:
        """Each new complete line, made durable before return."""
        self._notice_replacement()
        if self._fs.size(self.path) <= self.offset:
            return []
        file = self._fs.open(self.path)
        try:
            data = file.pread(self.offset, GIVE_UP_BYTES)
            lines = self._split(data)
            if lines:
                file.sync()
            return lines
        finally:
            file.close()

    def _split(self, data: bytes) -> list[HandLine]:
        *whole, rest = data.split(b"\n")
        if not whole and len(data) == GIVE_UP_BYTES:
            whole, rest = [data], b""
        lines = []
        for line in whole:
            end = min(self.offset + len(line) + 1, self.offset + len(data))
            self._seen.update(data[: end - self.offset])
            data = data[end - self.offset :]
            self.offset = end
            if line.strip():
                lines.append(HandLine(self.generation, end, line, self.digest()))
        return lines

    def _resume(self, digest: str) -> None:
        if not self.offset:
            return
        begin = self._fs.read(self.path)[: self.offset] if self._fs.exists(self.path) else b""
        self._identity = self._fs.identity(self.path)
        if hashlib.sha256(begin).hexdigest() == digest:
            self._seen = hashlib.sha256(begin)
        else:
            self._restart()

    def _notice_replacement(self) -> None:
        identity = self._fs.identity(self.path)
        shrunk = identity is not None and self._fs.size(self.path) < self.offset
        if identity == self._identity and not shrunk:
            return
        if self._identity is not None and identity is not None and self.offset:
            self._resume(self.digest())
        self._identity = identity

    def _restart(self) -> None:
        self.generation, self.offset = self.generation + 1, 0
        self._seen = hashlib.sha256()
