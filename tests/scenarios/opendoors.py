"""The simulated house with its real doors open: asked over HTTP in memory, turned by hand."""

import json
from typing import Any

from actors.dispatcher.works import works as dispatcher_works
from actors.gateway.settings import Rules
from actors.provider.core import Provider
from actors.provider.posting import TOTAL_MS, notice_works
from actors.provider.statements import statement_works
from actors.simulation.beside import Beside
from actors.simulation.doors import Keys, Place, SimFrontdoor, SimNeighbours, SimVaultDoor
from actors.simulation.hooked import HookedHouse
from actors.simulation.house import ACTORS, GOOD, PEERS, PROVIDERS
from actors.simulation.logs import SimLog
from actors.simulation.seals import SimKeys, SimSeals, SimUnseal
from actors.vault.core import Vault
from payrail.domain.webhooks import AllowList
from payrail.runtime.actor import Actor
from payrail.runtime.cellpage import CELL_BYTES, CellPage, CellView
from payrail.runtime.ports import Cell
from payrail.runtime.sim import SimFs, SimRng
from payrail.runtime.simloop import VirtualLoop
from payrail.security.notices import notice_key
from payrail.security.secrets import secret
from payrail.web.simnet import Asked, SimNet
from payrail.web.simout import SimOutgoing
from payrail.web.simwire import Answer, NoAnswer

NAMES = (*ACTORS, "dispatcher", "frontdoor")


class Pages:
    """Cells in memory; they outlive their process."""

    boot = 1

    def __init__(self, house: "OpenHouse") -> None:
        self._house = house
        self._pages: dict[str, bytearray] = {}

    def open(self, name: str) -> CellPage:
        page = self._pages.setdefault(name, bytearray(CELL_BYTES))
        return CellPage(page, 1, self._house.clock.monotonic_ms, self.boot)

    def read(self, actor: str) -> CellView | None:
        page = self._pages.get(actor)
        return None if page is None else CellView.of(page)


class OpenHouse(HookedHouse):
    """As `HookedHouse`, but whatever is HTTP goes over the net: merchants come in by the doors,
    providers post their notices there, and webhooks go to `shop.example`."""

    def __init__(self, seed: int = 1) -> None:
        super().__init__(rules=Rules(demo=True))
        self.net, self.rng, self.cells = SimNet(self.clock), SimRng(seed), Pages(self)
        self.keys_shown = Keys.of(self.fs, self.rng)
        self.logs = {name: SimLog(name) for name in NAMES}
        self.secret = secret(self.fs, "house", self.rng)
        self.beside: dict[str, Beside] = {}
        self.webhooks: list[Asked] = []
        self.net.sink("shop.example", self.hear)
        self.trace: list[tuple[Any, ...]] = []
        self.net.told = self._told
        self.door: SimFrontdoor | None = None
        self.vault_door: SimVaultDoor | None = None

    def _told(self, what: str, asked: Asked, came: Answer | NoAnswer | None) -> None:
        shown = (came.status, came.headers, came.body) if isinstance(came, Answer) else str(came)
        self.trace.append((what, asked.method, asked.path, shown))

    def core(self, name: str) -> Actor[Any]:
        if name == "vault":
            self.keys.__class__ = SimKeys  # cards are sealed without chance of their own
            vault = Vault(self.keys, SimSeals())
            vault.peers = PEERS[name]
            return vault
        if name in PROVIDERS:
            return Provider(name, PROVIDERS[name], unseal=SimUnseal(PROVIDERS[name]), seed=42)
        return super().core(name)

    def hear(self, asked: Asked) -> int:
        self.webhooks.append(asked)
        return 204

    def errands(self, name: str, fs: SimFs) -> Any:
        if name not in (*PROVIDERS, "dispatcher"):
            return super().errands(name, fs)
        place, guard = self._place(name, fs), AllowList() if name == "dispatcher" else None

        def posting() -> SimOutgoing:
            return SimOutgoing(self.net, self.clock, guard=guard, total_ms=TOTAL_MS)

        if name == "dispatcher":
            opened = dispatcher_works(fs, self.clock, house_secret=self.secret, posting=posting)
            self.beside[name] = Beside(place, opened(None))  # type: ignore[arg-type]
        else:
            key = notice_key(self.secret, PROVIDERS[name])
            notices = notice_works("http://api", key, self.clock, posting)
            self.beside[name] = Beside(place, notices, statement_works(fs))
        return self.beside[name]

    def cell(self, name: str) -> Cell:
        return self.cells.open(name)

    def start(self, *names: str) -> "OpenHouse":
        names = names or NAMES
        for name in names:
            if name == "frontdoor":
                self._open_door()
                continue
            if name in self.processes:
                self.kill(name)
            super().start(name)
            cell = self.drivers[name].world.cell
            assert isinstance(cell, CellPage)
            cell.epoch = self.drivers[name].loop.head.epoch
            cell.serve()
            if name == "vault":
                self._open_vault()
        return self

    def kill(self, name: str) -> None:
        """Its process is gone, and nobody starts another."""
        if name == "frontdoor" and self.door is not None:
            self.door.end()
            self.door = None
        if name == "vault" and self.vault_door is not None:
            self.vault_door.end()
            self.vault_door = None
        self.processes[name].kill()
        if name in self.beside:
            self.beside.pop(name).end()
        if name in self.drivers:
            del self.drivers[name]

    def end(self) -> None:
        for name in NAMES:
            self.kill(name)

    def _place(self, name: str, fs: SimFs) -> Place:
        return Place(net=self.net, fs=fs, clock=self.clock, rng=self.rng, log=self.logs[name])

    def _open_door(self) -> None:
        if "frontdoor" in self.processes:
            self.kill("frontdoor")
        fs = self.processes["frontdoor"] = SimFs(self.disk, faults=self.faults("frontdoor"))
        neighbours = SimNeighbours(fs, self.cells, NAMES, is_alive=self._is_alive)
        place = self._place("frontdoor", fs)
        self.door = SimFrontdoor(place, self.cells.open("frontdoor"), neighbours, NAMES)

    def _open_vault(self) -> None:
        if self.vault_door is not None:
            self.vault_door.end()
        place = self._place("vault", self.processes["vault"])
        self.vault_door = SimVaultDoor(place, self.drivers["vault"], self.keys, self.cells)

    def _doors(self) -> list[tuple[str, Any]]:
        found = [*self.beside.items(), ("vault", self.vault_door), ("frontdoor", self.door)]
        return [(name, door) for name, door in found if door is not None]

    @property
    def loops(self) -> list[VirtualLoop]:
        return [door.loop for _, door in self._doors()]

    def turn_door(self) -> None:
        assert self.door is not None
        self.door.turn()

    def dead(self) -> list[str]:
        """Whose process is gone, or was never there."""
        return [name for name in NAMES if not self._is_alive(name)]

    def _is_alive(self, name: str) -> bool:
        return name in self.processes and not self.processes[name].is_dead

    def run(self, without: Any = (), turns_max: int = 2_000) -> None:
        for _ in range(turns_max):
            worked = [self.turn(name) for name in list(self.drivers) if name not in without]
            worked.append(self.net.turn())
            for name, door in self._doors():
                if name not in without:
                    self.at_work = name
                    worked.append(door.turn())
            if not any(worked):
                return
        raise AssertionError("the house never comes to rest")

    # As a shop.

    def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        key: str | None = None,
        role: str = "admin",
        merchant: str = "m_001",
        host: str = "api",
        fault: dict[str, Any] | None = None,
        inside: bool = False,
        **more: Any,
    ) -> list[Any]:
        """What comes of a request, once it is known. `fault`: what is to go wrong with its call;
        `inside`: with the internal secret."""
        headers = self.keys_shown.bearer(merchant, role)
        if inside or host == "inner":
            headers["Authorization"] = f"Bearer {self.keys_shown.internal}"
        if fault is not None:
            headers["PayRail-Fault"] = json.dumps(fault)
        if key is not None:
            headers["Idempotency-Key"] = key
        data = b"" if body is None else json.dumps(body).encode()
        if data:
            headers["Content-Type"] = "application/json"
        came: list[Any] = []
        self.sent = Asked(host, method, path, headers, data)
        self.net.ask(self.sent, came.append, **more)
        return came

    def http(self, method: str, path: str, body: object = None, **more: Any) -> tuple[int, Any]:
        """(status, JSON) of an answer that comes without time passing."""
        came = self.send(method, path, body, **more)
        self.run()
        assert len(came) == 1, f"no answer to {method} {path}"
        assert isinstance(came[0], Answer), came[0]
        return came[0].status, came[0].json()

    def refused(self, method: str, path: str, **more: Any) -> bool:
        """Whether nobody listens."""
        came = self.send(method, path, **more)
        self.run()
        return [one.word for one in came if isinstance(one, NoAnswer)] == ["refused"]

    def card(self, number: str = GOOD, name: str = "A B") -> str:
        """The token of a card that came in by the vault's door."""
        cvc = "1234" if number.startswith("37") else "123"
        body = {"number": number, "exp_month": 12, "exp_year": 2030, "cvc": cvc, "name": name}
        status, shown = self.http("POST", "/tokenize", body, role="publishable", host="vault")
        assert status == 201, shown
        return str(shown["token"])
