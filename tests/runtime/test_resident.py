"""An actor at home: what a busy one does about its snapshots."""

import asyncio
import errno
import io

import pytest

from payrail.logs import make_logger
from payrail.runtime import resident as rooms
from payrail.runtime.clocks import SystemClock
from payrail.runtime.control import taking_up
from payrail.runtime.resident import ActorResident, Place
from payrail.steplog import StepLog
from payrail.storage.fs import RealFs
from tests.runtime.toy import NoBell, Toy, deposit_line


class FullForSnapshots(RealFs):
    """A disk that takes what is appended and has no room for another file."""

    refused = 0

    def replace(self, path: str, data: bytes) -> None:
        self.refused += 1
        raise OSError(errno.ENOSPC, "No space left on device", path)


@pytest.fixture
def forced(monkeypatch):
    """Every step wants a snapshot."""
    monkeypatch.setattr(rooms, "FORCED_STEPS", 1)


async def test_a_busy_actor_outlives_a_disk_without_room_for_its_snapshot(tmp_path, forced):
    """A snapshot that cannot be written costs a warning, and is not tried at every turn."""
    fs, clock, logged = FullForSnapshots(str(tmp_path), durable=False), SystemClock(), io.BytesIO()
    log, steps = make_logger("gateway", logged), StepLog("gateway", logged, clock)
    actor = ActorResident(Place("gateway", str(tmp_path), fs, clock, NoBell(), log, steps), Toy)
    spool = fs.open("mailboxes/gateway/vault.jsonl", create=True)

    with taking_up(tmp_path, "gateway") as control:
        running = asyncio.create_task(actor.run(control))
        for n in range(1, 6):
            spool.append(deposit_line(n, f"tok_{n}"))
            control.bell.wake()
            while control.cell.steps < n and not running.done():
                await asyncio.sleep(0)
        busy_refused = fs.refused
        control.stop()
        await running

    assert b"documents.held" in logged.getvalue()
    assert busy_refused == 1
