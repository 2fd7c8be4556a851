"""What an attacker or a bad day tries on a whole house, and what it gets."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.chaos.house import House
from tests.scenarios.shop import Shop

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
