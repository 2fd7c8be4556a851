"""Which payment of the house each key of a plan became.

In a file without a name, which goes with its process: a million ids take 90 MB of disk at most, and
no memory. A table of fixed slots: a key's digest says where to look first, and then one by one.
"""

import hashlib
import tempfile
from types import TracebackType
from typing import IO

_ID_BYTES = 19  # pi_ and 16 characters
_DIGEST_BYTES = 12
_SLOT_BYTES = _DIGEST_BYTES + _ID_BYTES
_FREE = bytes(_DIGEST_BYTES)
_SLOTS_MIN = 4_096
#: With more of its slots taken, in percent, a table is made anew, twice as large.
_TAKEN_PERCENT_MAX = 70


class Ids:
    """Ids by key."""

    def __init__(self, slots: int = _SLOTS_MIN) -> None:
        self.count = 0
        self._slots = max(_SLOTS_MIN, slots)
        self._file = _unnamed()

    def __enter__(self) -> "Ids":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def put(self, key: str, payment_id: str) -> None:
        """Remember it. Raises ValueError for an id of another length."""
        data = payment_id.encode()
        if len(data) != _ID_BYTES:
            raise ValueError(f"{payment_id} is no id of a payment")
        if self.count * 100 > self._slots * _TAKEN_PERCENT_MAX:
            self._grow()
        self._put(_digest(key), data)

    def get(self, key: str) -> str:
        """The payment's id; empty when this key has made none yet."""
        _, found = self._find(_digest(key))
        return found.decode()

    def _put(self, digest: bytes, data: bytes) -> None:
        place, found = self._find(digest)
        self.count += not found
        self._file.seek(place)
        self._file.write(digest + data)

    def _find(self, digest: bytes) -> tuple[int, bytes]:
        """Where it stands, or may stand, and what is there."""
        slot = int.from_bytes(digest) % self._slots
        while True:
            self._file.seek(slot * _SLOT_BYTES)
            data = self._file.read(_SLOT_BYTES)
            if data[:_DIGEST_BYTES] in (b"", _FREE):
                return slot * _SLOT_BYTES, b""
            if data[:_DIGEST_BYTES] == digest:
                return slot * _SLOT_BYTES, data[_DIGEST_BYTES:]
            slot = (slot + 1) % self._slots

    def _grow(self) -> None:
        before, slots = self._file, self._slots
        self._file, self._slots, self.count = _unnamed(), slots * 2, 0
        before.seek(0)
        while data := before.read(_SLOT_BYTES):
            if data[:_DIGEST_BYTES] != _FREE:
                self._put(data[:_DIGEST_BYTES], data[_DIGEST_BYTES:])
        before.close()


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()[:_DIGEST_BYTES]


def _unnamed() -> IO[bytes]:
    return tempfile.TemporaryFile(prefix="payrail-seed-")
