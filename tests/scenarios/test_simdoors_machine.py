"""The doors in the processes of a simulated machine: supervised, paused, stopped, told to leave."""

import gc
import json
from collections.abc import Iterator
from typing import Any

import pytest

from actors.simulation.house import GOOD
from actors.simulation.residents import NAMES, Household
from actors.simulation.world import RULES
from payrail.runtime.sim import SimRng
from payrail.runtime.simmachine import SimMachine
from payrail.web.simnet import Asked, SimNet

_NEVER = 1 << 62


class Machine:
    """Everybody on one machine, turned in a fixed order."""

    def __init__(self) -> None:
        self.machine = SimMachine()
        self.net = SimNet(self.machine.time.clock())
        self.household = Household(self.machine, self.net, SimRng(1), RULES)
        self._buried = 0
        self.machine.start()
        self.live(10_000)

    def live(self, ms: int) -> None:
        """Let so much time pass, and everybody do what is due."""
        machine, until_ms = self.machine, self.machine.now_ms + ms
        while True:
            while machine.runnable() or self._carries():
                for label in machine.runnable():
                    machine.turn(label)
                self.net.turn()
                self._bury()
            due = (machine.next_due_ms(), self.net.next_due_ms(), until_ms)
            next_ms = min(one for one in due if one is not None)
            if machine.now_ms >= until_ms:
                return
            machine.pass_ms(max(1, min(next_ms, until_ms) - machine.now_ms))

    def _carries(self) -> bool:
        return (self.net.next_due_ms() or _NEVER) <= self.machine.now_ms

    def _bury(self) -> None:
        for ended in self.machine.ends[self._buried :]:
            self._buried += 1
            self.household.ended(ended.pid)

    def send(self, method: str, path: str, body: object = None, key: str = "") -> list[Any]:
        headers = self.household.keys.bearer("m_001")
        headers |= {"Content-Type": "application/json"} if body is not None else {}
        headers |= {"Idempotency-Key": key} if key else {}
        data = b"" if body is None else json.dumps(body).encode()
        host, came = "vault" if path == "/tokenize" else "api", []  # type: ignore[var-annotated]
        self.net.ask(Asked(host, method, path, headers, data), came.append)
        return came

    def http(self, method: str, path: str, body: object = None, key: str = "") -> tuple[int, Any]:
        came = self.send(method, path, body, key)
        self.live(1_000)
        (answer,) = came
        return answer.status, answer.json()

    def pays(self, key: str) -> list[Any]:
        card = {"number": GOOD, "exp_month": 12, "exp_year": 2030, "cvc": "123", "name": "A B"}
        token = self.http("POST", "/tokenize", card)[1]["token"]
        body = {"amount": 1099, "currency": "USD", "payment_method": token, "confirm": True}
        return self.send("POST", "/payment-intents", body, key)


@pytest.fixture
def house() -> Iterator[Machine]:
    house = Machine()
    yield house
    house.machine.kill("supervisor")
    house._bury()
    gc.collect()


def test_everybody_serves_and_a_killed_door_is_back(house):
    """The supervisor starts the doors as it starts all, and again when they die."""
    assert house.http("GET", "/ready") == (200, {"status": "ready"})
    house.machine.kill("frontdoor")
    house.machine.kill("vault")
    house._bury()
    house.live(2_000)
    status, shown = house.http("GET", "/health")
    epochs = {row["name"]: (row["epoch"], row["restarts"]) for row in shown["actors"]}
    assert (status, shown["status"]) == (200, "ok")
    assert epochs == dict.fromkeys(NAMES, (1, 0)) | {"frontdoor": (2, 1), "vault": (2, 1)}
    came = house.pays("k1")
    house.live(1_000)
    assert [one.status for one in came] == [201]


def test_a_paused_front_door_refuses_in_words(house):
    """It takes no order and says so; resumed, it takes the same one."""
    came = house.pays("k1")
    house.live(1_000)
    house.machine.order("frontdoor", "pause")
    house.live(500)
    status, answer = house.http("POST", "/payment-intents", {}, "k2")
    assert (status, answer["code"]) == (422, "validation-error")  # read before it is refused
    again = house.send("POST", f"/payment-intents/{came[0].json()['id']}/capture", {}, "k3")
    house.live(1_000)
    assert [(one.status, one.json()["code"]) for one in again] == [(503, "actor-restarting")]
    assert house.http("GET", "/payment-intents")[0] == 200
    house.machine.order("frontdoor", "resume")
    house.live(500)
    path = f"/payment-intents/{came[0].json()['id']}/capture"
    assert house.http("POST", path, {}, "k3")[0] == 200


def test_a_house_that_goes_down_answers_whoever_waits(house):
    """The front door leaves first, and tells that it may still happen."""
    house.machine.stop("gateway")
    came = house.pays("k1")
    house.live(1_000)
    assert came == []
    house.machine.shut_down()
    house.live(1_000)
    assert [(one.status, one.json()["code"]) for one in came] == [(504, "actor-restarting")]


def test_a_stopped_front_door_is_replaced(house):
    """It beats no more: its supervisor kills it, its askers hear the connection break, and the
    next one listens."""
    house.machine.stop("frontdoor")
    came = house.send("GET", "/payment-intents")
    house.live(10_000)
    assert [one.word for one in came] == ["disconnected"]
    assert house.http("GET", "/payment-intents")[0] == 200


def test_days_pass_by_the_front_doors_hand(house):
    """`POST /clock` hops from timer to timer through the real cells; days take no time here."""
    came = house.pays("k1")
    house.live(1_000)
    moved = house.send("POST", "/clock", {"advance": "8d"})
    house.live(60_000)
    assert [one.status for one in moved] == [202]  # a long way: it is told where it leads
    path = f"/payment-intents/{came[0].json()['id']}"
    shown = house.http("GET", path)[1]
    assert (shown["state"], shown["reversal_reason"]) == ("reversed", "expired")
    assert house.http("GET", "/clock")[1]["hopping"] is None
