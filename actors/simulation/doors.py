"""The real doors in a simulated house: the front door and the vault's, each one incarnation.

    net, keys = SimNet(clock), Keys.of(fs, rng)
    place = Place(net=net, fs=fs, clock=clock, rng=rng, log=SimLog("frontdoor"))
    door = SimFrontdoor(place, cell, SimNeighbours(fs, cells, actors))
    vault = SimVaultDoor(place_of_the_vault, driver, vault_keys, cells)
    net.ask(Asked("api", "GET", "/payment-intents", keys.bearer("m_001")), heard)
    while net.turn() or door.turn() or vault.turn() or …the actors' drivers…:
        ...
    door.end()                                    # its process is killed

They listen as `api` (8026), `inner` (8028) and `vault` (8027). All that is served is the product's
own: routes, access, edge, views. What a door lives on is its process': a crash of its files ends
it, and whoever turns it gets SimCrash. Chance outlives incarnations: give each the same `rng`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from actors.frontdoor.inside import ASK_AGAIN_MS, NAME, Inside, Ports
from actors.simulation.logs import SimLog
from actors.vault.cipher import VaultKeys
from actors.vault.listener import opened_door, vault_app
from payrail.domain.access import demo_records
from payrail.domain.words.kinds import GATEWAY, PROVIDERS, RECONCILER
from payrail.runtime.cellpage import CellPage, Cells
from payrail.runtime.driver import Driver
from payrail.runtime.orders import Order, Verb, orders_path
from payrail.runtime.ports import Bell, Clock, Rng
from payrail.runtime.sim import NoBell, SimFs
from payrail.runtime.simloop import VirtualLoop
from payrail.security.secrets import secret, service_key
from payrail.steplog import StepLog
from payrail.web.access import demo_keys
from payrail.web.simnet import SimNet
from payrail.web.simout import resolve_public
from payrail.web.whole import Whole

API, INNER, VAULT = "api", "inner", "vault"
BUDGET_MS = 10_000


@dataclass(frozen=True, slots=True)
class Keys:
    """What clients of a simulated house show at its doors."""

    merchants: Mapping[str, Mapping[str, str]]  # merchant: role: key
    service: str  # of the console and the CLI
    internal: str

    @classmethod
    def of(cls, fs: SimFs, rng: Rng) -> "Keys":
        """Those of the demo's merchants, whom a gateway with `Rules(demo=True)` books. Makes the
        house's secrets where there are none yet."""
        merchants = demo_keys(demo_records(""), secret(fs, "house", rng))
        return cls(merchants, service_key(fs, rng), secret(fs, "internal", rng).decode())

    def bearer(self, merchant: str, role: str = "admin") -> dict[str, str]:
        """The header of a merchant's key."""
        return {"Authorization": f"Bearer {self.merchants[merchant][role]}"}


class SimNeighbours:
    """The house as a simulated front door sees it; orders go through its own files."""

    def __init__(
        self,
        fs: SimFs,
        cells: Cells,
        actors: Sequence[str],
        *,
        is_alive: Callable[[str], bool] = lambda _actor: True,
        restarts: Callable[[str], int] = lambda _actor: 0,
        of_dead: Callable[[str], str] = lambda _actor: "down",
    ) -> None:
        """`of_dead`: the state of one that has no process."""
        self._of_dead = of_dead
        self._fs, self.cells, self._actors = fs, cells, tuple(actors)
        self._is_alive, self._restarts = is_alive, restarts

    def rows(self) -> Sequence[Mapping[str, Any]]:
        return [self._row(name) for name in self._actors]

    def _row(self, name: str) -> Mapping[str, Any]:
        cell = self.cells.read(name)
        return {
            "name": name,
            "pid": cell.pid if cell else None,
            "state": cell.state if cell and self._is_alive(name) else self._of_dead(name),
            "epoch": cell.epoch if cell else 0,
            "restarts": self._restarts(name),
            "backlog": cell.backlog_bytes if cell else 0,
        }

    def order(self, actor: str, verb: Verb, at: str) -> None:
        file = self._fs.open(orders_path(actor), create=True)
        file.append(msgspec.json.encode(Order(verb, at)) + b"\n")
        file.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a door stands: the ports of its process, and the net that it listens on. `rouse` is
    called when there is something to do after there was nothing."""

    net: SimNet
    fs: SimFs
    clock: Clock
    rng: Rng
    log: SimLog
    bell: Bell = field(default_factory=NoBell)
    budget_ms: int = BUDGET_MS
    rouse: Callable[[], None] = lambda: None

    def loop(self) -> VirtualLoop:
        """Of the process that stands here."""
        return VirtualLoop(self.clock, lambda: self.fs.is_dead, self.rouse)


class SimFrontdoor:
    """The front door: opened, folded and listening when it is made."""

    def __init__(
        self,
        place: Place,
        cell: CellPage,
        neighbours: SimNeighbours,
        actors: Sequence[str] = (NAME,),
    ) -> None:
        """`actors`: who must serve for `/ready`. Raises SimCrash, and what opening an edge
        raises."""
        self._clock, self.loop = place.clock, place.loop()
        try:
            self.inside = Inside(_ports(place, neighbours, actors), cell, place.rouse)
            while self.inside.fold():
                pass
            for host, app in zip((API, INNER), self.inside.apps(), strict=True):
                place.net.listen(host, app, self.loop)
            cell.serve()
            self.inside.metrics.open()
        except BaseException:
            self.loop.end()
            raise
        self._tended_ms = place.clock.monotonic_ms()

    def turn(self) -> bool:
        """Replies, requests, and what follows. False: there was nothing to do."""
        now_ms = self._clock.monotonic_ms()
        if now_ms != self._tended_ms:  # Time has passed: what is known of others is old.
            self._tended_ms = now_ms
            self.loop.call(self.inside.tend)
        found = not self.inside.asking.paused and self.inside.edge.take_replies()
        if self.loop.run_ready() or found:
            self.loop.call(self.inside.tend)
            return True
        return False

    def next_due_ms(self) -> int | None:
        """When it has something to do by itself, on the monotonic clock; None for never."""
        due_ms = self.loop.next_due_ms()
        if not self.inside.edge.open_questions:
            return due_ms
        look_ms = self._clock.monotonic_ms() + ASK_AGAIN_MS
        return look_ms if due_ms is None else min(due_ms, look_ms)

    def leave(self) -> None:
        """It was told to stop: no more is taken, and whoever waits is told what is known. Nobody
        replies any more while it leaves, as time does not pass here."""
        inside = self.inside
        inside.asking.close()
        inside.edge.take_replies()
        self._run_out()
        inside.asking.give_up()
        self._run_out()
        inside.tend()
        inside.metrics.close()
        self.end()

    def _run_out(self) -> None:
        while self.loop.run_ready():
            pass

    def end(self) -> None:
        """Its process is killed; whoever waits for an answer hears that the connection broke."""
        self.loop.end()


class SimVaultDoor:
    """The vault's own door, in the process of its `driver`."""

    def __init__(self, place: Place, driver: Driver[Any], keys: VaultKeys, cells: Cells) -> None:
        self.loop = place.loop()
        try:
            door = opened_door(
                driver,
                fs=place.fs,
                clock=place.clock,
                rng=place.rng,
                bell=place.bell,
                keys=keys,
                log=place.log.log,
                budget_ms=place.budget_ms,
                must_be_whole=Whole(cells, GATEWAY).must_be,
            )
            place.net.listen(VAULT, vault_app(door, place.rng, place.log.log), self.loop)
        except BaseException:
            self.loop.end()
            raise

    def turn(self) -> bool:
        """Requests. Replies come while the vault's driver turns."""
        return self.loop.run_ready()

    def next_due_ms(self) -> int | None:
        return self.loop.next_due_ms()

    def end(self) -> None:
        """Its process is killed."""
        self.loop.end()


def _ports(place: Place, neighbours: SimNeighbours, actors: Sequence[str]) -> Ports:
    return Ports(
        fs=place.fs,
        clock=place.clock,
        rng=place.rng,
        bell=place.bell,
        log=place.log.log,
        steps=StepLog(NAME, place.log, place.clock),
        neighbours=neighbours,
        resolve=resolve_public,
        actors=tuple(actors),
        receivers=(GATEWAY, *PROVIDERS, RECONCILER),
        budget_ms=place.budget_ms,
    )
