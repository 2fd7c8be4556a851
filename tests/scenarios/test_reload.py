"""`payrail up --reload` on a copy of the sources: edits, mistakes, and a house that comes back."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from actors.cli.stories.houses import free_ports
from payrail.runtime.house import status

pytestmark = pytest.mark.scenario

ROOT = Path(__file__).parents[2]
ACTOR = "provider-b"
LIMIT_S = 30.0


class Reloading:
    """A house of one actor, run from a copy of the sources that a test may spoil."""

    def __init__(self, folder: Path) -> None:
        self.sources, self.home = folder / "sources", folder / "home"
        for package in ("payrail", "actors"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / package, self.sources / package, ignore=ignored)
        self.home.mkdir()
        names = ("API", "CONSOLE", "VAULT", "PROVIDER")
        ports = zip(names, free_ports(len(names)), strict=True)
        settings = {f"PAYRAIL_{name}_PORT": str(port) for name, port in ports}
        settings |= {"PAYRAIL_HOME": str(self.home), "PYTHONPATH": str(self.sources)}
        settings |= {"WATCHFILES_FORCE_POLLING": "1"}
        command = [sys.executable, "-P", "-m", "actors.cli.main", "up", "--reload"]
        self.process = subprocess.Popen(
            [*command, "--only", ACTOR],
            env={**os.environ, **settings},
            cwd=self.home,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.told: list[str] = []
        self._reader = threading.Thread(target=self._listen)
        self._reader.start()

    def edit(self, path: str, old: str, new: str) -> None:
        source = self.sources / path
        text = source.read_text()
        assert old in text
        source.write_text(text.replace(old, new))

    def until_told(self, what: str, *, after: int = 0) -> int:
        """Wait for a line on stderr; result: where to look on from."""
        self.until(lambda: any(what in line for line in self.told[after:]), what)
        return next(at for at in range(after, len(self.told)) if what in self.told[at]) + 1

    def until(self, fact: Callable[[], bool], what: str) -> None:
        ends = time.monotonic() + LIMIT_S
        while not fact():
            assert time.monotonic() < ends, f"never came true: {what}; told: {self.told}"
            assert self.process.poll() is None, f"the watcher ended; told: {self.told}"
            time.sleep(0.02)

    def serving(self) -> tuple[int | None, int]:
        """The actor's pid and epoch."""
        row = next(row for row in status(self.home) if row["name"] == ACTOR)
        return (row["pid"] if row["state"] == "serving" else None), row["epoch"]

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(LIMIT_S)
        self._reader.join(LIMIT_S)
        return code

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.told.append(line.rstrip())
        self.process.stderr.close()


@pytest.fixture
def reloading(tmp_path) -> Iterator[Reloading]:
    house = Reloading(tmp_path)
    try:
        yield house
    finally:
        if house.process.poll() is None:
            house.end()


def test_an_edited_source_is_at_work_at_once_and_a_mistake_ends_no_house(reloading):
    """An edit starts the house anew with what it says; what cannot be imported is named, and the
    house goes on as it was; a house that fails comes back when mended; SIGTERM ends all of it."""
    running = "actors/cli/running.py"
    told = reloading.until_told(f"ready  {ACTOR}")
    first_pid, first_epoch = reloading.serving()
    assert first_pid

    reloading.edit(running, 'f"ready  {', 'f"at your service  {')
    told = reloading.until_told(f"at your service  {ACTOR}", after=told)
    pid, epoch = reloading.serving()
    assert epoch == first_epoch + 1
    assert pid != first_pid

    reloading.edit("actors/provider/core.py", '"""', 'a mistake """')
    told = reloading.until_told("SyntaxError", after=told)
    assert reloading.serving() == (pid, epoch)

    reloading.edit("actors/provider/core.py", 'a mistake """', '"""')
    told = reloading.until_told("at your service", after=told)
    assert reloading.serving()[1] == epoch + 1

    reloading.edit(running, "    tell_events(_to_stderr)\n", "    raise RuntimeError('a fault')\n")
    told = reloading.until_told("the house ended with 1", after=told)
    assert reloading.serving() == (None, epoch + 1)

    reloading.edit(running, "    raise RuntimeError('a fault')\n", "    tell_events(_to_stderr)\n")
    told = reloading.until_told("at your service", after=told)
    assert reloading.serving()[1] == epoch + 2

    assert reloading.end() == 0
    assert reloading.serving() == (None, epoch + 2)


def test_no_house_outlives_its_watcher(reloading):
    """Killed, the watcher takes its house along: nothing goes on unwatched, holding the home."""
    reloading.until_told(f"ready  {ACTOR}")

    reloading.process.kill()
    reloading.process.wait()

    ends = time.monotonic() + LIMIT_S
    while any(row["state"] != "down" for row in status(reloading.home)):
        assert time.monotonic() < ends
        time.sleep(0.02)
