"""Durations are read as people write them, and are written so that they can be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payrail.domain.durations import DURATION_MS_MAX, SPELLING, duration_ms, spelled


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("5m", 300), ("2h", 7_200), ("3d", 259_200), ("1h30m", 5_400), ("1d1s", 86_401)],
)
def test_units_go_from_large_to_small(text: str, seconds: int):
    """Each at most once."""
    assert duration_ms(text) == seconds * 1_000


@pytest.mark.parametrize(
    "text",
    ["", "0s", "5", "-5s", "s", "5 s", "1.5h", "30m1h", "5m5m", "401d", "9" * 9 + "s", "٣s", "5M"],
)
def test_what_is_no_duration_is_told_how_to_write_one(text: str):
    """One text for every slip."""
    with pytest.raises(ValueError, match="must be a duration") as refused:
        duration_ms(text)
    assert str(refused.value) == SPELLING


@given(st.integers(1, DURATION_MS_MAX // 1000))
def test_what_is_written_is_read_again(seconds: int):
    """Whole seconds, at any size."""
    assert duration_ms(spelled(seconds * 1_000)) == seconds * 1_000


def test_nothing_is_0s_and_what_lies_behind_has_a_sign():
    """A clock that stood for a while is behind."""
    assert (spelled(0), spelled(999), spelled(-90_000)) == ("0s", "0s", "-1m30s")
