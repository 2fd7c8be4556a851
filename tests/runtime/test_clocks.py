"""Real time never goes back within a process."""

import time

import pytest

from payrail.runtime.clocks import SystemClock, SystemRng


def test_wire_time_stands_still_when_the_clock_is_set_back(monkeypatch: pytest.MonkeyPatch):
    """A wall clock that jumps back an hour does not undo a deadline that has passed."""
    wall_ms = [5_000_000, 1_400_000, 5_000_001]
    monkeypatch.setattr(time, "time_ns", lambda: wall_ms.pop(0) * 1_000_000)
    clock = SystemClock()

    assert [clock.now().wire_ms for _ in range(3)] == [5_000_000, 5_000_000, 5_000_001]


def test_business_time_runs_ahead_by_what_people_chose(monkeypatch: pytest.MonkeyPatch):
    """Moved business time goes on moving with the wall clock."""
    monkeypatch.setattr(time, "time_ns", lambda: 7_000_000_000)
    clock = SystemClock(business_ahead_ms=500)

    assert (clock.now().wire_ms, clock.now().business_ms) == (7_000, 7_500)


def test_tokens_have_the_length_asked_for_and_differ():
    """16 bytes are 32 hex digits, and two draws are not the same."""
    first, second = SystemRng().token_hex(16), SystemRng().token_hex(16)

    assert len(first) == 32
    assert first != second
