"""The log of what happens all the time: one line a step or request, many lines a write.

Same file, shape and last wall as `payrail.logs`; it only leaves out what such lines never carry
(errors, nested values), because they are written by the thousand.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from payrail.domain.timestamps import iso
from payrail.logs import Stream, masked
from payrail.runtime.ports import Clock

_encode = msgspec.json.Encoder().encode
#: Lines kept before they are written without being asked.
LINES_MAX = 256


class StepLog:
    """Collects lines of one actor and writes them when its turn is over."""

    def __init__(self, actor: str, stream: Stream, clock: Clock) -> None:
        self._actor, self._stream, self._clock = actor, stream, clock
        self._lines: list[bytes] = []

    def add(self, event: str, fields: Mapping[str, Any]) -> None:
        """One line at level info. `fields` are plain: text, numbers, None."""
        at = iso(self._clock.now().wire_ms)
        line = {"at": at, "level": "info", "event": event, "actor": self._actor, **fields}
        self._lines.append(_encode(line))
        if len(self._lines) >= LINES_MAX:
            self.flush()

    def flush(self) -> None:
        """Write what was collected. A log that cannot be written stops nobody."""
        if not self._lines:
            return
        text = (b"\n".join(self._lines) + b"\n").decode()
        self._lines.clear()
        try:
            self._stream.write(masked(text).encode())
        except OSError:
            return
