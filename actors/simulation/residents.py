"""Who lives in the simulated house, and how each is joined to its process: `wiring`, simulated.

Everybody but the console, which only asks: vault with its door, providers, gateway, reconciler,
dispatcher, and the front door last. Never: decides when somebody turns, or what goes wrong.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from actors.dispatcher.core import Dispatcher
from actors.dispatcher.settings import Policy
from actors.dispatcher.works import works as dispatcher_works
from actors.frontdoor.inside import NAME as FRONT
from actors.gateway.core import Gateway
from actors.gateway.rule_files import open_all
from actors.gateway.rule_watch import changed
from actors.gateway.rules_taken import WATCH
from actors.gateway.settings import Rules
from actors.provider.core import Provider
from actors.provider.faultfile import open_faults
from actors.provider.posting import TOTAL_MS, notice_works
from actors.provider.statements import statement_works
from actors.reconciler.core import Jobs, Reconciler
from actors.reconciler.works import reconciler_works
from actors.simulation.beside import Beside, Opening
from actors.simulation.doors import (
    API,
    INNER,
    VAULT,
    Keys,
    Place,
    SimFrontdoor,
    SimNeighbours,
    SimVaultDoor,
)
from actors.simulation.evidence import Begun
from actors.simulation.logs import SimLog
from actors.simulation.seals import SimKeys, SimSeals, SimUnseal
from actors.vault.cardkeys import shredding
from actors.vault.core import Vault
from actors.vault.key_works import key_works
from actors.vault.keys import open_keys
from payrail.domain.providers import public_name
from payrail.domain.webhooks import SCHEDULES, AllowList
from payrail.domain.words.kinds import PROVIDERS
from payrail.domain.words.rules import WatchRules
from payrail.runtime.actor import Actor
from payrail.runtime.bells import IDLE_MS_MAX
from payrail.runtime.errands import Outcome, Work
from payrail.runtime.intake import TURN_BYTES
from payrail.runtime.ports import Rng
from payrail.runtime.recovery import journal_path
from payrail.runtime.sim import SimFs
from payrail.runtime.simlife import NoSteps
from payrail.runtime.simloop import VirtualLoop
from payrail.runtime.simmachine import SimMachine
from payrail.runtime.simproc import SimProcess
from payrail.runtime.turning import Parts, Turning, Wait
from payrail.security.notices import notice_key
from payrail.security.secrets import secret
from payrail.storage.spool import ROTATE_BYTES
from payrail.web.simnet import SimNet
from payrail.web.simout import SimOutgoing

#: In the order of starting, as `wiring.NAMES`.
NAMES = ("vault", *PROVIDERS, "gateway", "reconciler", "dispatcher", FRONT)
_GATEWAY_PEERS = (FRONT, "vault", *PROVIDERS, "dispatcher", "reconciler")
_VAULT_PEERS = ("gateway", "vault.http", *PROVIDERS)
#: Jobs of the reconciler by itself: seldom, since each is a stop on business time's way.
JOBS = Jobs(settle_every_ms=43_200_000, reconcile_every_ms=43_200_000)
#: Rounds of the front door's event loop in one turn: a request takes a few.
FRONT_TURNS = 4
#: Cards that the vault encrypts again in one step: so few that a rotation takes several.
MOVED_AT_ONCE = 2
#: Retries of webhooks come soon.
SCHEDULE = "demo"
__all__ = ["API", "FRONT", "INNER", "NAMES", "VAULT", "Household"]


class HouseLife(Turning):
    """An actor's real life with its errands, and for the vault its door."""

    beside: Beside
    door: SimVaultDoor | None = None

    def turn(self) -> Wait | None:
        found = self.beside.turn()
        if self.door is not None:
            found = self.door.turn() or found
        wait = super().turn()
        return None if found else wait

    def idle_ms(self, slept_ms: int) -> int | None:
        """See `Turning`; errands that are due and the door's timers come to it."""
        now_ms = self._clock.monotonic_ms()
        due = [self.beside.next_due_ms(), self.door.next_due_ms() if self.door else None]
        waits = [super().idle_ms(slept_ms), *(ms and max(0, ms - now_ms) for ms in due)]
        return min((wait for wait in waits if wait is not None), default=None)


class FrontLife:
    """The front door's life, turned by hand."""

    #: Paused, it listens and refuses.
    turns_paused = True

    def __init__(self, door: SimFrontdoor, process: SimProcess) -> None:
        self._door, self._process = door, process

    def turn(self) -> Wait | None:
        self._door.inside.asking.paused = self._process.control.paused
        for _ in range(FRONT_TURNS):
            if not self._door.turn():
                break
        else:
            return None
        return Wait(IDLE_MS_MAX, self._door.inside.edge.anything_new)

    def waited(self, waited_ms: int, *, rung: bool) -> None: ...

    def leave(self) -> None:
        self._door.leave()

    def idle_ms(self, _slept_ms: int) -> int | None:
        due_ms = self._door.next_due_ms()
        return due_ms and max(0, due_ms - self._process.clock.monotonic_ms())


@dataclass
class Household:
    """Moves everybody into a machine. What outlives their processes lies here."""

    machine: SimMachine
    net: SimNet
    rng: Rng
    rules: Rules
    rotate_bytes: int = ROTATE_BYTES  # of everybody's spools
    turn_bytes: int = TURN_BYTES  # that everybody takes from each sender in one turn
    logs: dict[str, SimLog] = field(default_factory=lambda: {name: SimLog(name) for name in NAMES})
    beside: dict[str, Beside] = field(default_factory=dict)
    begun: list[Begun] = field(default_factory=list)
    _loops: dict[int, list[VirtualLoop]] = field(default_factory=dict)  # by pid
    _vault_keys: dict[int, SimKeys] = field(default_factory=dict)  # by pid
    _watchers: list[asyncio.Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        fs = SimFs(self.machine.disk)
        self.keys = Keys.of(fs, self.rng)
        self.house_secret = secret(fs, "house", self.rng)
        for name in NAMES[:-1]:
            self.machine.add(name, self._life)
        self.machine.add(FRONT, self._front)

    def core(self, name: str, process: SimProcess | None = None) -> Actor[Any]:
        """The rules of one of them; without a process to be folded with, not to act."""
        if name == "gateway":
            files = () if process is None else open_all(process.fs)
            return Gateway(self.rules, peers=_GATEWAY_PEERS, files=files)
        if name == "vault":
            keys: Any = process and self._keys_of(process)
            vault = Vault(keys, SimSeals(), moved_at_once=MOVED_AT_ONCE)
            vault.peers = _VAULT_PEERS
            return vault
        if name == "reconciler":
            return Reconciler(JOBS)
        if name == "dispatcher":
            return Dispatcher(Policy(SCHEDULES[SCHEDULE]))
        public = public_name(name)
        faults: Any = {}
        if process is not None:
            faults = open_faults(process.fs, name, makes_it=name == PROVIDERS[0])
        return Provider(name, public, unseal=SimUnseal(public), seed=42, faults=faults)

    def _life(self, process: SimProcess) -> HouseLife:
        ground, name, place = process.ground, process.name, self._place(process)
        begins = partial(self._begins, process)
        beside = self.beside[name] = Beside(place, *self._works(process), begins=begins)
        loops = self._loops[process.pid] = [beside.loop]
        parts = Parts(
            fs=process.fs,
            clock=process.clock,
            bell=ground.bell,
            cell=process.cell,
            cells=ground.cells,
            errands=beside,
            log=ground.log_of(name),
            steps=NoSteps(),
            open_errands=lambda: beside.open,
            rotate_bytes=self.rotate_bytes,
            turn_bytes=self.turn_bytes,
        )
        core = self.core(name, process)
        life = HouseLife(core, parts)
        life.beside = beside
        if isinstance(core, Vault):
            life.door = SimVaultDoor(place, life.driver, self._keys_of(process), ground.cells)
            loops.append(life.door.loop)
        return life

    def _begins(self, process: SimProcess, errand: str) -> None:
        """Write down how much of the journal is on the disk now that an errand begins."""
        durable_bytes = len(self.machine.disk.names[journal_path(process.name)].durable)
        life = process.life  # None: it opens, and all of its journal was made durable
        head_bytes = life.driver.loop.head.size if isinstance(life, Turning) else durable_bytes
        self.begun.append(Begun(process.name, errand, head_bytes, durable_bytes))

    def _works(self, process: SimProcess) -> Sequence[Opening]:
        name, fs, clock = process.name, process.fs, process.clock
        if name in PROVIDERS:
            key = notice_key(self.house_secret, public_name(name))
            return (
                notice_works(f"http://{API}", key, clock, self._posting(process, TOTAL_MS, None)),
                statement_works(fs),
            )
        if name == "dispatcher":
            timeout_ms = SCHEDULES[SCHEDULE].timeout_ms
            posting = self._posting(process, timeout_ms, AllowList())
            secret_ = self.house_secret
            opened = dispatcher_works(fs, clock, house_secret=secret_, posting=posting)
            return (opened(process.control),)
        if name == "reconciler":
            return (reconciler_works(fs),)
        if name == "vault":
            return (key_works(fs, self.rng, self._keys_of(process)), shredding(fs))
        return (self._watching(process),) if name == "gateway" else ()

    def _posting(
        self, process: SimProcess, total_ms: int, guard: AllowList | None
    ) -> Callable[[], SimOutgoing]:
        return lambda: SimOutgoing(self.net, process.clock, guard=guard, total_ms=total_ms)

    @asynccontextmanager
    async def _watching(self, process: SimProcess) -> AsyncIterator[Mapping[str, Work]]:
        """The gateway's work `rules`: it looks when people have saved, and not all the time."""
        saved = asyncio.Event()
        self._watchers = [saved]

        async def watch(order: WatchRules) -> Outcome:
            while (found := changed(process.fs, order)) is None:
                saved.clear()
                await saved.wait()
            return "rules.found", found

        yield {WATCH: watch}

    def save_rules(self, name: str, text: str) -> None:
        """People save a rule file."""
        SimFs(self.machine.disk).replace(f"data/rules/{name}", text.encode())
        for saved in self._watchers:
            saved.set()
        self.machine.bell.ring("gateway")

    def write_by_hand(self, actor: str, line: str) -> None:
        """People append a line to an actor's mailbox, as `echo` does: nothing is synced."""
        file = SimFs(self.machine.disk).open(f"mailboxes/{actor}/hand.jsonl", create=True)
        file.append(f"{line}\n".encode())
        file.close()
        self.machine.bell.ring(actor)

    def ended(self, pid: int) -> None:
        """A process is dead: its coroutines and connections go."""
        self._vault_keys.pop(pid, None)
        for loop in self._loops.pop(pid, ()):
            loop.end()

    def _keys_of(self, process: SimProcess) -> SimKeys:
        """The keys of a vault's process, opened once: for the vault, its door and its works."""
        keys = self._vault_keys.get(process.pid)
        if keys is None:
            keys = SimKeys(open_keys(process.fs, process.clock, self.rng))
            self._vault_keys[process.pid] = keys
        return keys

    def _front(self, process: SimProcess) -> FrontLife:
        machine = self.machine
        neighbours = SimNeighbours(
            process.fs,
            machine.cells,
            NAMES,
            is_alive=lambda name: machine.process(name) is not None,
            restarts=lambda name: machine.notes[name].restarts if name in machine.notes else 0,
            of_dead=self._state_of_dead,
        )
        door = SimFrontdoor(self._place(process), process.cell, neighbours, NAMES)
        self._loops[process.pid] = [door.loop]
        return FrontLife(door, process)

    def _state_of_dead(self, name: str) -> str:
        noted = self.machine.notes.get(name)
        return "held" if noted is not None and noted.state == "held" else "down"

    def _place(self, process: SimProcess) -> Place:
        return Place(
            net=self.net,
            fs=process.fs,
            clock=process.clock,
            rng=self.rng,
            log=self.logs[process.name],
            bell=process.ground.bell,
            rouse=process.wake,
        )
