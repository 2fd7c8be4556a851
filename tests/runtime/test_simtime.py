"""Clocks that are set wrong, below the real guard: no actor's time goes back or stands still."""

import pytest

from payrail.domain.timestamps import parse_iso
from payrail.runtime.clockfile import setting_at, write_setting
from payrail.runtime.sim import SimFs, SimTime
from payrail.runtime.simmachine import SimMachine
from tests.runtime.machines import TOY, fresh, house, live, send, settle, steps
from tests.runtime.toy import deposit_line

HOUR_MS = 3_600_000


def rung_ms(machine: SimMachine) -> list[int]:
    """At what wire time the toy's timers fired."""
    return [parse_iso(step.at) for step in steps(machine) if step.in_.from_ == "timer"]


def times_ms(machine: SimMachine) -> list[int]:
    return [parse_iso(step.at) for step in steps(machine)]


def waiting() -> SimMachine:
    """A toy with a timer that is due in a second."""
    machine = house()
    send(machine, deposit_line(1, "tok_1"))
    live(machine, 1)
    return machine


@pytest.mark.parametrize("by_ms", [-HOUR_MS, -1_000, -1])
def test_a_clock_that_is_set_back_delays_no_timer(by_ms: int):
    """Wire time goes on at its own pace: a second stays a second, and no step goes back."""
    machine = waiting()
    began_ms = machine.now_ms
    machine.time.jump_wall_ms(by_ms)
    live(machine, 998)
    assert rung_ms(machine) == []
    live(machine, 2)

    assert len(rung_ms(machine)) == 1
    assert machine.now_ms - began_ms == 1_000
    assert times_ms(machine) == sorted(times_ms(machine))


def test_a_clock_that_is_set_forward_makes_timers_due():
    """Wire time follows the wall forward: what is due by it is due."""
    machine = waiting()
    machine.time.jump_wall_ms(HOUR_MS)
    live(machine, 250)

    assert len(rung_ms(machine)) == 1
    assert rung_ms(machine)[0] >= machine.time.wall_ms() - 250


def test_a_clock_that_stands_still_stops_no_timer():
    """The wall clock hangs; wire time goes on by the machine's other clock."""
    machine = waiting()
    machine.time.is_frozen = True
    live(machine, 1_000)

    assert len(rung_ms(machine)) == 1


def test_a_restart_after_the_clock_was_set_back_goes_on_from_the_journal():
    """A new process knows the wall clock alone; its journal tells it how late it is."""
    machine = waiting()
    machine.time.jump_wall_ms(-HOUR_MS)
    machine.kill(TOY)
    live(machine, 1_100)

    assert len(rung_ms(machine)) == 1
    assert times_ms(machine) == sorted(times_ms(machine))
    assert machine.notes[TOY].restarts == 1


def test_a_jump_harms_no_watch():
    """Beats and restarts are measured by the clock that nobody can set."""
    machine = house()
    for by_ms in (HOUR_MS, -2 * HOUR_MS, 48 * HOUR_MS):
        machine.time.jump_wall_ms(by_ms)
        live(machine, 7_000)

    assert machine.ends == []


def test_business_time_is_moved_as_in_a_real_house():
    """Every process follows the clock's file, within its look."""
    machine = house()
    process = machine.process(TOY)
    assert process is not None
    now = process.clock.now()
    moved = setting_at(
        "follow", business_ms=now.wire_ms + HOUR_MS, wire_ms=now.wire_ms, user_id="u_1"
    )
    write_setting(SimFs(machine.disk), moved)
    live(machine, 60)

    assert process.clock.now().business_ms == process.clock.now().wire_ms + HOUR_MS


def test_a_damaged_clock_file_is_held_at_the_start():
    """Time must not go back by a silent guess: 78, until people put the file right."""
    machine = fresh()
    SimFs(machine.disk).replace("data/clock.json", b"{")
    settle(machine)
    assert machine.notes[TOY].why == "exit 78"

    SimFs(machine.disk).unlink("data/clock.json")
    machine.order(TOY, "release")
    settle(machine)
    assert machine.notes[TOY].state == "up"


def test_time_itself_does_not_go_back():
    """Only a wall clock can be set."""
    with pytest.raises(ValueError, match="does not go back"):
        SimTime().pass_ms(-1)
