"""Witness files: what those outside of the house saw, written the moment that they saw it.

A line is with the operating system when `add` returns, and on the disk within `SYNC_S`: people may
look at it while the run goes on, and the auditor reads it afterwards.
"""

import asyncio
import json
import os
import time
from pathlib import Path
from typing import Any, TextIO

#: How long a line may wait for its fsync.
SYNC_S = 1.0


class Witness:
    """One file of lines with `at`, the machine's time in seconds."""

    def __init__(self, path: Path) -> None:
        self._file: TextIO = path.open("a", buffering=1)

    def write(self, **fields: Any) -> None:
        self._file.write(json.dumps({"at": time.time(), **fields}) + "\n")

    def sync(self) -> None:
        if not self._file.closed:
            os.fsync(self._file.fileno())

    def close(self) -> None:
        self.sync()
        self._file.close()


class History(Witness):
    """`history.jsonl`: what clients sent, what they were answered, what was dropped."""

    def add(self, phase: str, **fields: Any) -> None:
        self.write(phase=phase, **fields)


async def keep_synced(files: list[Witness]) -> None:
    """Bring them to the disk again and again, until cancelled."""
    while True:
        await asyncio.sleep(SYNC_S)
        for file in files:
            await asyncio.to_thread(file.sync)
