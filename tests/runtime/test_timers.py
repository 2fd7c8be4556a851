"""Timers fire when they are due, by the clock that they follow, and not once they were moved."""

import pytest

from payrail.domain.messages import AskAgain
from payrail.runtime.actor import (
    CancelTimer,
    Message,
    Moment,
    SetTimer,
    Step,
)
from payrail.runtime.sim import SimClock, SimFs
from tests.runtime.ruled import Ruled, driven, steps
from tests.runtime.toy import (
    create_line,
    deposit_line,
    drive,
    feed,
    settle,
)


@pytest.fixture
def fs() -> SimFs:
    return SimFs()


@pytest.fixture
def clock() -> SimClock:
    return SimClock()


def test_a_clock_that_goes_back_takes_no_step_with_it(fs: SimFs, clock: SimClock):
    """`at` never falls, in one incarnation and over a restart."""
    driver = drive(fs, clock)
    for n, ms in enumerate((0, -3_600_000, 1000, -7_200_000), 1):
        clock.advance_ms(ms)
        feed(fs, "vault", deposit_line(n, f"tok_{n}"))
        settle(driver)
    fs = fs.reopen()
    late = drive(fs, clock)
    feed(fs, "vault", deposit_line(5, "tok_5"))
    settle(late)

    at = [step.at for step in steps(fs)]
    assert at == sorted(at)
    assert len(at) == 6


def test_a_timer_outlives_its_actor(fs: SimFs, clock: SimClock):
    """It was set by one incarnation and rings in the next, once."""
    driver = drive(fs, clock)
    feed(fs, "vault", deposit_line(1, "tok_1"))
    settle(driver)
    clock.advance_ms(1000)
    reborn = drive(fs.reopen(), clock)
    settle(reborn)

    assert reborn.loop.state.rung == ["tok_1"]
    assert drive(SimFs(fs.disk), clock).loop.head.timers == {}


def test_a_timer_moved_in_the_turn_it_came_due_does_not_fire(fs: SimFs, clock: SimClock):
    """The message before it has set it to a later time: it rings then, once."""
    again = AskAgain("pi_1", "moved", 1)

    def rule(message: Message, moment: Moment) -> Step:
        return Step(timers=[SetTimer("ask:x", "ask.again", again, moment.wire_ms + 1000)])

    driver = driven(Ruled(rule), fs, clock)
    feed(fs, "frontdoor", create_line(1, 5))
    settle(driver)
    clock.advance_ms(1000)
    feed(fs, "frontdoor", create_line(2, 5))
    settle(driver)
    assert driver.loop.state.rung == []
    clock.advance_ms(1000)
    settle(driver)

    assert driver.loop.state.rung == ["moved"]


def test_a_cancelled_timer_does_not_fire(fs: SimFs, clock: SimClock):
    """Also when it is cancelled in the turn it came due, and set again by nobody."""

    def rule(message: Message, moment: Moment) -> Step:
        return Step(timers=[CancelTimer("ask:tok_1")])

    driver = driven(Ruled(rule), fs, clock)
    feed(fs, "vault", deposit_line(1, "tok_1"))
    settle(driver)
    clock.advance_ms(1000)
    feed(fs, "frontdoor", create_line(1, 5))
    settle(driver)
    clock.advance_ms(60_000)
    settle(driver)

    assert driver.loop.state.rung == []
    assert driver.intake.next_due_ms(clock.now()) is None


def test_timers_of_business_time_follow_it_alone(fs: SimFs, clock: SimClock):
    """People move business time forward; a timer of wire time does not notice."""
    again = AskAgain("pi_1", "held", 1)

    def rule(message: Message, moment: Moment) -> Step:
        due_ms = moment.business_ms + 3_600_000
        return Step(timers=[SetTimer("hold", "ask.again", again, due_ms, business=True)])

    driver = driven(Ruled(rule), fs, clock)
    feed(fs, "frontdoor", create_line(1, 5))
    feed(fs, "vault", deposit_line(1, "tok_1"))
    settle(driver)
    assert driver.intake.next_due_ms(clock.now()) == 1000
    clock.advance_business_ms(3_600_000)
    settle(driver)

    assert driver.loop.state.rung == ["held"]


def test_many_open_timers_cost_a_turn_nothing(fs: SimFs, clock: SimClock):
    """What is not due is not looked at, however much of it there is; none is lost."""
    driver = drive(fs, clock)
    feed(fs, "vault", *(deposit_line(n, f"tok_{n}") for n in range(1, 1001)))
    settle(driver)
    assert len(driver.loop.head.timers) == 1000
    clock.advance_ms(1000)
    settle(driver)

    assert sorted(driver.loop.state.rung) == sorted(f"tok_{n}" for n in range(1, 1001))
    assert driver.loop.head.timers == {}
