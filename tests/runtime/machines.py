"""A simulated machine with toys on it, and the few moves that its tests share."""

from collections.abc import Callable
from functools import partial

from payrail.runtime.recovery import OPENED, journal_path
from payrail.runtime.sim import SimFs
from payrail.runtime.simlife import actor_life
from payrail.runtime.simmachine import SimMachine
from payrail.runtime.simproc import SimProcess
from payrail.runtime.turning import Habits
from payrail.storage.journal import JournalLine, read_steps
from tests.runtime.toy import Toy, feed

TOY = "gateway"


def house() -> SimMachine:
    """One toy, served; its supervisor has looked at it."""
    machine = fresh()
    settle(machine)
    return machine


def fresh(*toys: type[Toy], habits: Habits | None = None) -> SimMachine:
    """The same before anybody had a turn, or one of such toys."""
    machine = SimMachine()
    for toy in toys or (Toy,):
        machine.add(toy.name, actor_life(partial(_made, toy), habits=habits))
    machine.start()
    return machine


def _made(toy: type[Toy], _process: SimProcess) -> Toy:
    return toy()


def work(machine: SimMachine, turns_max: int = 1_000) -> None:
    """Everybody turns until nobody has anything to do at this moment."""
    for _ in range(turns_max):
        ready = machine.runnable()
        if not ready:
            return
        for label in ready:
            machine.turn(label)
    raise AssertionError("somebody never comes to rest")


def settle(machine: SimMachine, within_ms: int = 120_000) -> None:
    """Time moves on until nothing will happen any more, or so much of it has passed."""
    until_ms = machine.now_ms + within_ms
    work(machine)
    while (due_ms := machine.next_due_ms()) is not None and due_ms <= until_ms:
        machine.pass_ms(due_ms - machine.now_ms)
        work(machine)


def live(machine: SimMachine, ms: int) -> None:
    """So much time passes, and everybody does what is due."""
    until_ms = machine.now_ms + ms
    while machine.now_ms < until_ms:
        work(machine)
        due_ms = machine.next_due_ms()
        machine.pass_ms(min(until_ms, due_ms or until_ms) - machine.now_ms)
    work(machine)


def until(machine: SimMachine, fact: Callable[[], bool], within_ms: int) -> int:
    """Let time pass until the fact is true; result: how long it took."""
    began_ms = machine.now_ms
    while not fact():
        assert machine.now_ms - began_ms <= within_ms, "it never came true"
        live(machine, 1)
    return machine.now_ms - began_ms


def send(machine: SimMachine, *lines: bytes, ring: bool = True) -> None:
    """The vault writes to the toy."""
    feed(SimFs(machine.disk), "vault", *lines)
    if ring:
        machine.bell.ring(TOY)


def steps(machine: SimMachine, name: str = TOY) -> list[JournalLine]:
    data = SimFs(machine.disk).read(journal_path(name))
    return [line for _, _, line in read_steps(data)]


def tokens(machine: SimMachine) -> list[str]:
    """What the living toy has counted."""
    return list(machine.driver(TOY).loop.state.tokens)


def epochs(machine: SimMachine) -> list[int]:
    return [step.epoch for step in steps(machine) if step.in_.kind == OPENED]
