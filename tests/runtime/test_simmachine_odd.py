"""A simulated machine where things are odd: hangs, stops, doubles, poison, cuts, lost bells."""

import pytest

from payrail.errors import HomeHeld
from payrail.runtime.bells import IDLE_MS_MAX
from payrail.runtime.control import WRITER_WAIT_MS
from payrail.runtime.recovery import journal_path
from payrail.runtime.sim import Dropped, SimFs
from payrail.runtime.simmachine import SUPERVISOR
from payrail.runtime.simproc import KILLED
from payrail.runtime.wards import Limits
from tests.runtime.machines import (
    TOY,
    epochs,
    house,
    live,
    send,
    settle,
    steps,
    tokens,
    until,
    work,
)
from tests.runtime.toy import deposit_line

POISON = "vault>gateway:2"


def test_who_hangs_is_killed_and_restarted():
    """A process that stands still in a message beats no more; after the supervisor's patience it
    is killed, and its successor, with a second chance for the message, goes on."""
    machine = house()
    hangs = iter(["hang"])
    machine.mischief = lambda _actor, _message: next(hangs, "")
    send(machine, deposit_line(1, "tok_1"))

    took_ms = until(machine, lambda: machine.notes[TOY].restarts == 1, 10_000)
    settle(machine)

    # Its first look in an idle house begins the count, the one behind the last moment kills.
    assert Limits().beat_ms_max < took_ms <= Limits().beat_ms_max + 2 * Limits().turn_ms
    assert machine.ends[0].code == KILLED
    assert tokens(machine) == ["tok_1"]


def test_a_stopped_process_that_goes_on_in_time_is_left_alone():
    """SIGSTOP for less than the supervisor's patience costs the time and nothing else."""
    machine = house()
    machine.stop(TOY)
    send(machine, deposit_line(1, "tok_1"))
    live(machine, Limits().beat_ms_max - 200)
    assert tokens(machine) == []
    machine.go_on(TOY)
    settle(machine)

    assert machine.notes[TOY].restarts == 0
    assert tokens(machine) == ["tok_1"]


def test_a_supervisor_that_stood_still_blames_nobody():
    """After its own SIGSTOP all beats look old; nobody is killed for that."""
    machine = house()
    machine.stop(SUPERVISOR)
    machine.stop(TOY)
    live(machine, 60_000)
    machine.go_on(SUPERVISOR)
    live(machine, 1_000)
    machine.go_on(TOY)
    settle(machine)

    assert machine.ends == []


def test_a_second_process_of_a_living_actor_is_refused_and_writes_nothing():
    """It waits for the writer lock as long as an heir would, then ends with 73; the first lives."""
    machine = house()
    second = machine.start_twice(TOY)
    before = dict(machine.disk.names)
    written = [bytes(node.content) for node in before.values()]
    live(machine, WRITER_WAIT_MS + 100)

    assert second.code() == 73
    assert isinstance(second.error, HomeHeld)
    assert machine.disk.names == before
    assert [bytes(node.content) for node in before.values()] == written
    assert machine.process(TOY) is not None
    assert machine.notes[TOY].restarts == 0


def test_a_second_process_takes_over_once_the_first_is_dead():
    """A lock dies with its holder: who waited for it recovers what that one left."""
    machine = house()
    send(machine, deposit_line(1, "tok_1"))
    work(machine)
    machine.kill(SUPERVISOR)
    second = machine.start_twice(TOY)
    settle(machine)

    assert second.is_alive
    assert tokens(machine) == ["tok_1"]


def test_a_second_house_is_refused():
    """One supervisor a home; the second is told so."""
    with pytest.raises(HomeHeld):
        house().start()


def test_who_is_stopped_has_no_successor_that_it_could_write_over():
    """Its lock is held as long as it lives: whoever would follow waits for its death, and what it
    had decided before, going on, is refused by nobody and written by nobody else."""
    machine = house()
    send(machine, deposit_line(1, "tok_1"))
    machine.stop(TOY)
    second = machine.start_twice(TOY)
    live(machine, WRITER_WAIT_MS - 100)
    assert epochs(machine) == [1]
    machine.go_on(TOY)
    live(machine, 1_000)

    assert second.code() == 73
    assert epochs(machine) == [1]
    assert tokens(machine) == ["tok_1"]


def test_who_is_killed_while_stopped_never_writes_again():
    """The supervisor kills a silent one; going on afterwards it is dead, and its heir's journal
    has one writer an epoch."""
    machine = house()
    stopped = machine.process(TOY)
    assert stopped is not None
    send(machine, deposit_line(1, "tok_1"))
    stopped.stop()
    until(machine, lambda: machine.notes[TOY].restarts == 1, 10_000)
    settle(machine)
    journal = SimFs(machine.disk).read(journal_path(TOY))
    stopped.go_on()
    settle(machine)

    assert not stopped.is_ready(machine.now_ms)
    assert SimFs(machine.disk).read(journal_path(TOY)) == journal
    assert epochs(machine) == [1, 2]


def test_a_poison_is_set_aside_after_three_deaths():
    """The message that kills its reader is known by name to each next one; the fourth buries it
    and takes what came behind it. No pause is made for it: it is the message that is sick."""
    machine = house()
    machine.mischief = lambda _actor, message: "kill" if message == POISON else ""
    send(machine, *(deposit_line(n, f"tok_{n}") for n in (1, 2, 3)))
    settle(machine)

    assert [end.code for end in machine.ends] == [KILLED] * 3
    assert tokens(machine) == ["tok_1", "tok_3"]
    assert machine.notes[TOY].state == "up"
    buried = [line for step in steps(machine) for line in step.books if line.book == "dlq"]
    assert len(buried) == 1
    assert b"crash_loop" in bytes(buried[0].line)
    cell = machine.cells.read(TOY)
    assert cell is not None
    assert (cell.suspect, cell.deaths) == (None, 0)


def test_a_power_cut_takes_the_cells():
    """Nobody syncs a cell: after the cut a poison begins anew to kill, and is set aside later."""
    machine = house()
    machine.mischief = lambda _actor, message: "kill" if message == POISON else ""
    send(machine, deposit_line(1, "tok_1"), deposit_line(2, "tok_2"))
    while len(machine.ends) < 2:
        machine.turn(machine.runnable()[0])
    machine.cut_power(Dropped())
    assert machine.cells.read(TOY) is None
    machine.ends.clear()
    send(machine, deposit_line(1, "tok_1"), deposit_line(2, "tok_2"))

    machine.start()
    settle(machine)

    assert [end.code for end in machine.ends] == [KILLED] * 3
    assert tokens(machine) == ["tok_1"]


def test_a_lost_bell_costs_one_idle_sleep():
    """Who is not rung for looks for itself when its sleep ends."""
    machine = house()
    live(machine, 5_000)
    lost = []

    def lose(actor: str) -> int:
        lost.append(actor)
        return 0

    machine.rings = lose
    send(machine, deposit_line(1, "tok_1"))
    took_ms = until(machine, lambda: tokens(machine) == ["tok_1"], 1_000)

    assert lost == [TOY]
    assert 0 < took_ms <= IDLE_MS_MAX


def test_a_bell_that_rings_twice_does_no_harm():
    """The second ring wakes it for nothing."""
    machine = house()
    machine.rings = lambda _actor: 2
    send(machine, deposit_line(1, "tok_1"))
    work(machine)

    assert tokens(machine) == ["tok_1"]
    settle(machine)
    assert machine.next_due_ms() is None
