"""A bucket of tokens: how often somebody may ask, evenly over time and with a burst in reserve.

In any time t a bucket lets pass at most `rate_per_s * t + burst`, and whoever waits as long as it
is told to passes. Counted in thousandths of a token, so that no share of one is ever lost.
Never: reads a clock.
"""

#: One token, in the unit of the level: a rate of 1 per second fills it by 1 each millisecond.
_WHOLE = 1_000
#: The burst, in seconds of the rate: a page of a shop asks for much at once.
BURST_S = 2


class Bucket:
    """One bucket, full at first. Times in milliseconds; one that goes back counts as no time."""

    __slots__ = ("_at_ms", "_level", "burst", "rate_per_s")

    def __init__(self, rate_per_s: int, now_ms: int, burst: int | None = None) -> None:
        """Raises ValueError for a rate or a burst below 1."""
        burst = rate_per_s * BURST_S if burst is None else burst
        if rate_per_s < 1 or burst < 1:
            raise ValueError("a bucket has a rate and a burst of 1 at least")
        self.rate_per_s, self.burst = rate_per_s, burst
        self._level, self._at_ms = burst * _WHOLE, now_ms

    def take(self, now_ms: int) -> int:
        """Take one token. Result: 0, or how many ms to wait for one; then nothing is taken."""
        self._fill(now_ms)
        if self._level >= _WHOLE:
            self._level -= _WHOLE
            return 0
        return -(-(_WHOLE - self._level) // self.rate_per_s)

    def left(self) -> int:
        """Whole tokens, as of the last look."""
        return self._level // _WHOLE

    def full_in_ms(self) -> int:
        """How long until it is full again, if nobody takes."""
        return -(-(self.burst * _WHOLE - self._level) // self.rate_per_s)

    def _fill(self, now_ms: int) -> None:
        passed_ms = max(0, now_ms - self._at_ms)
        self._at_ms = max(self._at_ms, now_ms)
        self._level = min(self.burst * _WHOLE, self._level + passed_ms * self.rate_per_s)
