"""Real time never goes back within a process."""

import time

import pytest

from payrail.runtime.clocks import SystemClock, SystemRng


class Machine:
    """Its two clocks, in milliseconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wall_ms, self.up_ms = 5_000_000, 100
        monkeypatch.setattr(time, "time_ns", lambda: self.wall_ms * 1_000_000)
        monkeypatch.setattr(time, "monotonic_ns", lambda: self.up_ms * 1_000_000)

    def passes(self, ms: int) -> None:
        self.wall_ms, self.up_ms = self.wall_ms + ms, self.up_ms + ms


def test_wire_time_goes_on_when_the_clock_is_set_back(monkeypatch: pytest.MonkeyPatch):
    """An hour back neither undoes a deadline that has passed nor keeps a timer from coming due;
    what two processes compare is the clock as it is."""
    machine = Machine(monkeypatch)
    clock = SystemClock()
    assert clock.now().wire_ms == 5_000_000

    machine.wall_ms -= 3_600_000
    machine.passes(250)

    assert clock.now().wire_ms == 5_000_250
    assert clock.now().wall_ms == 1_400_250
    machine.wall_ms = 6_000_000
    assert clock.now().wire_ms == 6_000_000


def test_wire_time_goes_on_from_what_a_journal_has_seen(monkeypatch: pytest.MonkeyPatch):
    """Of an actor that was started again after the clock was set back, timers still come due."""
    machine = Machine(monkeypatch)
    clock = SystemClock()
    clock.not_before(8_600_000)
    machine.passes(5_000)

    assert clock.now().wire_ms == 8_605_000


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
