"""The simulated machine: the supervisor's rules and an actor's life over simulated processes."""

import errno
from collections.abc import Mapping, Sequence
from itertools import pairwise

import pytest

from payrail.domain.timestamps import parse_iso
from payrail.errors import BadSettings, Corrupt, HomeHeld
from payrail.runtime.actor import BookSpec
from payrail.runtime.bells import IDLE_MS_MAX
from payrail.runtime.control import WRITER_WAIT_MS
from payrail.runtime.recovery import journal_path
from payrail.runtime.sim import Dropped, Fault, SimFs
from payrail.runtime.simlife import actor_life
from payrail.runtime.simmachine import SUPERVISOR, SimMachine
from payrail.runtime.simproc import KILLED, SimProcess
from payrail.runtime.supervision import (
    BACKOFF_MS_FIRST,
    BACKOFF_MS_MAX,
    DEATHS_MAX,
    DEGRADED_RETRY_MS,
)
from payrail.runtime.wards import Limits
from tests.runtime.machines import (
    TOY,
    epochs,
    fresh,
    house,
    live,
    send,
    settle,
    steps,
    tokens,
    until,
    work,
)
from tests.runtime.toy import Toy, deposit_line

POISON = "vault>gateway:2"


def test_an_actor_is_started_and_serves():
    """The supervisor starts it; it takes what it is sent and comes to rest."""
    machine = house()
    send(machine, deposit_line(1, "tok_1"))
    settle(machine)

    assert machine.notes[TOY].state == "up"
    assert tokens(machine) == ["tok_1"]
    assert machine.next_due_ms() is None


def test_a_killed_actor_is_back_at_once_and_has_lost_nothing():
    """Of a kill from outside the supervisor is told, and starts another without a pause."""
    machine = house()
    send(machine, deposit_line(1, "tok_1"))
    work(machine)

    machine.kill(TOY)
    at_ms = machine.now_ms
    work(machine)

    assert machine.now_ms == at_ms
    assert (machine.notes[TOY].state, machine.notes[TOY].restarts) == ("up", 1)
    assert machine.ends[0].code == KILLED
    assert tokens(machine) == ["tok_1"]
    assert epochs(machine) == [1, 2]


def test_who_dies_at_its_start_is_tried_later_and_later():
    """Deaths without a service back off, doubling; after too many it is tried each half minute."""
    machine = SimMachine()
    machine.add(TOY, actor_life(_failing))
    machine.start()
    live(machine, 10_000)

    starts_ms = [end.at_ms for end in machine.ends]
    pauses_ms = [late - early for early, late in pairwise(starts_ms)]
    assert pauses_ms == [BACKOFF_MS_FIRST << n for n in range(DEATHS_MAX)]
    assert machine.notes[TOY].state == "degraded"
    assert {end.code for end in machine.ends} == {1}
    live(machine, DEGRADED_RETRY_MS)
    assert len(machine.ends) == DEATHS_MAX + 2


def _failing(_process: SimProcess) -> Toy:
    raise RuntimeError("a fault of the toy")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Corrupt("journal.jsonl", 3, "the chain is broken"), 70),
        (OSError(errno.EIO, "Input/output error"), 74),
        (BadSettings("PAYRAIL_TOY"), 78),
    ],
)
def test_what_trying_again_cannot_mend_is_held_until_released(error: Exception, code: int):
    """Damage, a broken disk and settings are not tried again until people say so."""
    trouble = [error]

    def toy(_process: SimProcess) -> Toy:
        if trouble:
            raise trouble[0]
        return Toy()

    machine = SimMachine()
    machine.add(TOY, actor_life(toy))
    machine.start()
    settle(machine)
    assert (machine.notes[TOY].state, machine.notes[TOY].why) == ("held", f"exit {code}")
    assert [end.code for end in machine.ends] == [code]

    trouble.clear()
    live(machine, 60_000)
    assert machine.process(TOY) is None
    machine.order(TOY, "release")
    settle(machine)
    assert machine.notes[TOY].state == "up"


def test_damage_of_its_files_is_held():
    """An actor whose durable bytes changed halts with 70 and writes nothing more."""
    machine = house()
    send(machine, deposit_line(1, "tok_1"))
    settle(machine)
    machine.kill(TOY)
    journal = SimFs(machine.disk).open(journal_path(TOY))
    journal.pwrite(40, b"X")
    damaged = journal.pread(0, journal.size())
    settle(machine)

    assert machine.notes[TOY].why == "exit 70"
    assert SimFs(machine.disk).read(journal_path(TOY)) == damaged


def test_a_failed_fsync_is_held_and_what_was_promised_stands():
    """Trust in the disk is lost: 74, and only people start it again."""
    machine = house()
    send(machine, deposit_line(1, "tok_1"))
    settle(machine)
    machine.faults = lambda _actor: [Fault(1, "error", forever=True, ops=frozenset({"sync"}))]
    machine.kill(TOY)
    send(machine, deposit_line(2, "tok_2"))
    settle(machine)
    assert machine.notes[TOY].why == "exit 74"

    machine.faults = lambda _actor: ()
    machine.order(TOY, "release")
    settle(machine)
    assert tokens(machine) == ["tok_1", "tok_2"]


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


def test_a_paused_actor_takes_nothing_until_it_is_resumed():
    """It beats all the same, and is not killed for its silence."""
    machine = house()
    machine.order(TOY, "pause")
    live(machine, 200)
    send(machine, deposit_line(1, "tok_1"))
    live(machine, 60_000)
    cell = machine.cells.read(TOY)
    assert cell is not None
    assert (tokens(machine), cell.state) == ([], "paused")
    machine.order(TOY, "resume")
    settle(machine)

    assert tokens(machine) == ["tok_1"]
    assert machine.ends == []


def test_a_slow_actor_takes_its_time():
    """Each of its turns costs so much; nothing is lost."""
    machine = house()
    machine.slow_ms[TOY] = 300
    send(machine, deposit_line(1, "tok_1"))
    work(machine)
    send(machine, deposit_line(2, "tok_2"))
    work(machine)
    assert tokens(machine) == ["tok_1"]
    live(machine, 300)

    assert tokens(machine) == ["tok_1", "tok_2"]


def test_an_order_restarts_in_order_and_the_house_ends_in_order():
    """`restart` lets it finish and starts it anew; at the end it leaves a snapshot and code 0."""
    machine = house()
    machine.order(TOY, "restart")
    settle(machine)
    assert [end.code for end in machine.ends] == [0]
    send(machine, deposit_line(1, "tok_1"))
    work(machine)
    machine.shut_down()
    settle(machine)

    assert [end.code for end in machine.ends] == [0, 0]
    assert machine.warden is None
    assert machine.notes[TOY].state == "down"
    assert SimFs(machine.disk).exists("data/actors/gateway/toy.json")


def test_who_gets_no_process_is_tried_again(monkeypatch: pytest.MonkeyPatch):
    """Where the system has none to give, the supervisor waits and goes on."""
    machine = fresh()

    def none() -> SimProcess:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(machine, "make", none)
    live(machine, BACKOFF_MS_MAX - 1)
    assert machine.process(TOY) is None
    monkeypatch.undo()
    settle(machine)

    assert tokens(machine) == []
    assert machine.notes[TOY].state == "up"


def test_children_end_with_their_supervisor():
    """SIGKILL of the supervisor ends them all; the next one starts them on the same files."""
    machine = house()
    send(machine, deposit_line(1, "tok_1"))
    work(machine)
    machine.kill(SUPERVISOR)
    assert machine.process(TOY) is None
    assert machine.next_due_ms() is None
    machine.start()
    settle(machine)

    assert tokens(machine) == ["tok_1"]
    assert epochs(machine) == [1, 2]


def test_timers_fire_in_their_time_and_idle_time_is_passed_over():
    """A deposit's timer is the next thing that happens; no look in between is worth a step."""
    machine = house()
    send(machine, deposit_line(1, "tok_1"))
    work(machine)
    began_ms = machine.time.wall_ms()
    settle(machine)

    (rung,) = [step for step in steps(machine) if step.in_.from_ == "timer"]
    assert parse_iso(rung.at) == began_ms + 1_000


def test_the_front_door_waits_for_the_others():
    """It is started last, when the others serve, and stopped first."""
    machine = fresh(Toy, Door)
    machine.slow_ms[TOY] = 50
    settle(machine)
    opened = {name: machine.cells.read(name) for name in (TOY, "frontdoor")}
    toy, door = opened[TOY], opened["frontdoor"]
    assert toy is not None
    assert door is not None
    assert toy.served_ms <= door.served_ms
    machine.shut_down()
    settle(machine)

    assert [end.name for end in machine.ends if end.code == 0] == ["frontdoor", TOY]


class Door(Toy):
    """A second toy, of another name."""

    name = "frontdoor"
    peers: Sequence[str] = ("gateway",)
    books: Mapping[str, BookSpec] = {}

    def documents(self, state):
        return {}
