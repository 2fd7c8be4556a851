"""Bugs and their catchers, each in a process of its own: what came of it, and how long it took.

The product is imported once, and every catcher is a fork of that process with one bug planted in
it: two seconds saved each time.
"""

import importlib
import json
import os
import pkgutil
import signal
import sys
import tempfile
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import actors
import payrail
from tests.planted.edits import HERE
from tests.planted.planted import QUIET, SEED, Catcher, Planted

#: A catcher that takes longer than this, of the processor or by the clock, has caught nothing.
CPU_S_MAX, TIMEOUT_S = 150, 1_500
_BREAKERS = "actors.cli.chaos"
_PLUGINS = ("hypothesis", "anyio.pytest_plugin", "pytest_asyncio.plugin", "xdist.plugin")
OUTPUT_SHOWN_MAX = 800
#: Errors that tell of a bug that was planted badly, and not of one that was caught.
_OWN_FAULTS = ("NameError", "SyntaxError", "ImportError", "ModuleNotFoundError", "StaleEdit")


@dataclass(frozen=True, slots=True)
class Result:
    """`by` and `message` are empty when nothing noticed; `why` then says what there was instead.
    `cpu_s` is what a machine without other work would take."""

    bug: str
    by: str
    message: str
    cpu_s: float
    took_s: float = 0.0
    why: str = ""

    @property
    def is_caught(self) -> bool:
        return bool(self.by)


@dataclass
class _Trial:
    """One catcher at work on one bug; `left` are those that look after it."""

    bug: Planted
    catcher: Catcher
    left: tuple[Catcher, ...]
    folder: tempfile.TemporaryDirectory[str]
    began: float

    @property
    def report(self) -> Path:
        return Path(self.folder.name) / "report.json"

    @property
    def output(self) -> Path:
        return Path(self.folder.name) / "output"


def all_tried(
    bugs: Sequence[Planted], jobs: int, only: tuple[Catcher, ...] = ()
) -> Iterator[Result]:
    """The result of each bug: the first of its catchers (or of those given in their place) that
    noticed, or what the last one said."""
    load_product()
    waiting = deque((bug, only or bug.caught_by) for bug in bugs)
    running: dict[int, _Trial] = {}
    while waiting or running:
        while waiting and len(running) < jobs:
            bug, catchers = waiting.popleft()
            running |= dict([_begun(bug, catchers)])
        pid, _, used = os.wait4(-1, 0)
        trial = running.pop(pid)
        result = _judged(trial, used.ru_utime + used.ru_stime)
        if result.is_caught or not trial.left:
            yield result
        else:
            waiting.appendleft((trial.bug, trial.left))


def green_without(nodes: Sequence[str]) -> str:
    """Run these tests, or seeds, without any bug, in one more fork. Result: empty when all are
    green, else what was said."""
    seeds = {int(node.removeprefix(SEED)) for node in nodes if node.startswith(SEED)}
    tests = sorted(set(nodes)) if not seeds else []
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        output = Path(folder) / "output"
        pid = os.fork()
        if pid == 0:
            _in_fork(output, lambda: _all_green(sorted(seeds), tests))
        _, status = os.waitpid(pid, 0)
        return "" if status == 0 else f"exit {status}: {_tail(output)}"


def _all_green(seeds: Sequence[int], tests: Sequence[str]) -> int:
    run = importlib.import_module("actors.simulation.run").run
    failed = [failure for seed in seeds for failure in run(seed).failures]
    print(*failed, sep="\n")
    return int(bool(failed)) or (pytest.main([*QUIET, *tests]) if tests else 0)


def load_product() -> None:
    """Import every module of the product, and what pytest would, so that forks need not; but for
    the breakers of a running house, some of which change the process that imports them."""
    for name in _PLUGINS:
        importlib.import_module(name)
    for package in (payrail, actors):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith("__main__") and not found.name.startswith(_BREAKERS):
                importlib.import_module(found.name)


def _begun(bug: Planted, catchers: tuple[Catcher, ...]) -> tuple[int, _Trial]:
    folder = tempfile.TemporaryDirectory(prefix="planted-")
    trial = _Trial(bug, catchers[0], catchers[1:], folder, time.monotonic())
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        _in_fork(trial.output, lambda: trial.catcher.look(bug, trial.report))
    return pid, trial


def _in_fork(output: Path, work: Callable[[], int | None]) -> None:
    """Do it, and end without a word to what the parent had open. The exit code is pytest's."""
    signal.alarm(TIMEOUT_S)
    signal.setitimer(signal.ITIMER_PROF, CPU_S_MAX)
    os.chdir(HERE)
    into = os.open(output, os.O_WRONLY | os.O_CREAT)
    os.dup2(into, 1)
    os.dup2(into, 2)
    code = 1
    try:
        code = work() or 0
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _judged(trial: _Trial, cpu_s: float) -> Result:
    took_s = time.monotonic() - trial.began
    try:
        output = _tail(trial.output)
        if not trial.report.exists():
            why = f"no report, perhaps it took too long: {output}"
            return Result(trial.bug.name, "", "", cpu_s, took_s, why)
        report = json.loads(trial.report.read_text())
        why = _why_not(report, output)
        if why:
            return Result(trial.bug.name, "", "", cpu_s, took_s, why)
        first = report["first"]
        message = f"{first['kind']}: {first['message']}"
        return Result(trial.bug.name, first["test"], message, cpu_s, took_s)
    finally:
        trial.folder.cleanup()


def _why_not(report: Mapping[str, Any], output: str) -> str:
    """Why a bug was not caught: caught is that the changed code ran, and then a test failed for a
    reason of its own."""
    first = report["first"]
    if first is None:
        passed = f"{report['tests']} tests passed; the changed code ran {report['ran']} times"
        return passed if report["tests"] else output
    if first["kind"] in _OWN_FAULTS:
        return f"badly planted: {first['message']}"
    if not (all(report["ran"]) or report["read"]):
        return f"{first['test']} failed, but the changed code ran {report['ran']} times"
    return ""


def _tail(path: Path) -> str:
    return path.read_text(errors="replace")[-OUTPUT_SHOWN_MAX:] if path.exists() else ""
