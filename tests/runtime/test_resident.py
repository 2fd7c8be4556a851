"""An actor at home: what a busy one does about its snapshots."""

import asyncio
import errno
import io
from functools import partial

from payrail.logs import make_logger
from payrail.runtime.clocks import SystemClock
from payrail.runtime.control import taking_up
from payrail.runtime.resident import ActorResident, Place
from payrail.runtime.sim import NoBell
from payrail.runtime.turning import Habits
from payrail.steplog import StepLog
from payrail.storage.fs import RealFile, RealFs
from tests.runtime.toy import Toy, deposit_line

DEPOSITS = "data/toy/deposits.jsonl"


class FullForSnapshots(RealFs):
    """A disk that takes what is appended and has no room for another file."""

    refused = 0

    def replace(self, path: str, data: bytes) -> None:
        self.refused += 1
        raise OSError(errno.ENOSPC, "No space left on device", path)


class FullForBooks(RealFs):
    """A disk that has no room for a line of the toy's book while it is `full`."""

    full = True
    refused = 0

    def open(self, path: str, *, create: bool = False) -> RealFile:
        file = super().open(path, create=create)
        if path == DEPOSITS:
            file.pwrite = partial(self._pwrite, file.pwrite)  # type: ignore[method-assign]
        return file

    def _pwrite(self, pwrite, offset: int, data: bytes) -> None:
        if self.full:
            self.refused += 1
            assert self.refused < 1_000, "it never pauses"
            raise OSError(errno.ENOSPC, "No space left on device")
        pwrite(offset, data)


#: Every step wants a snapshot.
FORCED = Habits(forced_steps=1)


async def test_a_busy_actor_outlives_a_disk_without_room_for_its_snapshot(tmp_path):
    """A snapshot that cannot be written costs a warning, and is not tried at every turn."""
    fs, clock, logged = FullForSnapshots(str(tmp_path), durable=False), SystemClock(), io.BytesIO()
    log, steps = make_logger("gateway", logged), StepLog("gateway", logged, clock)
    place = Place("gateway", str(tmp_path), fs, clock, NoBell(), log, steps)
    actor = ActorResident(place, Toy, habits=FORCED)
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


async def test_a_blocked_actor_rests_between_its_tries_while_more_comes_in(tmp_path):
    """Else it never beats, and is killed as one that hangs. With room again, all of it is taken."""
    fs, clock, logged = FullForBooks(str(tmp_path), durable=False), SystemClock(), io.BytesIO()
    log, steps = make_logger("gateway", logged), StepLog("gateway", logged, clock)
    actor = ActorResident(Place("gateway", str(tmp_path), fs, clock, NoBell(), log, steps), Toy)
    spool = fs.open("mailboxes/gateway/vault.jsonl", create=True)

    with taking_up(tmp_path, "gateway") as control:
        running = asyncio.create_task(actor.run(control))
        spool.append(deposit_line(1, "tok_1"))
        while control.cell.state != "blocked" and not running.done():
            await asyncio.sleep(0)
        spool.append(deposit_line(2, "tok_2"))
        control.bell.wake()
        for _ in range(20):
            await asyncio.sleep(0)
        fs.full = False
        control.bell.wake()
        while control.cell.steps < 2 and not running.done():
            await asyncio.sleep(0)
        control.stop()
        await running

    assert fs.read(DEPOSITS).count(b"\n") == 2
