"""Which payment of the house each key of a plan became.

In a file without a name, which goes with its process: a million ids take 20 MB of disk, no memory.
Each kind of key has its own stretch of that file, far from the next: holes take no room.
"""

import re
import tempfile
from types import TracebackType

#: The end of a key: its kind, its number in the world, and its place among those of that number.
_NUMBER = re.compile(r"-([a-z])([0-9]{1,9})(?:-([0-9]{1,7}))?$", re.ASCII)
#: By kind: how many places one number has. Sales are days with the numbers of payments: the most.
_WIDTHS = {"p": 1, "r": 100, "t": 100, "w": 100, "d": 100, "b": 10_000_000}
_STRETCH = 1_000_000_000
_ID_BYTES = 19  # pi_ and 16 characters
_NONE = bytes(_ID_BYTES)


class Ids:
    """Ids by key."""

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> "Ids":
        self._file = tempfile.TemporaryFile(prefix="payrail-seed-")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def put(self, key: str, payment_id: str) -> None:
        """Remember it. Raises ValueError for an id of another length, or no key of a plan."""
        data = payment_id.encode()
        if len(data) != _ID_BYTES:
            raise ValueError(f"{payment_id} is no id of a payment")
        self.count += not self.get(key)
        self._file.seek(_place(key))
        self._file.write(data)

    def get(self, key: str) -> str:
        """The payment's id; empty when this key has made none yet."""
        self._file.seek(_place(key))
        data = self._file.read(_ID_BYTES)
        return "" if data in (b"", _NONE) else data.decode()


def _place(key: str) -> int:
    found = _NUMBER.search(key)
    if found is None or found[1] not in _WIDTHS:
        raise ValueError(f"{key} is no key of a plan")
    kind, number, part = found[1], int(found[2]), int(found[3] or 0)
    stretch = list(_WIDTHS).index(kind) * _STRETCH
    return (stretch + number * _WIDTHS[kind] + part) * _ID_BYTES
