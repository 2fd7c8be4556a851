"""The whole simulated house: every actor that has a journal, over one disk, with bells that ring.

What `SimHouse` is for one flow, this is for all of them at once. Its first disk is made once and
copied for each run.
"""

from collections.abc import Callable, Mapping
from typing import Any

from actors.dispatcher.core import Dispatcher
from actors.dispatcher.settings import Policy
from actors.gateway.core import Gateway
from actors.gateway.rule_files import open_all
from actors.gateway.settings import Rules
from actors.provider.core import Provider
from actors.reconciler.core import Reconciler
from actors.reconciler.works import all_works
from actors.simulation.hooked import HookedHouse
from actors.simulation.house import ACTORS, PEERS, PROVIDERS
from actors.simulation.ruled import Watching
from actors.simulation.seals import SimKeys, SimSeals, SimUnseal
from actors.vault.core import Vault
from actors.vault.keys import KEYS
from payrail.domain.webhooks import SCHEDULES
from payrail.runtime.actor import Actor
from payrail.runtime.driver import Driver
from payrail.runtime.errands import Outcome
from payrail.runtime.intake import World
from payrail.runtime.sim import Kept, NoCell, SimDisk, SimFs

RULES = Rules(demo=True, challenge_key=b"a-simulated-house")


class RingingBell:
    """Tells the world who was rung for."""

    def __init__(self, ring: Callable[[str], None]) -> None:
        self._ring = ring

    def ring(self, actor: str) -> None:
        self._ring(actor)


class WholeHouse(HookedHouse):
    """Everybody but the doors."""

    actors = (*ACTORS, "reconciler", "dispatcher")  # type: ignore[assignment]
    rings: Callable[[str], None] = staticmethod(lambda _actor: None)

    def __init__(self, *parts: Any, **more: Any) -> None:
        super().__init__(*parts, **more)
        self.keys.__class__ = SimKeys

    def start(self, *names: str) -> "WholeHouse":
        for name in names or self.actors:
            if name in self.processes:
                self.processes[name].kill()
            self.at_work = name
            fs = self.processes[name] = SimFs(self.disk, faults=self.faults(name))
            bell = RingingBell(self.rings)
            world = World(fs, self.clock, bell, NoCell(), errands=self.errands(name, fs))
            self.drivers.pop(name, None)
            self.drivers[name] = Driver(self.core(name), world)
        return self

    def errands(self, name: str, fs: SimFs) -> Any:
        found = super().errands(name, fs)
        return Watching(fs, found) if name == "gateway" else found

    def core(self, name: str) -> Actor[Any]:
        if name == "gateway":
            peers = (*PEERS[name], "dispatcher", "reconciler")
            return Gateway(self.rules, peers=peers, files=open_all(self.processes[name]))
        if name == "vault":
            vault = Vault(self.keys, SimSeals())
            vault.peers = PEERS[name]
            return vault
        if name == "reconciler":
            return Reconciler()
        if name == "dispatcher":
            return Dispatcher(Policy(SCHEDULES[self.schedule]))
        public = PROVIDERS[name]
        return Provider(name, public, unseal=SimUnseal(public), seed=42)

    def works(self, name: str, fs: SimFs) -> Mapping[str, Callable[[Any], Outcome]]:
        return all_works(fs) if name == "reconciler" else super().works(name, fs)


def first_disk() -> SimDisk:
    """The disk of a house that was started once and came to rest."""
    house = WholeHouse(rules=RULES).start()
    house.run()
    assert house.fs.exists(KEYS)
    return house.disk


def copied(disk: SimDisk) -> SimDisk:
    """A disk of its own with the same bytes, all of them durable."""
    found = disk.after_crash(Kept())
    disk.is_off = False
    return found
