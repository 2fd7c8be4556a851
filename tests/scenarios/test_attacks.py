"""What an attacker or a bad day tries on a whole house, and what it gets."""

import os
import signal
import time
from pathlib import Path

import pytest

from actors.cli.chaos.house import House
from tests.scenarios.shop import Shop

pytestmark = pytest.mark.scenario

SECONDS_MAX = 20.0


class Deaf(House):
    """A house whose own log cannot be written: its disk is full, or nobody reads it any more."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.log = Path("/dev/full")

    def _last_words(self) -> str:
        return "nobody heard"


@pytest.fixture
def deaf(tmp_path: Path):
    house = Deaf(tmp_path)
    house.start()
    yield house
    house.stop()


class Jumpy(House):
    """A house on a machine whose clock the test sets."""

    command = ("-m", "actors.cli.chaos.jumpy", "up", "--demo")

    def __init__(self, folder: Path) -> None:
        self._ahead = folder / "ahead"
        super().__init__(
            folder, {"CLOCK_AHEAD_FILE": str(self._ahead), "PAYRAIL_PROVIDER_TIMEOUT": "1s"}
        )
        self.set_clock(0)

    def set_clock(self, ahead_s: int) -> None:
        new = self._ahead.with_suffix(".new")
        new.write_text(str(ahead_s))
        new.replace(self._ahead)


@pytest.fixture
def jumpy(tmp_path: Path):
    house = Jumpy(tmp_path)
    house.start()
    yield house
    house.stop()


def killed(house: House, actor: str) -> bool:
    """Kill an actor; whether another incarnation serves in time."""
    row = house.row(actor) or {}
    os.kill(row["pid"], signal.SIGKILL)
    until = time.monotonic() + SECONDS_MAX
    while time.monotonic() < until:
        now = house.row(actor) or {}
        if now["state"] == "serving" and now["pid"] != row["pid"]:
            return True
        time.sleep(0.05)
    return False


def test_a_house_that_cannot_tell_what_happens_goes_on(deaf: Deaf):
    """Lines for people are no part of the truth: a full disk under them ends nobody."""
    shop = Shop(deaf)
    token = shop.tokenize()
    assert killed(deaf, "gateway")
    assert shop.create(token).status == 201
    assert deaf.is_up


@pytest.mark.parametrize("reborn", ["gateway", "frontdoor"])
def test_a_clock_that_was_set_back_stops_nothing(jumpy: Jumpy, reborn: str):
    """The house lived in tomorrow for a moment; whoever is started again after that takes orders
    and meets its timers as before."""
    shop = Shop(jumpy)
    token = shop.tokenize()
    jumpy.set_clock(86_400)
    assert shop.create(token, confirm=True).status == 201
    jumpy.set_clock(0)
    assert killed(jumpy, reborn)

    assert shop.create(token, confirm=True).status == 201
    down = {"operation": "authorize", "do": "down", "count": 1}
    assert shop.post("/providers/provider-a/inject-failure", down).status == 201
    elsewhere = shop.create(token, confirm=True)
    assert (elsewhere.status, elsewhere.body["provider"]) == (201, "providerB")
    fault = {"operation": "authorize", "do": "approve_then_hang", "count": 1}
    assert shop.post("/providers/provider-a/inject-failure", fault).status == 201
    order = {"amount": 700, "currency": "USD", "payment_method": token, "confirm": True}
    assert shop.post("/payment-intents", order, key="late").status == 202
    assert settled(shop, order, "late") == 201


def settled(shop: Shop, order: dict[str, object], key: str) -> int:
    """The final status of an order in doubt."""
    until = time.monotonic() + SECONDS_MAX
    while time.monotonic() < until:
        status = shop.post("/payment-intents", order, key=key).status
        if status != 202:
            return status
        time.sleep(0.1)
    return 202
