"""A disk without room: refused before any effect, nothing false, and on it goes with new room."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.auditor.audit import audit
from tests.disks.powered import Mounted
from tests.disks.volumes import Memory
from tests.scenarios.living import lines, until
from tests.scenarios.shop import Answer, Shop

pytestmark = pytest.mark.scenario
TRUTH = "data/providers/providerA_truth.jsonl"
NO_ROOM, IO_FAILED = 75, 74
REQUESTS = 6


class Cramped(Mounted):
    """A house on a small disk, beside a file that takes its room away."""

    def __init__(self, folder: Path, disk: Memory) -> None:
        super().__init__(folder, disk, {"PAYRAIL_REQUEST_BUDGET": "1s"})
        self._ballast = disk.where / "ballast"

    def fill(self) -> None:
        with self._ballast.open("ab", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4096))

    def make_room(self) -> None:
        self._ballast.unlink()

    def state_of(self, actor: str) -> str:
        row = self.row(actor)
        return row["state"] if row else "down"

    def serves(self) -> bool:
        return all(row["state"] == "serving" for row in self.rows())


@pytest.fixture(scope="module")
def disk() -> Iterator[Memory]:
    disk = Memory("cramped", size_kib=32 * 1024)
    yield disk
    disk.remove()


@pytest.fixture(scope="module")
def house(disk: Memory, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cramped]:
    house = Cramped(tmp_path_factory.mktemp("cramped"), disk)
    house.start()
    yield house
    house.stop()


def _is_refusal(answer: Answer) -> bool:
    """Clear, and worth another try: 503 says that nothing was written, 504 that it may happen."""
    return (
        answer.status in (503, 504)
        and answer.body["code"] == "overloaded"
        and answer.body["retryable"] is True
        and "Retry-After" in answer.headers
    )


def test_orders_are_refused_while_there_is_no_room_and_reads_go_on(house: Cramped):
    """Without room no order has an effect and every read is answered; with room again nobody has
    to help: the same keys are carried out, once each."""
    shop = Shop(house)
    token = shop.tokenize()
    paid = shop.create(token)
    shop.post(f"/payment-intents/{paid.body['id']}/authorize", {})
    before = len(lines(house.home / TRUTH))
    order = {"amount": 1500, "currency": "USD", "payment_method": token, "confirm": True}
    keys = [f"full-{number}" for number in range(REQUESTS)]

    house.fill()
    refused = []
    for key in keys:
        refused.append(shop.post("/payment-intents", order, key=key))
        assert shop.get(f"/payment-intents/{paid.body['id']}").status == 200
    assert shop.get("/ready").status == 503
    charged_meanwhile = len(lines(house.home / TRUTH)) - before
    house.make_room()

    assert all(map(_is_refusal, refused)), [(one.status, one.body) for one in refused]
    assert charged_meanwhile == 0
    for key in keys:
        until(
            lambda key=key: shop.post("/payment-intents", order, key=key).status == 201,  # type: ignore[misc]
            f"the order {key} is carried out",
            seconds_max=60,
        )
    until(house.serves, "every actor serves again", seconds_max=60)
    assert len(lines(house.home / TRUTH)) - before == REQUESTS


def test_a_house_that_starts_on_a_full_disk_goes_on_once_there_is_room(house: Cramped):
    """It waits, and serves without help as soon as it can write; what it knew is whole."""
    house.stop()
    house.fill()
    starting = subprocess.Popen(
        [sys.executable, *house.command],
        cwd=house.folder,
        env=house.env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: house.state_of("gateway") == "blocked", "the gateway waits", seconds_max=60)
        assert not house.serves()
        house.make_room()
        until(house.serves, "every actor serves", seconds_max=60)
    finally:
        starting.terminate()
        starting.wait()

    verified = house.cli("verify")
    assert verified.returncode == 0, verified.stdout
    assert audit(house.home).findings == []


def test_up_says_that_there_is_no_room_for_a_home(tmp_path: Path):
    """74 and what to do about it, before anything was begun."""
    disk = Memory("none", size_kib=4)
    ended = Mounted(tmp_path, disk).cli("up", "--demo")
    disk.remove()

    assert ended.returncode == IO_FAILED
    assert "No space left on device" in ended.stderr
    assert "Free or mend the disk; `payrail doctor` names what is in the way." in ended.stderr


def test_an_actor_without_room_for_its_cell_says_so():
    """A store into a hole of a mapped file on a full disk would kill it without a word."""
    disk = Memory("hole", size_kib=16)
    room = disk.where / "data/actors/toy"
    room.mkdir(parents=True)
    with (disk.where / "ballast").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    code = f"from payrail.runtime.cells import CellWriter; CellWriter({str(disk.where)!r}, 'toy')"
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    disk.remove()

    assert ended.returncode == 1  # and not -7, SIGBUS
    assert "No space left on device" in ended.stderr
