"""A real house on a disk of its own that can lose its power.

All its processes stop at one moment, what stands on the disk then is kept, and they never go on:
what the kernel had not yet written is gone, whoever has read it.
"""

import os
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from actors.cli.chaos.house import House
from tests.disks.volumes import Disk, Volume

#: How long processes may take to stand still, or to be gone: one may wait for its disk.
STILL_S_MAX = 10.0
_LOOK_S = 0.001
#: What a house may lose without anybody noticing: never fsynced, or made anew at each start.
_HINTS = ("data/logs/", "cell", "/lock", ".sock")


class Mounted(House):
    """A house whose home is a folder of a mount."""

    def __init__(
        self, folder: Path, volume: Volume, settings: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(folder, settings)
        self.home = volume.where / "home"
        self.home.mkdir(exist_ok=True)
        self.env["PAYRAIL_HOME"] = str(self.home)


class Powered(Mounted):
    """A house on a disk with a switch."""

    def __init__(self, folder: Path, disk: Disk, settings: Mapping[str, str] | None = None) -> None:
        super().__init__(folder, disk, settings)
        self.disk = disk
        self.lost_bytes = self.lost_files = 0  # of the last cut

    def inline(self, wanted: bool) -> None:
        """How the next start is made."""
        flags = ["--inline"] if wanted else []
        self.command = (*House.command, *flags)

    def cut_power(self) -> None:
        """The power goes, and comes back with nothing running. Raises OSError, TimeoutError."""
        pids = self._freeze()
        before = self._sizes()
        self.disk.cut()
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self._process is not None:
            self._process.wait()
        _until(lambda: not any(map(_lives, pids)), "processes are killed and not gone")
        self.disk.power_on()
        after = self._sizes()
        self.lost_bytes = sum(max(0, size - after.get(path, 0)) for path, size in before.items())
        self.lost_files = len(before.keys() - after.keys())

    def _freeze(self) -> list[int]:
        """Stop the supervisor, then whom it started. Result: their pids."""
        if self._process is None or self._process.poll() is not None:
            return []
        first = self._process.pid
        _stop(first)
        pids = [first, *_children(first)]
        for pid in pids[1:]:
            _stop(pid)
        _until(lambda: all(map(_stands, pids)), "processes do not stand still")
        return pids

    def _sizes(self) -> dict[str, int]:
        """Of everything that matters in the home."""
        found = {}
        for path in self.home.rglob("*"):
            name = str(path.relative_to(self.home))
            with suppress(FileNotFoundError):
                if path.is_file() and not any(hint in name for hint in _HINTS):
                    found[name] = path.stat().st_size
        return found


def _stop(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)


def _children(pid: int) -> list[int]:
    with suppress(FileNotFoundError):
        tasks = Path(f"/proc/{pid}/task").iterdir()
        return [int(one) for task in tasks for one in (task / "children").read_text().split()]
    return []


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"


def _stands(pid: int) -> bool:
    return _state(pid) in "TtZX"


def _lives(pid: int) -> bool:
    return _state(pid) not in "ZX"


def _until(fact: Callable[[], bool], what: str) -> None:
    ends = time.monotonic() + STILL_S_MAX
    while not fact():
        if time.monotonic() > ends:
            raise TimeoutError(what)
        time.sleep(_LOOK_S)
