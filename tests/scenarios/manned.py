"""Everybody on one simulated machine, in processes that its supervisor keeps, asked over HTTP."""

import gc
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from actors.simulation.house import GOOD
from actors.simulation.residents import Household
from actors.simulation.world import RULES
from payrail.runtime.ports import Fs
from payrail.runtime.sim import Dropped, SimFs, SimRng
from payrail.runtime.simmachine import SimMachine
from payrail.runtime.wards import Limits
from payrail.web.simnet import Asked, SimNet

_NEVER = 1 << 62


class Machine:
    """Everybody on one machine, turned in a fixed order."""

    def __init__(self) -> None:
        self.machine = SimMachine()
        self.net = SimNet(self.machine.time.clock())
        self.household = Household(self.machine, self.net, SimRng(1), RULES)
        self._buried = 0
        self.away: set[str] = set()  # who has a process that gets no turn
        self.machine.start()
        self.live(10_000)

    def live(self, ms: int) -> None:
        """Let so much time pass, and everybody do what is due."""
        machine, until_ms = self.machine, self.machine.now_ms + ms
        while True:
            while self._ready() or self._carries():
                for label in self._ready():
                    machine.turn(label)
                self.net.turn()
                self.bury()
            due = (machine.next_due_ms(), self.net.next_due_ms(), until_ms)
            next_ms = min(one for one in due if one is not None)
            if machine.now_ms >= until_ms:
                return
            machine.pass_ms(max(1, min(next_ms, until_ms) - machine.now_ms))

    def live_until(self, is_so: Callable[[], bool]) -> None:
        """Let as little time pass as it takes."""
        for _ in range(5_000):
            if is_so():
                return
            self.live(1)
        raise AssertionError("it never comes to that")

    def _ready(self) -> list[str]:
        return [label for label in self.machine.runnable() if label not in self.away]

    def _carries(self) -> bool:
        return (self.net.next_due_ms() or _NEVER) <= self.machine.now_ms

    def bury(self) -> None:
        for ended in self.machine.ends[self._buried :]:
            self._buried += 1
            self.household.ended(ended.pid)

    def cut_power(self, *away: str, keeps_cells: bool = False) -> None:
        """What was not synced is gone. The house boots, but nobody of `away` gets a turn."""
        self.machine.cut_power(Dropped(), keeps_cells=keeps_cells)
        self.bury()
        self.away = set(away)
        self.machine.start(Limits(front_wait_ms_max=0))
        self.live(2_000)

    @property
    def fs(self) -> Fs:
        return SimFs(self.machine.disk)

    def send(
        self,
        method: str,
        path: str,
        body: object = None,
        key: str = "",
        bearer: str = "",
        **more: str,
    ) -> list[Any]:
        """What comes of a request, once it is known; `bearer`: another key than the admin's."""
        keys = self.household.keys
        headers = keys.bearer("m_001")
        headers |= {"Authorization": f"Bearer {bearer}"} if bearer else {}
        headers |= {name.replace("_", "-"): value for name, value in more.items()}
        headers |= {"Content-Type": "application/json"} if body is not None else {}
        headers |= {"Idempotency-Key": key} if key else {}
        data = b"" if body is None else json.dumps(body).encode()
        host, came = "vault" if path == "/tokenize" else "api", []  # type: ignore[var-annotated]
        self.net.ask(Asked(host, method, path, headers, data), came.append)
        return came

    def http(
        self, method: str, path: str, *args: Any, at_once: bool = False, **more: Any
    ) -> tuple[int, Any]:
        """(status, JSON) of an answer that comes within a second; then this is over. `at_once`: no
        time passes after the answer, so that what was written is not synced yet."""
        came = self.send(method, path, *args, **more)
        if at_once:
            self.live_until(lambda: bool(came))
        else:
            self.live(1_000)
        (answer,) = came
        return answer.status, answer.json()

    def pays(self, key: str) -> list[Any]:
        card = {"number": GOOD, "exp_month": 12, "exp_year": 2030, "cvc": "123", "name": "A B"}
        token = self.http("POST", "/tokenize", card)[1]["token"]
        body = {"amount": 1099, "currency": "USD", "payment_method": token, "confirm": True}
        return self.send("POST", "/payment-intents", body, key)


@contextmanager
def manned() -> Iterator[Machine]:
    """A machine with everybody on it; nobody is left afterwards."""
    house = Machine()
    yield house
    house.machine.kill("supervisor")
    house.bury()
    gc.collect()
