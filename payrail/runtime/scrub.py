"""Look at what a snapshot let us skip: every durable line of the journal and the books before it.

A quick start folds only what came after the snapshot; damage before it must not lie there unseen.
What is short is checked before the actor serves, the rest in slices while it rests. Reads only.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
from msgspec import Struct

from payrail.errors import Corrupt
from payrail.runtime.ports import Fs
from payrail.storage.lines import GENESIS, complete_lines, is_whole

#: What is checked before an actor serves; some 60 ms.
AT_ONCE_BYTES = 16 * 1024 * 1024
#: What is checked in one go while an actor rests; some 2 ms.
SLICE_BYTES = 512 * 1024


@dataclass(frozen=True, slots=True)
class Prefix:
    """The first `size` bytes of a chained file, which end with the line whose hash is `head`."""

    path: str
    size: int
    head: str


class _Link(Struct):
    prev: str
    hash: str


_decode_link = msgspec.json.Decoder(_Link).decode


class Scrub:
    """Checks prefixes bit by bit. Raises Corrupt, which names file and line."""

    def __init__(self, fs: Fs, prefixes: list[Prefix], *, slice_bytes: int = SLICE_BYTES) -> None:
        """`slice_bytes` must hold the longest line."""
        self._fs, self._slice_bytes = fs, slice_bytes
        self._slices = self._all(prefixes)
        self.done = False

    def run(self, bytes_max: int) -> None:
        """Check about `bytes_max` bytes further; sets `done` when nothing is left."""
        while bytes_max > 0 and not self.done:
            checked = next(self._slices, None)
            self.done = checked is None
            bytes_max -= checked or 0

    def _all(self, prefixes: list[Prefix]) -> Iterator[int]:
        for prefix in prefixes:
            if prefix.size:
                yield from self._one(prefix)

    def _one(self, prefix: Prefix) -> Iterator[int]:
        file = self._fs.open(prefix.path)
        try:
            offset, number, head = 0, 0, GENESIS
            while offset < prefix.size:
                data = file.pread(offset, min(self._slice_bytes, prefix.size - offset))
                lines, rest = complete_lines(data)
                for line in lines:
                    number += 1
                    head = _linked(prefix.path, number, line, head)
                if not lines:
                    raise Corrupt(prefix.path, number + 1, "the line has no end where one was")
                offset += len(data) - len(rest)
                yield len(data)
        finally:
            file.close()
        if head != prefix.head:
            raise Corrupt(prefix.path, number, "not the line that was durable here")


def _linked(path: str, number: int, line: bytes, head: str) -> str:
    if not is_whole(line):
        raise Corrupt(path, number, "the line's bytes do not match its hash")
    link = _decode_link(line)
    if link.prev != head:
        raise Corrupt(path, number, "the line does not follow the one above")
    return link.hash
