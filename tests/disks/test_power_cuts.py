"""Power cuts on a real file system: what was said is on the disk."""

import os
from pathlib import Path

import pytest

from tests.disks.cut_report import Order
from tests.disks.cuts import run
from tests.disks.volumes import Disk


@pytest.mark.chaos
@pytest.mark.timeout(600)
async def test_no_power_cut_takes_back_an_answer(tmp_path: Path):
    """A house that loses its power twenty times, also while it recovers, has every answer that a
    client had in its books, goes on, settles and delivers; verify and an auditor find it whole."""
    outcome = await run(Order(cuts=20), tmp_path)
    print(outcome.text())

    assert outcome.wrong == []
    assert outcome.cuts["worked"] >= 5
    assert outcome.cuts["recovered"] >= 3
    assert outcome.lost_something >= outcome.cuts["worked"] // 2  # else nothing was cut at all
    assert outcome.answers > 100
    assert outcome.payments.total() > 50


def test_a_cut_keeps_what_was_synced_and_nothing_else():
    """These disks are what they claim to be: without a sync, neither bytes nor names last."""
    disk = Disk("itself", size_mib=8)
    disk.make()
    synced, unsynced = disk.where / "synced", disk.where / "unsynced"
    for path, is_synced in ((synced, True), (unsynced, False)):
        with path.open("wb") as file:
            file.write(b"kept")
            file.flush()
            if is_synced:
                _sync(path)

    disk.cut()
    disk.power_on()

    assert synced.read_bytes() == b"kept"
    assert not unsynced.exists() or unsynced.read_bytes() == b""
    disk.remove()


def _sync(path: Path) -> None:
    for where in (path, path.parent):
        fd = os.open(where, os.O_RDONLY)
        os.fsync(fd)
        os.close(fd)
