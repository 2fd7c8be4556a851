"""Time and chance as they really are: the fillings of `ports.Clock` and `ports.Rng`.

Wire time follows the wall clock and never goes back: when the clock is set back it goes on at its
own pace, so that timers come due all the same, until the world has caught up.
"""

import secrets
import time

from payrail.runtime.ports import Now


class SystemClock:
    """The machine's clocks; business time is wire time plus what people moved it forward by."""

    def __init__(self, business_ahead_ms: int = 0) -> None:
        self.business_ahead_ms = business_ahead_ms
        self._wire_ms = 0
        self._looked_ms = self.monotonic_ms()

    def now(self) -> Now:
        wall_ms, looked_ms = time.time_ns() // 1_000_000, self.monotonic_ms()
        self._wire_ms = max(wall_ms, self._wire_ms + looked_ms - self._looked_ms)
        self._looked_ms = looked_ms
        return Now(self._wire_ms, self._wire_ms + self.business_ahead_ms, wall_ms)

    def not_before(self, wire_ms: int) -> None:
        self._wire_ms = max(self.now().wire_ms, wire_ms)

    def monotonic_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000


class SystemRng:
    """The operating system's generator."""

    def token_hex(self, size_bytes: int) -> str:
        return secrets.token_hex(size_bytes)
