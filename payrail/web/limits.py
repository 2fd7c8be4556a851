"""How often one key may ask at one door: a bucket for each, and 429 for whoever finds it empty.

Each door counts for itself. The house's own service key is not counted: when a shop runs wild,
people must get in. Never: grows with the number of keys beyond `BUCKETS_MAX`.
"""

from collections.abc import Callable

from payrail.domain.buckets import Bucket
from payrail.errors import RequestError

#: Buckets in memory; the one that was idle for longest is forgotten first, which fills it.
BUCKETS_MAX = 10_000


class Limits:
    """The buckets of one door, by key id. `monotonic_ms` never goes back."""

    def __init__(self, monotonic_ms: Callable[[], int]) -> None:
        self._monotonic_ms = monotonic_ms
        self._buckets: dict[str, Bucket] = {}

    def __len__(self) -> int:
        return len(self._buckets)

    def must_pass(self, key_id: str, rate_per_s: int) -> None:
        """Count one request. Raises RequestError 429 with the time to wait."""
        now_ms = self._monotonic_ms()
        bucket = self._buckets.pop(key_id, None)
        if bucket is None or bucket.rate_per_s != rate_per_s:
            bucket = Bucket(rate_per_s, now_ms)
        self._buckets[key_id] = bucket  # to the end: they stand in the order of their last use
        if len(self._buckets) > BUCKETS_MAX:
            del self._buckets[next(iter(self._buckets))]
        wait_ms = bucket.take(now_ms)
        if wait_ms:
            raise _too_often(bucket, wait_ms)


def _too_often(bucket: Bucket, wait_ms: int) -> RequestError:
    return RequestError(
        429,
        "rate-limited",
        f"This key may ask {bucket.rate_per_s} times a second, and {bucket.burst} times at once;"
        " wait as long as Retry-After says, and ask again.",
        retryable=True,
        headers={
            "Retry-After": str(_seconds(wait_ms)),
            "RateLimit-Limit": str(bucket.rate_per_s),
            "RateLimit-Remaining": str(bucket.left()),
            "RateLimit-Reset": str(_seconds(bucket.full_in_ms())),
        },
    )


def _seconds(ms: int) -> int:
    """Whole seconds, rounded up: whoever waits that long need not ask twice."""
    return -(-ms // 1_000)
