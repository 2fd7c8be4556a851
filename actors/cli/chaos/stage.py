"""Where a run takes place: a folder with the house, its disk and clock, the sink, the witnesses.

Owns: `home` (or `disk/home` while there is a small disk), `house.log`, and the files under
`witness`: history, sink, heads, faults, cards. Ends with everything that it began.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from actors.cli.chaos.heads import HeadWatch
from actors.cli.chaos.house import House
from actors.cli.chaos.order import Order
from actors.cli.chaos.sink import Sink, listening
from actors.cli.chaos.smalldisk import NoSmallDisk, SmallDisk
from actors.cli.chaos.wallclock import WallClock
from actors.cli.chaos.witness import History, Witness, keep_synced


class JumpyHouse(House):
    """A house on a machine whose wall clock is set by others."""

    command = ("-m", "actors.cli.chaos.jumpy", "up", "--demo")


@dataclass(slots=True)
class Stage:
    """What stands there before anybody comes. `skipped` tells why a fault will not come."""

    folder: Path
    house: House
    sink: Sink
    history: History
    faults: Witness
    heads: HeadWatch
    disk: SmallDisk | None
    wall_clock: WallClock | None
    skipped: dict[str, str]
    is_good: bool = False  # else its home is kept

    @property
    def witness(self) -> Path:
        return self.folder / "witness"


@asynccontextmanager
async def staged(order: Order, folder: Path) -> AsyncIterator[Stage]:
    """A started house and its witnesses; afterwards it is stopped and its small disk gone.
    Raises HouseFailed."""
    witness = folder / "witness"
    witness.mkdir(parents=True, exist_ok=True)
    sink = Sink(failing=order.failing, seed=order.seed, witness=witness / "sink.jsonl")
    async with listening(sink):
        stage = _stage(order, folder, sink)
        files = [stage.history, stage.faults, stage.heads.witness]
        syncing = asyncio.create_task(
            keep_synced([*files, sink.witness] if sink.witness else files)
        )
        try:
            await asyncio.to_thread(stage.house.start)
            yield stage
        finally:
            syncing.cancel()
            for file in files:
                file.close()
            await asyncio.to_thread(_end, stage)


def _stage(order: Order, folder: Path, sink: Sink) -> Stage:
    witness, skipped = folder / "witness", dict[str, str]()
    faults = Witness(witness / "faults.jsonl")
    disk = None
    if order.disk_full:
        disk = SmallDisk(folder)
        try:
            disk.mount()
        except NoSmallDisk as error:
            disk, skipped["disk-full"] = None, str(error)
    wall_clock = WallClock(folder, faults, seed=order.seed) if order.clock else None
    settings = {
        "PAYRAIL_SEED": str(order.seed),
        "PAYRAIL_WEBHOOK_ALLOW": sink.address,
        "PAYRAIL_WEBHOOK_SCHEDULE": "demo",
        **(wall_clock.settings if wall_clock else {}),
    }
    made = JumpyHouse if wall_clock else House
    house = made(folder, settings, home=disk.home if disk else None)
    history = History(witness / "history.jsonl")
    heads = HeadWatch(house.home, witness / "heads.jsonl")
    return Stage(folder, house, sink, history, faults, heads, disk, wall_clock, skipped)


def _end(stage: Stage) -> None:
    try:
        stage.house.stop()
    finally:
        if stage.disk:
            stage.disk.unmount(keep=not stage.is_good)
