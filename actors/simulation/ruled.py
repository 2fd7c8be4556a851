"""The simulated house with rule files: the gateway makes them, watches them, takes what changed."""

from typing import Any

from actors.gateway.core import Gateway
from actors.gateway.rule_files import open_all
from actors.gateway.rule_watch import changed
from actors.gateway.rules_taken import WATCH
from actors.simulation.house import PEERS, SimHouse
from payrail.runtime.actor import Actor, Errand
from payrail.runtime.admission import DoneItem
from payrail.runtime.sim import SimFs
from payrail.storage.lines import encode


class Watching:
    """The errand `rules`, which ends when a file is not what it was; others go to `others`."""

    def __init__(self, fs: SimFs, others: Any) -> None:
        self._fs, self._others = fs, others
        self._watches: dict[str, Errand] = {}

    def start(self, errand: Errand) -> None:
        if errand.work == WATCH:
            self._watches.setdefault(errand.id, errand)
        else:
            self._others.start(errand)

    def finished(self, at_most: int) -> list[DoneItem]:
        done = []
        for errand in list(self._watches.values()):
            found = changed(self._fs, errand.body)  # type: ignore[arg-type]
            if found is not None:
                del self._watches[errand.id]
                about = errand.correlation_id
                done.append(DoneItem(errand.id, "rules.found", encode(found), about))
        return [*done, *self._others.finished(at_most)]


class RuledHouse(SimHouse):
    """People write into data/rules as the merchant writes into mailboxes: never broken."""

    def core(self, name: str) -> Actor[Any]:
        if name != "gateway":
            return super().core(name)
        fs = self.processes[name]
        return Gateway(self.rules, peers=PEERS[name], files=open_all(fs))

    def errands(self, name: str, fs: SimFs) -> Any:
        found = super().errands(name, fs)
        return Watching(fs, found) if name == "gateway" else found

    def write_rules(self, name: str, text: str) -> None:
        """People save a file."""
        self.fs.replace(f"data/rules/{name}.toml", text.encode())
