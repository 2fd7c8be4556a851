"""What breaks a house under `payrail chaos run`, each by itself, and the manners of the verb."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from actors.cli.chaos import auditor, fulldisk, live, pauses
from actors.cli.chaos.auditor import Verdict, ask_auditor
from actors.cli.chaos.client import Tally
from actors.cli.chaos.fulldisk import FullDisk
from actors.cli.chaos.killer import is_of
from actors.cli.chaos.order import Order
from actors.cli.chaos.pauses import Pauser
from actors.cli.chaos.reading import Growing
from actors.cli.chaos.smalldisk import NoSmallDisk, SmallDisk
from actors.cli.chaos.wallclock import AHEAD_S_MAX, WallClock
from actors.cli.chaos.witness import Witness
from payrail.runtime.bells import socket_folder
from payrail.runtime.house import status
from tests.conftest import NO_RIGHT


@pytest.fixture
def log(tmp_path: Path):
    witness = Witness(tmp_path / "faults.jsonl")
    yield witness
    witness.close()


@pytest.fixture
def disk(tmp_path: Path):
    small = SmallDisk(tmp_path)
    try:
        small.mount()
    except NoSmallDisk as error:
        pytest.skip(f"{NO_RIGHT}: {error}")
    (small.home / "page").write_bytes(b"p" * 4096)
    yield small
    if small.home.exists():
        small.unmount(keep=False)


def test_a_full_disk_refuses_and_takes_again(disk: SmallDisk):
    """Not a page fits, whatever size the disk had; what stood there stays."""
    (disk.home / "kept").write_bytes(b"k" * 100_000)
    disk.fill()
    assert disk.refuses()
    with pytest.raises(OSError, match="No space left"):
        (disk.home / "more").write_bytes(b"m" * 100_000)
    disk.free()

    assert not disk.refuses()
    assert (disk.home / "kept").read_bytes() == b"k" * 100_000


def test_a_home_on_a_small_disk_is_kept_when_it_is_wanted(tmp_path: Path, disk: SmallDisk):
    """Its files are copied to where people look, and nothing stays mounted."""
    disk.unmount(keep=True)

    assert (tmp_path / "home" / "page").read_bytes() == b"p" * 4096
    assert not (tmp_path / "disk").exists()


def test_without_root_there_is_no_small_disk(tmp_path: Path, monkeypatch):
    """It is said why, and nothing is left behind."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(NoSmallDisk, match="only root"):
        SmallDisk(tmp_path).mount()
    assert list(tmp_path.iterdir()) == []


async def test_who_lost_trust_in_the_disk_is_released(disk: SmallDisk, log: Witness, monkeypatch):
    """People free the disk and release whoever is held; others come back by themselves."""
    monkeypatch.setattr(fulldisk, "EVERY_S", 0.0)
    monkeypatch.setattr(fulldisk, "FULL_S", (0.0, 0.0))
    rows = [{"name": "gateway", "state": "held"}, {"name": "vault", "state": "serving"}]

    def cli(*words: str) -> None:
        assert words == ("release", "gateway")
        rows[0]["state"] = "serving"

    house: Any = SimpleNamespace(rows=lambda: rows, cli=cli)
    full = FullDisk(house, disk, log, asyncio.Lock(), seed=1)
    await _until(full.run(), lambda: full.back_s)

    assert full.done["released"] == 1
    assert full.done["refused"] >= 1
    assert full.failures == []


async def test_a_stopped_process_goes_on(tmp_path: Path, log: Witness, monkeypatch):
    """Stopped for a moment, then woken; another home's process is left alone."""
    monkeypatch.setattr(pauses, "EVERY_S", 0.0)
    monkeypatch.setattr(pauses, "SHORT_S", (0.01, 0.01))
    monkeypatch.setattr(pauses, "LONG_S", 0.01)
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    with subprocess.Popen(command, env={"PAYRAIL_HOME": str(tmp_path)}) as process:
        house: Any = SimpleNamespace(home=tmp_path, row=lambda _actor: {"pid": process.pid})
        while not is_of(tmp_path, process.pid):
            await asyncio.sleep(0.01)
        pauser = Pauser(house, log, seed=1)
        await _until(pauser.run(), lambda: pauser.stops["long, not replaced"])
        state = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        strangers: Any = SimpleNamespace(home=tmp_path / "other", row=house.row)
        others = Pauser(strangers, log, seed=1)
        with pytest.raises(TimeoutError):
            await _until(others.run(), others.stops.total, seconds=0.05)
        process.send_signal(signal.SIGKILL)

    assert state != "T"
    assert others.stops.total() == 0


async def test_a_wall_clock_never_leaves_what_shops_bear(tmp_path: Path, log: Witness, monkeypatch):
    """Forward and back, by seconds and minutes, and never further off than webhooks may be."""
    monkeypatch.setattr("actors.cli.chaos.wallclock.EVERY_S", 0.0)
    clock = WallClock(tmp_path, log, seed=7)
    await _until(clock.run(), lambda: clock.jumps.total() >= 200)

    told = [json.loads(line) for line in (tmp_path / "faults.jsonl").read_text().splitlines()]
    assert {"forward", "back"} == set(clock.jumps)
    assert max(abs(line["ahead_s"]) for line in told) <= AHEAD_S_MAX
    assert int((tmp_path / "clock-ahead-s").read_text()) == told[-1]["ahead_s"]


def test_without_the_auditor_the_report_says_so(tmp_path: Path, monkeypatch):
    """An installed product has no tests folder: nobody is called clean who was not looked at."""
    monkeypatch.setattr(auditor, "ROOT", tmp_path)
    verdict = ask_auditor(tmp_path, tmp_path, pans=[])

    assert "not asked" in verdict.text()[0]
    assert verdict.as_json()["ran"] is False


def test_what_the_auditor_finds_is_told_with_its_place(tmp_path: Path):
    """It is a program of its own, and its findings come with file and line."""
    (tmp_path / "home/data/ledger").mkdir(parents=True)
    (tmp_path / "home/data/ledger/payments.jsonl").write_text("nothing that ends in a hash\n")
    for name in ("history", "heads", "sink"):
        (tmp_path / f"{name}.jsonl").touch()
    verdict = ask_auditor(tmp_path / "home", tmp_path, pans=["4242424242424242"])

    assert not verdict.is_clean
    assert any("payments.jsonl:1: " in finding for finding in verdict.findings)
    assert Verdict(looked_at={"chain": 1}).text() == ["clean: chain 1"]


def test_a_file_that_grows_is_read_once(tmp_path: Path):
    """Each whole line comes once; one that is being written waits for its end."""
    path = tmp_path / "truth.jsonl"
    growing = Growing(path)
    assert growing.new() == []
    path.write_text('{"n":1}\n{"n":')
    assert growing.new() == [{"n": 1}]
    path.write_text('{"n":1}\n{"n":2}\n')

    assert growing.new() == [{"n": 2}]


def test_a_folder_with_something_in_it_is_no_home_for_chaos(tmp_path: Path, payrail):
    """64, and nothing is touched."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/file").touch()
    code, out, err = payrail("chaos", "run", "--home", str(tmp_path / "mine"))

    assert (code, out) == (64, "")
    assert "empty" in err


def test_a_home_that_cannot_be_is_refused_before_the_run(tmp_path: Path, payrail):
    """74, and what to do is to choose another one."""
    (tmp_path / "file").touch()
    home = tmp_path / "file/home"
    code, out, err = payrail("chaos", "run", "--home", str(home))

    assert (code, out) == (74, "")
    assert f"--home {home}: " in err
    assert "Choose a --home that can be written." in err


@pytest.mark.parametrize(
    ("seconds", "is_calm", "told"),
    [
        (30, False, "0:30 of 1 min"),
        (75, False, "1:15, the 1 min are over: waiting for the last payments"),
        (106, True, "1:46, calm: waiting for settlement and sinks"),
    ],
)
def test_a_run_tells_what_it_waits_for(seconds: float, is_calm: bool, told: str):
    """The end of a run takes longer than what was asked for, and says why."""
    cast = SimpleNamespace(
        order=Order(minutes=1, kills_per_minute=30),
        is_calm=is_calm,
        tally=Tally(),
        killer=SimpleNamespace(kills=[None] * 16),
        restarter=SimpleNamespace(ready_s=[]),
        heads=SimpleNamespace(seen=0),
        sink=SimpleNamespace(heard=0, failed=0),
        pauser=None,
        full_disk=None,
        wall_clock=None,
    )
    seen = dict(live.rows(cast, seconds))  # type: ignore[arg-type]

    assert seen["time"] == told
    assert seen["kills"] == "16 and the supervisor 0, 30 a minute asked"


async def _until(running: Any, fact: Any, seconds: float = 10.0) -> None:
    """Let it run until the fact holds. Raises TimeoutError."""
    task = asyncio.create_task(running)
    try:
        async with asyncio.timeout(seconds):
            while not fact():
                assert not task.done(), task.exception()
                await asyncio.sleep(0.005)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.chaos
@pytest.mark.timeout(300)
def test_a_run_that_is_told_to_end_takes_its_house_with_it(tmp_path: Path):
    """SIGTERM: 130, no process and no small disk is left, the home is kept for people to look."""
    words = ("chaos", "run", "--minutes", "5", "--disk-full", "--clock", "--home", str(tmp_path))
    command = [sys.executable, "-m", "actors.cli.main", *words]
    with subprocess.Popen(command, cwd=auditor.ROOT, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        while "time 0:00" not in running.stderr.readline():
            assert running.poll() is None
        supervisor = next(row for row in status(_home(tmp_path)) if row["name"] == "supervisor")
        folder = socket_folder(_home(tmp_path))
        running.terminate()
        _, said = running.communicate()

    assert running.returncode == 130
    assert said.splitlines()[-1] == f"interrupted, not judged; kept in {tmp_path}"
    assert folder is not None
    assert not folder.exists()
    assert not is_of(_home(tmp_path), supervisor["pid"])
    assert (tmp_path / "home/data/ledger/payments.jsonl").exists()
    assert not (tmp_path / "disk").exists()


def _home(folder: Path) -> Path:
    on_disk = folder / "disk/home"
    return on_disk if on_disk.exists() else folder / "home"
