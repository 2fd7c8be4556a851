"""Residents for tests of the supervisor: they obey small files in the home and take no messages."""

import asyncio
import os
import time
from pathlib import Path
from typing import Any

from payrail.errors import BadSettings, Corrupt
from payrail.runtime.control import Control


class Toy:
    """Writes down when it serves and ends; does what its `mischief` file says, if there is one."""

    def __init__(self, name: str, home: str, options: dict[str, Any]) -> None:
        self.name = name
        self.folder = Path(home) / "data" / "actors" / name
        self.diary = Path(home) / "diary"
        self.options = options

    async def run(self, control: Control) -> None:
        suspect, deaths = control.cell.adopt()
        self.write(f"adopted {suspect} {deaths}")
        self.misbehave("at_start")
        if suspect and deaths >= 3:
            control.cell.acquit()
        elif (self.folder / "poison").exists():
            control.started()
            control.cell.mark("hand:1:0")
            os._exit(99)
        control.started()
        self.write("serves")
        while not control.stopping.is_set():
            control.cell.steps += 1
            self.misbehave("in_life")
            await control.bell.wait(20)
        self.write("ends")

    def misbehave(self, when: str) -> None:
        try:
            mischief = (self.folder / when).read_text()
        except OSError:
            return
        if mischief == "corrupt":
            raise Corrupt("journal.jsonl", 3, "the chain is broken")
        if mischief == "settings":
            raise BadSettings("PAYRAIL_TOY")
        if mischief == "hang":
            time.sleep(60)
        if mischief == "fail":
            raise RuntimeError("a fault of the toy")

    def write(self, line: str) -> None:
        with self.diary.open("a") as diary:
            diary.write(f"{self.name} {line}\n")


def build(name: str, home: str, options: dict[str, Any]) -> Toy:
    return Toy(name, home, options)


async def house(home: str, *names: str) -> None:
    """A house of toys, for tests that kill the supervisor itself."""
    from payrail.runtime.supervisor import Supervisor

    await Supervisor(home, names, "tests.runtime.toys:build").run()


if __name__ == "__main__":
    import sys

    asyncio.run(house(*sys.argv[1:]))
