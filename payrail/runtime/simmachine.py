"""A simulated machine: a disk, clocks, processes, cells, bells, and the real supervisor's rules.

    machine = SimMachine()
    machine.add("gateway", actor_life(lambda process: Toy()))
    machine.start()                             # its supervisor; raises HomeHeld for a second one
    while ready := machine.runnable():          # names; `supervisor` is one of them
        machine.turn(rng.choice(ready))
    due_ms = machine.next_due_ms()              # monotonic; None: nothing will ever happen
    machine.pass_ms(due_ms - machine.now_ms)
    machine.kill("gateway")                     # or stop, go_on, order, start_twice, cut_power

What is real: the supervisor's rules, an actor's life, its files' steps, cells, clocks and exit
codes. What is simulated: when somebody gets a turn, how time passes, and what goes wrong, which
the callables `faults`, `rings` and `mischief` decide.
Never: draws a lot itself, or knows an actor.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from payrail.errors import HomeHeld
from payrail.runtime.driver import Driver
from payrail.runtime.orders import Order, OrderReader, Verb, orders_path
from payrail.runtime.ports import Bell
from payrail.runtime.simcells import SimCells
from payrail.runtime.simdisk import SimDisk, Survival
from payrail.runtime.simfaults import Faults
from payrail.runtime.simfs import SimFs
from payrail.runtime.simnotes import Ended, Noted, SimLog, Told
from payrail.runtime.simproc import Life, SimProcess
from payrail.runtime.simtime import SimTime
from payrail.runtime.turning import Turning
from payrail.runtime.warden import Warden
from payrail.runtime.wards import Limits, Ports, Ward

SUPERVISOR = "supervisor"
_FIRST_PID = 100

#: Recovers what a process becomes; `simlife.actor_life` makes one for an actor.
Build = Callable[[SimProcess], Life]


class SimBell:
    """Everybody's bells; fills `ports.Bell`. `SimMachine.rings` says how many rings arrive."""

    def __init__(self, machine: "SimMachine") -> None:
        self._machine = machine

    def ring(self, actor: str) -> None:
        process = self._machine.writer(actor)
        if process is not None:
            process.ring(self._machine.rings(actor))


class SimMachine:
    """The machine; see above. It fills `simproc.Ground` and `ports.Proc`."""

    def __init__(self, disk: SimDisk | None = None, time: SimTime | None = None) -> None:
        self.disk, self.time = disk or SimDisk(), time or SimTime()
        self.cells = SimCells(self.time.monotonic_ms)
        self.bell: Bell = SimBell(self)
        self.faults: Callable[[str], Faults] = lambda _actor: ()  # of a new process' files
        self.rings: Callable[[str], int] = lambda _actor: 1  # 0: the ring is lost, 2: doubled
        self.mischief: Callable[[str, str], str] = lambda _actor, _message: ""  # "kill", "hang"
        self.slow_ms: dict[str, int] = {}  # how long each turn of an actor takes
        self.told: Told = lambda _actor, _level, _event, _fields: None
        self.ends: list[Ended] = []
        self.notes: dict[str, Noted] = {}
        self.warden: Warden | None = None
        self._builds: dict[str, Build] = {}
        self._orders: list[str] = []  # where people's orders to each of them lie
        self._processes: dict[str, SimProcess] = {}  # by label, the living and the last
        self._spares: list[SimProcess] = []
        self._writers: dict[str, SimProcess] = {}
        self._last_pid = _FIRST_PID
        self._supervisor_due_ms = 0
        self._supervisor_stopped = False
        self._obeyed_bytes = 0

    def add(self, name: str, build: Build) -> None:
        """An actor of this house, in start order; the last one added is the front door."""
        self._builds[name] = build
        self._orders.append(orders_path(name))

    def start(self, limits: Limits | None = None) -> None:
        """A supervisor for all of them. Raises HomeHeld while there is one."""
        if self.warden is not None:
            raise HomeHeld(next(iter(self._builds)), "another process")
        fs = SimFs(self.disk)
        ports = Ports(self, self.cells, lambda name: OrderReader(fs, name), self, self.log_of(""))
        self._supervisor_due_ms, self._supervisor_stopped = self.now_ms, False
        self.warden = Warden(list(self._builds), ports, self.now_ms, limits)

    # Turns and time.

    @property
    def now_ms(self) -> int:
        """Monotonic."""
        return self.time.monotonic_ms()

    def runnable(self) -> list[str]:
        """Who would do something now, in a fixed order."""
        now_ms = self.now_ms
        ready = [
            label
            for label, one in self._processes.items()
            if one.due_ms is not None and one.due_ms <= now_ms and one.is_ready(now_ms)
        ]
        if self.warden and not self._supervisor_stopped and self._supervisor_due_ms <= now_ms:
            ready.append(SUPERVISOR)
        return ready

    def turn(self, label: str) -> None:
        """Let it do what comes next. Its death is written down in `ends`, not raised."""
        if label != SUPERVISOR:
            self._processes[label].turn()
        elif self.warden is not None:
            self._obeyed_bytes = self._orders_bytes()
            if self.warden.turn(self.now_ms):
                self._supervisor_due_ms = self.now_ms + self.warden.wait_ms(self.now_ms)
            else:
                self.kill(SUPERVISOR)

    def next_due_ms(self) -> int | None:
        """When somebody will have something to do, if nobody from outside writes or rings; looks
        that would find nothing are passed over. Monotonic; None: never."""
        now_ms = self.now_ms
        due = [one.next_ms(now_ms) for one in self._processes.values()]
        if self.warden and not self._supervisor_stopped and not self._is_quiet(self.warden):
            due.append(self._supervisor_due_ms)
        return min((max(now_ms, ms) for ms in due if ms is not None), default=None)

    def pass_ms(self, ms: int, *, at_once: bool = False) -> None:
        """Let time pass, for all clocks of the machine. Whoever would only look, and find nothing,
        has looked. `at_once`: nothing has happened since `next_due_ms` was asked."""
        self.time.pass_ms(ms)
        now_ms = self.now_ms
        for process in self._processes.values():
            process.sleeps_on(now_ms, at_once=at_once)

    # What people and the world do to it.

    def process(self, label: str) -> SimProcess | None:
        """The living process of that name."""
        found = self._processes.get(label)
        return found if found is not None and found.is_alive else None

    def driver(self, actor: str) -> Driver[Any]:
        """Of the living actor. Raises LookupError while it has not recovered, or is none."""
        process = self.writer(actor)
        if process is None or not isinstance(process.life, Turning):
            raise LookupError(f"no {actor} serves")
        return process.life.driver

    def kill(self, label: str) -> None:
        """SIGKILL; that of the supervisor ends its children too."""
        if label != SUPERVISOR:
            if (process := self.process(label)) is not None:
                process.kill()
            return
        if self.warden is not None:
            self.warden.end_all()
            self.warden = None

    def stop(self, label: str) -> None:
        """SIGSTOP."""
        if label == SUPERVISOR:
            self._supervisor_stopped = True
        elif (process := self.process(label)) is not None:
            process.stop()

    def go_on(self, label: str) -> None:
        """SIGCONT."""
        if label == SUPERVISOR:
            self._supervisor_stopped = False
        elif (process := self.process(label)) is not None:
            process.go_on()

    def order(self, actor: str, verb: Verb) -> None:
        """An order of people to the supervisor, as `payrail kill|pause|resume|restart|release`."""
        file = SimFs(self.disk).open(orders_path(actor), create=True)
        file.append(msgspec.json.encode(Order(verb)) + b"\n")
        file.close()

    def shut_down(self) -> None:
        """SIGTERM to the supervisor; its turns end the house in order."""
        if self.warden is not None:
            self.warden.stop()
            self._supervisor_due_ms = self.now_ms

    def start_twice(self, actor: str) -> SimProcess:
        """Somebody starts another process of this actor beside the house."""
        process = self.make()
        process.become(actor)
        return process

    def cut_power(self, survival: Survival, *, keeps_cells: bool = False) -> None:
        """Everybody is gone, and what was not synced as `survival` says. Cells are never synced,
        but may have reached the disk by chance. `start` boots it again."""
        self.warden = None
        self.disk = self.disk.after_crash(survival)
        for process in [*self._processes.values(), *self._spares]:
            process.kill()
        self._processes.clear()
        self._spares.clear()
        self._writers.clear()
        self.cells.reboot(keeps=keeps_cells)

    # As its processes and its supervisor see it.

    def make(self) -> SimProcess:
        """A spare; see `ports.Proc`."""
        self._last_pid += 1
        process = SimProcess(self, self._last_pid)
        self._spares.append(process)
        return process

    def joined(self, process: SimProcess) -> None:
        self._spares.remove(process)
        is_second = self.process(process.name) is not None
        self._processes[f"{process.name}~{process.pid}" if is_second else process.name] = process

    def writer(self, actor: str) -> SimProcess | None:
        """The living process that holds this actor's writer lock."""
        found = self._writers.get(actor)
        return found if found is not None and found.is_alive else None

    def locked(self, process: SimProcess) -> bool:
        holder = self.writer(process.name) or process
        self._writers[process.name] = holder
        return holder is process

    def build(self, process: SimProcess) -> Life:
        return self._builds[process.name](process)

    def ended(self, process: SimProcess) -> None:
        self._spares = [spare for spare in self._spares if spare is not process]
        if process.name:
            code = process.code()
            assert code is not None
            self.ends.append(Ended(process.name, process.pid, code, process.error, self.now_ms))
        if self.warden is not None:
            self._supervisor_due_ms = self.now_ms  # It is told of a death at once.

    def note(self, actor: str, state: str, *, pid: int | None, why: str, again: bool) -> None:
        """See `wards.Notes`."""
        noted = self.notes.setdefault(actor, Noted())
        noted.state, noted.pid, noted.why = state, pid, why or noted.why
        noted.restarts += again

    def log_of(self, actor: str) -> SimLog:
        return SimLog(actor or SUPERVISOR, self.told)

    def _is_quiet(self, warden: Warden) -> bool:
        """Whether a look of the supervisor would find nothing to do, for as long as all go on."""
        if self._orders_bytes() != self._obeyed_bytes:
            return False
        return all(self._is_settled(ward) for ward in warden.wards)

    def _is_settled(self, ward: Ward) -> bool:
        if ward.is_held:
            return True
        process = self.process(ward.name)
        if process is None or process.is_stopped or process.is_hung:
            return False
        return ward.serving and ward.stop_by_ms is None

    def _orders_bytes(self) -> int:
        fs = SimFs(self.disk)
        return sum(map(fs.size, self._orders))
