"""A toy's life on a simulated machine where everything goes wrong that may, by one seed.

`War(seed).fight()` plays it; `peace()` takes the faults away, lets people mend what only people
can, and judges: every line taken once and in order, every timer once and not before its time, one
writer an epoch, the book as the journal says.
"""

import errno
from collections import Counter
from functools import partial
from random import Random
from typing import cast

import msgspec

from payrail.domain.timestamps import parse_iso
from payrail.runtime.cellpage import read_to
from payrail.runtime.orders import Verb
from payrail.runtime.recovery import OPENED, journal_path
from payrail.runtime.sim import Call, Chance, Fault, SimFs
from payrail.runtime.simmachine import SUPERVISOR, SimMachine
from payrail.runtime.simproc import SimProcess
from payrail.runtime.turning import Habits
from payrail.storage.journal import verify_chain
from payrail.storage.spool import SpoolWriter, last_sent
from tests.runtime.machines import TOY, fresh, settle, steps
from tests.runtime.toy import Toy, deposit_line

LINES = 12
#: A drained spool of this size is moved away: some three lines.
ROTATE_BYTES = 1_500
#: A call goes wrong once in so many.
FAULT_ONCE_IN = 60
#: After how many steps a busy one writes its snapshot, and how far apart they are.
SNAPSHOTS = ((1, 0), (4, 0), (20_000, 2_000), (20_000, 1 << 40))
BOOK = Toy.books["deposits"].path


class War:
    """One seed."""

    names: tuple[str, ...] = (TOY,)
    turns = 250
    #: What an error may hit.
    failing = frozenset({"create", "append", "pwrite", "truncate", "sync", "rename", "sync_folder"})

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        forced_steps, pause_ms = self.rng.choice(SNAPSHOTS)
        self.machine = self._built(Habits(forced_steps=forced_steps, documents_ms=pause_ms))
        self.fired: Counter[str] = Counter()
        self.sent = 0
        self.strangers: list[SimProcess] = []  # started beside the house: people end those
        self._arm()
        self._reborn()

    def _built(self, habits: Habits) -> SimMachine:
        return fresh(habits=habits)

    def _arm(self) -> None:
        self.machine.rings = lambda _actor: self.rng.choice((0, 1, 1, 2))
        self.machine.mischief = self._mischief
        self.machine.faults = lambda _actor: self._fault

    def _mischief(self, _actor: str, _message: str) -> str:
        what = self.rng.choices(("", "kill", "hang"), (40, 3, 1))[0]
        self.fired[f"message {what}"] += 1
        return what

    def _fault(self, call: Call) -> Fault | None:
        if self.rng.randrange(FAULT_ONCE_IN):
            return None
        kind = self.rng.choice(("crash_before", "crash_after", "torn", "error", "error"))
        if kind == "error" and call.op not in self.failing:
            return None
        number = self.rng.choice((errno.EIO, errno.ENOSPC))
        self.fired[kind if kind != "error" else errno.errorcode[number]] += 1
        kept_bytes = self.rng.randint(0, call.size_bytes)
        if kind == "crash_before":
            return Fault(call.n, "crash_before")
        if kind == "crash_after":
            return Fault(call.n, "crash_after")
        if kind == "torn":
            return Fault(call.n, "torn", kept_bytes=kept_bytes)
        return Fault(call.n, "error", errno=number, kept_bytes=kept_bytes)

    def fight(self) -> "War":
        """Turns and blows, as chance has it."""
        for _ in range(self.turns):
            ready = self.machine.runnable()
            if ready and self.rng.random() < 0.8:
                self.machine.turn(self.rng.choice(ready))
            elif self.rng.random() < 0.5:
                self.machine.pass_ms(self.rng.choice((1, 20, 300, 2_000)))
            else:
                self._blow()
        return self

    def _blow(self) -> None:
        machine, rng = self.machine, self.rng
        what = rng.choice(
            ["send"] * 8
            + ["kill", "stop", "go_on", "go_on", "jump", "freeze", "twice", "slow"]
            + ["release", "restart", "pause", "resume", "supervisor", "cut"]
        )
        self.fired[what] += 1
        if what == "send":
            self._send()
        elif what in ("kill", "stop", "go_on"):
            label = rng.choice([*self.names, *self.names, SUPERVISOR])
            getattr(machine, what)(label)
        elif what == "jump":
            machine.time.jump_wall_ms(rng.choice((-3_600_000, -10, 10, 3_600_000)))
        elif what == "freeze":
            machine.time.is_frozen = not machine.time.is_frozen
        elif what == "twice":
            self.strangers.append(machine.start_twice(rng.choice(self.names)))
        elif what == "slow":
            machine.slow_ms[rng.choice(self.names)] = rng.choice((0, 50))
        elif what == "supervisor":
            self._boot()
        elif what == "cut":
            machine.cut_power(Chance(Random(rng.random())), keeps_cells=rng.random() < 0.5)
            self._reborn()
        else:
            machine.order(rng.choice(self.names), cast(Verb, what))

    def _send(self) -> None:
        if self.sent < LINES:
            self.sent += 1
            self.vault.append(deposit_line(self.sent, f"tok_{self.sent}"))
            self.machine.bell.ring(TOY)

    def _boot(self) -> None:
        if self.machine.warden is None:
            self.machine.start()

    def _reborn(self) -> None:
        """The sender of deposits, which sends again what its receiver cannot find."""
        fs = SimFs(self.machine.disk)
        self.vault = SpoolWriter(
            fs, "vault", TOY, partial(read_to, self.machine.cells), rotate_bytes=ROTATE_BYTES
        )
        found = last_sent(fs, TOY, "vault")
        again = [deposit_line(n, f"tok_{n}") for n in range(found + 1, self.sent + 1)]
        for line in again:
            self.vault.append(line)

    def peace(self) -> "War":
        """No more faults; people put right what is theirs; then all must come to rest and hold."""
        machine = self.machine
        machine.rings = lambda _actor: 1
        machine.mischief = lambda _actor, _message: ""
        machine.faults = lambda _actor: ()
        machine.time.is_frozen = False
        machine.slow_ms.clear()
        for process in self.strangers:
            process.kill()
        while self.sent < LINES:
            self._send()
        machine.go_on(SUPERVISOR)
        self._boot()
        settle(machine)
        for name in self.names:
            machine.order(name, "resume")
            machine.go_on(name)
            machine.kill(name)  # of a process with a faulty disk
        for _ in range(3):
            for name in self.names:
                machine.order(name, "release")
            self._settle()
        self._judge()
        return self

    def _settle(self) -> None:
        settle(self.machine)

    def _judge(self) -> None:
        for name in self.names:
            self._judge_journal(name)
        self._judge_timers()
        fs, found = SimFs(self.machine.disk), steps(self.machine)
        assert [s.in_.n for s in found if s.in_.from_ == "vault"] == list(range(1, self.lines + 1))
        book = [bytes(line.line) for s in found for line in s.books if line.book == "deposits"]
        assert fs.read(BOOK) == b"".join(line + b"\n" for line in book)

    def _judge_journal(self, name: str) -> None:
        path = journal_path(name)
        verify_chain(path, SimFs(self.machine.disk).read(path))
        found = steps(self.machine, name)
        assert self.machine.notes[name].state == "up", self.machine.ends[-3:]
        epochs = [step.epoch for step in found if step.in_.kind == OPENED]
        assert epochs == list(range(1, len(epochs) + 1))
        times_ms = [parse_iso(step.at) for step in found]
        assert times_ms == sorted(times_ms)

    @property
    def lines(self) -> int:
        """How many the toy was sent."""
        return LINES

    def _judge_timers(self) -> None:
        due_ms: dict[str, int] = {}
        for step in steps(self.machine):
            for timer in step.timers:
                if timer.set in due_ms:
                    continue
                due_ms[timer.set] = parse_iso(step.at) + 1_000
            if step.in_.from_ == "timer":
                assert parse_iso(step.at) >= due_ms.pop(step.in_.id)
        assert due_ms == {}

    @property
    def trace(self) -> bytes:
        """Everything that is on the disk in the end, and who died when of what."""
        names = self.machine.disk.names
        files = {p: bytes(names[p].content).hex() for p in sorted(names)}
        ends = [(end.pid, end.code, end.at_ms) for end in self.machine.ends]
        return msgspec.json.encode([files, ends])
