"""A disk that may only be read: said at the start, survived while it runs."""

from pathlib import Path

import pytest

from tests.auditor.audit import audit
from tests.disks.powered import Mounted, Powered
from tests.disks.volumes import Disk, Memory
from tests.scenarios.shop import Shop

pytestmark = pytest.mark.scenario
IO_FAILED = 74


def test_up_on_a_read_only_home_says_so(tmp_path: Path):
    """74, the path that cannot be written, and what to do; `doctor` names the home."""
    disk = Memory("locked", size_kib=1024)
    house = Mounted(tmp_path, disk)
    disk.remount("ro")
    ended, seen = house.cli("up", "--demo"), house.cli("doctor")
    disk.remove()

    assert ended.returncode == IO_FAILED
    assert f"Read-only file system: '{house.home}" in ended.stderr
    assert "Free or mend the disk; `payrail doctor` names what is in the way." in ended.stderr
    assert f"{house.home} is read-only" in seen.stdout
    assert "mount it for writing" in seen.stdout


def test_a_disk_that_turns_read_only_takes_nothing_back(tmp_path: Path):
    """As ext4 does after an error: orders are refused, reads go on, the house ends when it is told
    to. On the mended disk it has every answer that it gave, and goes on."""
    disk = Disk("failing", size_mib=64)
    disk.make()
    house = Powered(tmp_path, disk)
    house.start()
    shop = Shop(house)
    token = shop.tokenize()
    paid = shop.create(token, confirm=True)
    order = {"amount": 1500, "currency": "USD", "payment_method": token, "confirm": True}

    disk.fail()
    refused = shop.post("/payment-intents", order, key="failing")
    read = shop.get(f"/payment-intents/{paid.body['id']}")
    house.stop()
    disk.mend()

    assert (refused.status, refused.body["code"], refused.body["retryable"]) == (
        503,
        "overloaded",
        True,
    )
    assert "Read-only file system" in refused.body["detail"]
    assert (read.status, read.body["state"]) == (200, "authorized")
    house.start()
    assert shop.get(f"/payment-intents/{paid.body['id']}").body["state"] == "authorized"
    again = shop.post("/payment-intents", order, key="failing")
    assert (again.status, again.body["state"]) == (201, "authorized")
    house.stop()
    assert audit(house.home).findings == []
    disk.remove()
