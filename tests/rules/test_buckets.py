"""Buckets of tokens: never more than the rate and the burst, and nobody who waits goes without."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payrail.domain.buckets import BURST_S, Bucket

RATES, BURSTS = st.integers(1, 5_000), st.integers(1, 50)
#: Pauses between requests; some of them backwards, as no clock of ours goes.
PAUSES = st.lists(st.integers(-50, 2_000), min_size=1, max_size=200)


@given(RATES, BURSTS, PAUSES)
def test_in_any_time_no_more_pass_than_rate_and_burst(
    rate: int, burst: int, pauses: list[int]
) -> None:
    """Between any two requests that passed, counted with both, at most rate * t + burst."""
    bucket, now_ms, passed = Bucket(rate, 0, burst), 0, []
    for pause_ms in pauses:
        now_ms = max(now_ms, now_ms + pause_ms)
        if not bucket.take(now_ms):
            passed.append(now_ms)
    for first, begin_ms in enumerate(passed):
        for last in range(first, len(passed)):
            count, time_ms = last - first + 1, passed[last] - begin_ms
            assert count * 1_000 <= rate * time_ms + burst * 1_000


@given(RATES, BURSTS, PAUSES)
def test_whoever_waits_as_long_as_told_passes(rate: int, burst: int, pauses: list[int]) -> None:
    """The wait is never longer than one token takes, and one ms less is too early."""
    bucket, now_ms = Bucket(rate, 0, burst), 0
    for pause_ms in pauses:
        now_ms += max(0, pause_ms)
        while not bucket.take(now_ms):
            pass
        wait_ms = bucket.take(now_ms)
        assert 0 < wait_ms <= -(-1_000 // rate)
        assert bucket.take(now_ms + wait_ms - 1) > 0
        now_ms += wait_ms
        assert bucket.take(now_ms) == 0


@given(RATES, st.integers(0, 100_000))
def test_refused_requests_cost_nothing(rate: int, asked: int) -> None:
    """Who hammers at an empty bucket waits no longer than who does not."""
    bucket = Bucket(rate, 0, 1)
    assert bucket.take(0) == 0
    first = bucket.take(0)
    for _ in range(asked % 50):
        assert bucket.take(0) == first
    assert (bucket.left(), bucket.take(first)) == (0, 0)


def test_a_new_bucket_holds_the_burst_of_two_seconds() -> None:
    bucket = Bucket(3, 0)
    assert [bucket.take(0) > 0 for _ in range(3 * BURST_S + 1)] == [False] * 6 + [True]
    assert bucket.full_in_ms() == 2_000


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (-1, 1), (1, 0)])
def test_a_bucket_that_lets_nobody_pass_cannot_be_made(rate: int, burst: int) -> None:
    with pytest.raises(ValueError, match="1 at least"):
        Bucket(rate, 0, burst)
