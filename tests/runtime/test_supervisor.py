"""The supervisor with real processes: restarts, hangs, holds, orders and the end of the house."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from payrail.errors import HomeHeld, NotRunning
from payrail.runtime.bells import socket_folder
from payrail.runtime.cells import CellView, HomeCells, monotonic_ms
from payrail.runtime.control import taking_up
from payrail.runtime.house import LockText, holders, lock_path, request_stop, status
from payrail.runtime.orders import Order, Verb, control_path, give_order
from payrail.runtime.ports import Child, Proc
from payrail.runtime.simcells import SimCells
from payrail.runtime.simtime import SimTime
from payrail.runtime.supervisor import Limits, Supervisor
from payrail.runtime.warden import Warden
from payrail.runtime.wards import Notes, Ports

BUILD = "tests.runtime.toys:build"
ROOT = Path(__file__).parents[2]
NAMES = ("vault", "gateway", "frontdoor")


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path / "home"


class NoOrders:
    def unread(self) -> list[Order]:
        return []


async def until(fact: Callable[[], object], limit_s: float = 5.0) -> None:
    """Wait for a fact about other processes."""
    ends = time.monotonic() + limit_s
    while not fact():
        assert time.monotonic() < ends, "it never came true"
        await asyncio.sleep(0.01)


@asynccontextmanager
async def running(home: Path, *names: str, **limits: int) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(home, names, BUILD, limits=Limits(**limits))
    task = asyncio.create_task(supervisor.run())
    try:
        yield supervisor
    finally:
        supervisor.stop()
        await asyncio.wait_for(task, 15)


def row(home: Path, name: str) -> dict:
    return next((row for row in status(home) if row["name"] == name), {"state": "none"})


def serving(home: Path, *names: str) -> Callable[[], bool]:
    return lambda: all(row(home, name)["state"] == "serving" for name in names)


def mischief(home: Path, actor: str, when: str, what: str = "") -> Path:
    path = home / "data" / "actors" / actor / when
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(what)
    return path


def diary(home: Path) -> list[str]:
    path = home / "diary"
    return path.read_text().splitlines() if path.exists() else []


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def snapshot(home: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path): (path.stat().st_mtime_ns, path.stat().st_size)
        for path in sorted(home.rglob("*"))
        if path.name != "cell"
    }


async def test_the_house_starts_restarts_and_ends_in_order(home):
    """All serve, the front door last; a killed actor serves again in under a second, by a new
    process; at the end the front door goes first and nobody is left."""
    async with running(home, *NAMES):
        await until(serving(home, *NAMES), 10)
        assert diary(home)[-1] == "frontdoor serves"
        killed = row(home, "gateway")["pid"]
        others = row(home, "vault")["pid"], row(home, "frontdoor")["pid"]
        await asyncio.sleep(0.5)  # The spare stands ready some time after the start.

        os.kill(killed, signal.SIGKILL)
        began = time.monotonic()
        await until(lambda: row(home, "gateway")["pid"] not in (killed, None))
        await until(serving(home, "gateway"))
        assert time.monotonic() - began < 1.0

        assert row(home, "gateway")["restarts"] == 1
        assert (row(home, "vault")["pid"], row(home, "frontdoor")["pid"]) == others
        assert row(home, "supervisor")["pid"] == os.getpid()

    assert next(line for line in diary(home) if line.endswith("ends")) == "frontdoor ends"
    assert {row["state"] for row in status(home)} == {"down"}
    assert all(gone(pid) for pid in others)


async def test_a_second_house_is_refused_and_writes_nothing(home):
    """Who finds the home held is told by whom since when, and leaves every file as it was."""
    async with running(home, "vault"):
        await until(serving(home, "vault"), 10)
        before = snapshot(home)

        with pytest.raises(HomeHeld, match=f"vault .*process {os.getpid()} since 20"):
            await Supervisor(home, ("gateway", "vault"), BUILD).run()

        assert snapshot(home) == before


async def test_two_houses_share_a_home_with_different_actors(home):
    """Each actor has one supervisor, a home may have several, and the end of one is its own; the
    last one takes the folder of their bells away."""
    async with running(home, "vault"):
        async with running(home, "gateway"):
            await until(serving(home, "vault", "gateway"), 10)
        assert row(home, "gateway")["state"] == "down"
        assert row(home, "vault")["state"] == "serving"
        folder = socket_folder(home)
        assert folder is not None
        assert [socket.name for socket in folder.iterdir()] == ["vault"]
    assert not folder.exists()


async def test_a_poison_is_counted_over_deaths(home):
    """A message that kills its reader is known by name to each next one, until the third death."""
    mischief(home, "vault", "poison")

    async with running(home, "vault"):
        await until(lambda: "vault serves" in diary(home), 10)
        assert row(home, "vault")["restarts"] == 3

    adopted = [line for line in diary(home) if "adopted" in line]
    assert adopted == [
        "vault adopted None 0",
        "vault adopted hand:1:0 1",
        "vault adopted hand:1:0 2",
        "vault adopted hand:1:0 3",
    ]


async def test_a_hang_is_killed_and_restarted(home):
    """A loop that stands still beats no more; it is killed, and its successor serves."""
    async with running(home, "vault", beat_ms_max=600):
        await until(serving(home, "vault"), 10)
        stuck = row(home, "vault")["pid"]
        trap = mischief(home, "vault", "in_life", "hang")
        await until(lambda: gone(stuck), 5)
        trap.unlink()
        await until(lambda: row(home, "vault")["pid"] not in (None, stuck))
        await until(serving(home, "vault"))


async def test_damage_is_held_until_release(home):
    """A corrupt actor is not respawned; the rest serves; `release` tries it again."""
    trap = mischief(home, "vault", "at_start", "corrupt")
    async with running(home, "vault", "frontdoor"):
        await until(lambda: row(home, "vault")["state"] == "held", 10)
        await until(serving(home, "frontdoor"), 10)
        assert row(home, "vault")["pid"] is None
        await asyncio.sleep(0.3)
        assert row(home, "vault")["restarts"] == 0

        trap.unlink()
        give_order(home, "vault", "release", at="2026-02-09T12:00:00.000Z")
        await until(serving(home, "vault"))


async def test_failures_at_start_back_off(home):
    """An actor that fails before it serves is tried at growing distance, and says so."""
    trap = mischief(home, "vault", "at_start", "fail")
    async with running(home, "vault"):
        await until(lambda: row(home, "vault")["state"] in ("backoff", "degraded"), 10)
        trap.unlink()
        give_order(home, "vault", "release", at="")
        await until(serving(home, "vault"))


async def test_orders_pause_resume_kill_and_restart(home):
    """Lines in the control file steer an actor; nonsense among them does no harm."""
    async with running(home, "vault"):
        await until(serving(home, "vault"), 10)
        give_order(home, "vault", "pause", at="")
        await until(lambda: row(home, "vault")["state"] == "paused")
        with control_path(home, "vault").open("ab") as control:
            control.write(b'nonsense\n{"verb":"dance"}\n{"verb":"\xd4"}\n{"verb":"resume"}\n')
        await until(serving(home, "vault"))

        verbs: tuple[Verb, ...] = ("kill", "restart")
        for restarts, verb in enumerate(verbs, start=1):
            before = row(home, "vault")["pid"]
            give_order(home, "vault", verb, at="")
            await until(lambda: row(home, "vault")["pid"] not in (before, None))  # noqa: B023
            await until(serving(home, "vault"))
            assert row(home, "vault")["restarts"] == restarts


async def test_orders_of_the_past_are_not_carried_out(home):
    """An order given while no house ran is not obeyed by the next."""
    give_order(home, "vault", "pause", at="")

    async with running(home, "vault"):
        await until(serving(home, "vault"), 10)


async def test_children_end_with_a_killed_supervisor_and_a_new_one_takes_over(home):
    """SIGKILL of the supervisor ends all its children; its locks are free and its pid is stale."""
    command = [sys.executable, "-m", "tests.runtime.toys", str(home), "vault", "gateway"]
    first = subprocess.Popen(command, cwd=ROOT)
    try:
        await until(serving(home, "vault", "gateway"), 10)
        pids = [row(home, name)["pid"] for name in ("vault", "gateway")]
        (holder,) = holders(home)
        assert holder.pid == first.pid
    finally:
        first.kill()
        first.wait()

    await until(lambda: all(gone(pid) for pid in pids))
    assert {row["state"] for row in status(home)} == {"down"}
    assert holders(home) == []
    with pytest.raises(NotRunning):
        request_stop(home, holder)
    async with running(home, "vault", "gateway"):
        await until(serving(home, "vault", "gateway"), 10)


async def test_sigterm_to_the_holder_ends_the_house(home):
    """`request_stop` reaches a house in another process, which ends in order and with code 0."""
    command = [sys.executable, "-m", "tests.runtime.toys", str(home), "vault", "frontdoor"]
    house = subprocess.Popen(command, cwd=ROOT)
    try:
        await until(serving(home, "vault", "frontdoor"), 10)
        request_stop(home, holders(home)[0])
        assert await asyncio.to_thread(house.wait, 10) == 0
        assert diary(home)[-2:] == ["frontdoor ends", "vault ends"]
    finally:
        house.kill()
        house.wait()


async def test_a_foreign_pid_is_not_signalled(home):
    """A pid of another container means somebody else here, so it is left alone."""
    async with running(home, "vault"):
        await until(lambda: holders(home))
        holder = holders(home)[0]
        path = lock_path(home, "vault")
        path.write_bytes(path.read_bytes().replace(holder.where.encode(), b"elsewhere:1"))

        with pytest.raises(NotRunning, match="another container"):
            request_stop(home, holder)


async def test_two_incarnations_never_overlap(home):
    """A new incarnation waits for its predecessor's lock, and gives up as held."""
    with (
        taking_up(home, "vault"),
        pytest.raises(HomeHeld, match="earlier incarnation"),
        taking_up(home, "vault", wait_ms=30),
    ):
        pass
    with taking_up(home, "vault") as control:
        control.started()
        seen = CellView.read(home, "vault")
        assert seen is not None
        assert seen.state == "serving"


def test_a_lock_text_reads_back():
    """What a supervisor writes of itself names process, time, place and actors."""
    text = LockText(7, "2026-02-09T12:00:00.000Z", "host:1", ["vault"], "vault")

    assert (text.state, text.restarts, text.actor_pid) == ("down", 0, None)


def test_a_former_life_with_the_same_number_is_not_taken_for_this_one(home):
    """In a container that starts anew, a process has the pid it had before: its cell counts only
    once this incarnation has opened it, so that a recovery has the patience that it needs."""
    with taking_up(home, "vault") as control:
        control.started()
    ports = Ports(cast(Proc, None), HomeCells(home), lambda _: NoOrders(), cast(Notes, None), None)
    warden = Warden(["vault"], ports, monotonic_ms())
    ward = warden.wards[0]
    ward.process = cast(Child, SimpleNamespace(pid=os.getpid()))
    ward.started_ms = monotonic_ms() + 1

    assert warden.cell_of(ward, monotonic_ms()) is None
    ward.started_ms = 0
    assert warden.cell_of(ward, monotonic_ms()) is not None
    booted_again_ms = monotonic_ms() - 5 * 3_600_000
    assert warden.cell_of(ward, booted_again_ms) is None


def test_a_cell_of_another_boot_is_nobodys():
    """The machine was up for a minute, then booted again: the old cell's beat is one that could be
    to come within a turn, and its pid lives again as somebody else. It serves nobody all the same,
    and what it died in is not charged to this incarnation."""
    time = SimTime()
    cells = SimCells(time.monotonic_ms)
    time.pass_ms(60_000)
    cells.open("vault", 102, lambda _: None).serve()
    cells.reboot(keeps=True)
    ports = Ports(cast(Proc, None), cells, lambda _: NoOrders(), cast(Notes, None), None)
    ward = (warden := Warden(["vault"], ports, now_ms=500)).wards[0]
    ward.process = cast(Child, SimpleNamespace(pid=102))
    ward.started_ms = 600

    assert warden.cell_of(ward, 700) is None
    cells.open("vault", 102, lambda _: None)
    assert warden.cell_of(ward, 700) is not None
