"""Bells: they wake sleepers, and their loss costs a poll."""

import asyncio
import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import uvloop

from payrail.runtime import bells
from payrail.runtime.bells import Bells, BellWaiter, leave_folder, socket_folder, socket_path
from payrail.runtime.cells import CellWriter

LONG_MS = 20_000  # Longer than a test may take: a wait that ends, ended early.


@pytest.fixture(autouse=True)
def _runtime_folder(monkeypatch):
    with TemporaryDirectory(prefix="bells-") as folder:  # A test's own folder has a long name.
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield


@pytest.fixture
def waiter(tmp_path):
    cell = CellWriter(tmp_path, "vault")
    made = BellWaiter(tmp_path, "vault", cell)
    yield made
    made.close()


@pytest.fixture
def ringer(tmp_path):
    made = Bells(tmp_path)
    yield made
    made.close()


async def ring_when_asleep(ringer, waiter) -> bool:
    waiting = asyncio.create_task(waiter.wait(LONG_MS))
    await asyncio.sleep(0)
    ringer.ring("vault")
    return await asyncio.wait_for(waiting, 5)


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_ring_ends_the_sleep(ringer, waiter, loop_factory: Callable):
    """A sleeping actor is woken by another's bell, on either event loop."""
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        assert runner.run(ring_when_asleep(ringer, waiter)) is True
        waiter.close()


async def test_nobody_rings_for_the_wakeful(ringer, waiter):
    """An actor that does not say it sleeps gets no datagram; the ringer saves the call."""
    ringer.ring("vault")

    assert await waiter.wait(1) is False


async def test_silence_ends_with_the_timeout(waiter):
    """Without any bell the actor looks for itself after the time given."""
    assert await waiter.wait(1) is False


async def test_what_came_before_sleep_is_not_slept_over(tmp_path, waiter):
    """The last look happens after the cell says "sleeping", so that no message falls between."""
    seen_asleep = []

    def look() -> bool:
        seen_asleep.append(CellWriter.sleeping.fget(waiter._cell))  # type: ignore[attr-defined]
        return True

    assert await waiter.wait(LONG_MS, look) is True
    assert seen_asleep == [True]
    assert not waiter._cell.sleeping


async def test_many_rings_are_one(ringer, waiter):
    """Rings during one sleep are drained together and do not spoil the next."""
    waiting = asyncio.create_task(waiter.wait(LONG_MS))
    await asyncio.sleep(0)
    for _ in range(100):
        ringer.ring("vault")
    assert await waiting is True

    await asyncio.sleep(0)
    assert await waiter.wait(5) is False


async def test_a_wake_from_inside_is_kept(waiter):
    """A completion that arrives while the actor works skips its next sleep."""
    waiter.wake()

    assert await waiter.wait(LONG_MS) is True
    assert await waiter.wait(1) is False


async def test_a_dead_predecessors_socket_is_replaced(tmp_path, ringer, waiter):
    """A socket left by SIGKILL does not keep the successor from being rung."""
    successor = BellWaiter(tmp_path, "vault", CellWriter(tmp_path, "vault"))

    assert await ring_when_asleep(ringer, successor) is True
    successor.close()


def test_ringing_nobody_is_harmless(tmp_path, ringer):
    """An actor without cell or socket can be rung for; nothing is raised."""
    ringer.ring("nobody")
    CellWriter(tmp_path, "asleep").sleeping = True
    ringer.ring("asleep")


def test_sockets_are_ours_alone(tmp_path):
    """The folder of sockets lets nobody else in, and an open one of that name is not used."""
    folder = socket_folder(tmp_path)
    assert folder is not None
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700

    folder.chmod(0o755)
    assert socket_folder(tmp_path) != folder


def test_a_folder_with_too_long_a_name_is_passed_over(tmp_path, monkeypatch):
    """No socket fits under it; the next one does, for whoever listens and whoever rings."""
    short = os.environ["XDG_RUNTIME_DIR"]
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / ("long" * 20)))
    monkeypatch.setattr(tempfile, "tempdir", short)

    folder = socket_folder(tmp_path)

    assert folder is not None
    assert folder.parent == Path(short)
    assert socket_path(tmp_path, "dispatcher") == str(folder / "dispatcher")


async def test_without_a_socket_there_is_polling(tmp_path, monkeypatch):
    """Where no socket can be, the waiter still wakes by time and by itself."""
    monkeypatch.setattr(bells, "SOCKET_PATH_BYTES_MAX", 5)
    assert socket_path(tmp_path, "vault") is None
    waiter = BellWaiter(tmp_path, "vault")

    assert await waiter.wait(1) is False
    waiter.wake()
    assert await waiter.wait(LONG_MS) is True
    waiter.close()


def test_the_last_to_leave_takes_the_folder_away(tmp_path):
    """While anybody listens it stays; then neither socket nor folder is left."""
    gateway, vault = BellWaiter(tmp_path, "gateway"), BellWaiter(tmp_path, "vault")
    folder = socket_folder(tmp_path)
    assert folder is not None

    gateway.close()
    assert [socket.name for socket in folder.iterdir()] == ["vault"]
    vault.close()
    assert not folder.exists()


def test_what_a_kill_left_is_taken_away_by_name(tmp_path):
    """Sockets of those who have ended go; another's keeps the folder, and nothing is raised."""
    killed, other = BellWaiter(tmp_path, "gateway"), BellWaiter(tmp_path, "vault")
    folder = socket_folder(tmp_path)
    assert folder is not None

    leave_folder(tmp_path, ["gateway", "nobody"])
    assert [socket.name for socket in folder.iterdir()] == ["vault"]
    leave_folder(tmp_path, ["vault"])
    assert not folder.exists()
    leave_folder(tmp_path)
    for one in (killed, other):
        one.close()


def test_a_folder_that_is_taken_away_while_one_comes_is_made_anew(tmp_path, monkeypatch):
    """The last of one half of a house may leave right before the first of another listens."""
    real, calls = bells._listen, []

    def listen(path: str):
        calls.append(path)
        if len(calls) == 1:
            Path(path).parent.rmdir()
        return real(path)

    monkeypatch.setattr(bells, "_listen", listen)
    waiter = BellWaiter(tmp_path, "vault")

    assert Path(calls[-1]).is_socket()
    waiter.close()
