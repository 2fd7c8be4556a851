"""The first start of all: each actor makes its keys and secrets, or finds them half made.

No secret is made anew over one that is there, and the house that comes of it can charge a card.
"""

from typing import Any

from actors.provider.faultfile import open_faults
from actors.provider.seals import open_keys as provider_keys
from actors.simulation.crashes import Scene
from actors.simulation.house import GOOD, PROVIDERS, SimHouse, authorized
from actors.vault.keys import open_keys
from payrail.runtime.actor import Actor
from payrail.runtime.sim import SimDisk, SimFs, SimRng
from payrail.security.secrets import FOLDER, secret

#: What all share, and what the gateway keeps for itself.
OF_THE_HOUSE = ("house", "internal", "service", "gateway/challenges")


class BornHouse(SimHouse):
    """As `SimHouse`, and each actor opens its keys itself, through its own process."""

    def __init__(self, disk: SimDisk | None = None, *parts: Any, **more: Any) -> None:
        super().__init__(SimDisk(), *parts, **more)
        self.disk = disk or SimDisk()
        self.fs = SimFs(self.disk)

    def core(self, name: str) -> Actor[Any]:
        fs = self.processes[name]
        if name == "vault":
            self.keys = open_keys(fs, self.clock, SimRng(7))
        elif name == "gateway":
            for number, secret_name in enumerate(OF_THE_HOUSE):
                secret(fs, secret_name, SimRng(number))
        else:
            self.provider_keys[name] = provider_keys(fs, SimRng(7), name, PROVIDERS[name])
            open_faults(fs, name, makes_it=name == "provider-a")
        return super().core(name)


def birth(house: SimHouse) -> None:
    house.start()
    house.run()


def can_charge(house: SimHouse) -> None:
    """With the keys that are there; and every secret is whole."""
    for name in OF_THE_HOUSE:
        assert len(house.fs.read(f"{FOLDER}/{name}")) == 65
    token = house.tokenize(GOOD, "after")
    house.run()
    authorized(house, token)
    before = dict(house.disk.names)
    house.start()
    assert {path for path in house.disk.names if path.startswith(FOLDER)} <= before.keys()


SCENES = (Scene("of keys and secrets", lambda _: None, birth, can_charge, True, BornHouse),)
