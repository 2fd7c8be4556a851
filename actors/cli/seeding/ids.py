"""Which payment of the house each key of a plan became.

In a file without a name, which goes with its process: a million ids take 20 MB of disk, no memory.
"""

import re
import tempfile
from types import TracebackType

#: The end of a key: its number in the world.
_NUMBER = re.compile(r"-p([0-9]{1,12})$", re.ASCII)
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
    if found is None:
        raise ValueError(f"{key} is no key of a plan")
    return int(found[1]) * _ID_BYTES
