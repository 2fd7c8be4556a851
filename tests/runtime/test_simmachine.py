"""The simulated machine: the supervisor's rules and an actor's life over simulated processes."""

import errno
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import pytest

from payrail.domain.timestamps import parse_iso
from payrail.errors import BadSettings, Corrupt
from payrail.runtime.actor import BookSpec
from payrail.runtime.recovery import journal_path
from payrail.runtime.sim import Fault, SimFs
from payrail.runtime.simlife import actor_life
from payrail.runtime.simmachine import SUPERVISOR, SimMachine
from payrail.runtime.simproc import KILLED, SimProcess
from payrail.runtime.supervision import (
    BACKOFF_MS_FIRST,
    BACKOFF_MS_MAX,
    DEATHS_MAX,
    DEGRADED_RETRY_MS,
)
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
    work,
)
from tests.runtime.toy import Toy, deposit_line


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


def test_a_release_given_before_the_death_was_seen_releases():
    """People who put a file back at once and say `release` need not know whether the supervisor has
    looked since their actor ended: it looks first, and then obeys."""
    trouble = [Corrupt("journal.jsonl", 3, "the chain is broken")]

    def toy(_process: SimProcess) -> Toy:
        if trouble:
            raise trouble.pop()
        return Toy()

    machine = SimMachine()
    machine.add(TOY, actor_life(toy))
    machine.start()
    while not machine.ends:
        machine.turn(machine.runnable()[0])
    assert machine.notes[TOY].state == "up"

    machine.order(TOY, "release")
    settle(machine)

    assert [end.code for end in machine.ends] == [70]
    assert machine.notes[TOY].state == "up"
    assert machine.process(TOY) is not None


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


def test_what_a_start_mended_is_logged_before_it_serves():
    """Who waits for `serving` and then reads the log finds what happened at the start."""
    machine = house()
    send(machine, deposit_line(1, "tok_1"))
    settle(machine)
    machine.kill(TOY)
    SimFs(machine.disk).open(journal_path(TOY)).append(b'{"torn')
    logged: list[tuple[str, str]] = []

    def told(actor: str, _level: str, event: str, _fields: Mapping[str, Any]) -> None:
        cell = machine.cells.read(actor)
        logged.append((event, cell.state if cell else ""))

    machine.told = told
    settle(machine)

    assert ("journal.cut", "starting") in logged


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
