"""Time and chance as they really are: the fillings of `ports.Clock` and `ports.Rng`.

Wire time follows the wall clock and never goes back within a process: a clock that was set back
stands still until the world has caught up.
"""

import secrets
import time

from payrail.runtime.ports import Now


class SystemClock:
    """The machine's clocks; business time is wire time plus what people moved it forward by."""

    def __init__(self, business_ahead_ms: int = 0) -> None:
        self.business_ahead_ms = business_ahead_ms
        self._wire_ms = 0

    def now(self) -> Now:
        self._wire_ms = max(self._wire_ms, time.time_ns() // 1_000_000)
        return Now(wire_ms=self._wire_ms, business_ms=self._wire_ms + self.business_ahead_ms)

    def monotonic_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000


class SystemRng:
    """The operating system's generator."""

    def token_hex(self, size_bytes: int) -> str:
        return secrets.token_hex(size_bytes)
