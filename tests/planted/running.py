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

import actors
import payrail
from tests.planted.edits import HERE
from tests.planted.planted import Catcher, Planted

#: A catcher that takes longer than this has caught nothing.
TIMEOUT_S = 150
OUTPUT_SHOWN_MAX = 800
#: Errors that tell of a bug that was planted badly, and not of one that was caught.
_OWN_FAULTS = ("NameError", "SyntaxError", "ImportError", "ModuleNotFoundError", "StaleEdit")


@dataclass(frozen=True, slots=True)
class Result:
    """`by` and `message` are empty when nothing noticed; `why` then says what there was instead."""

    bug: str
    by: str
    message: str
    took_s: float
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


def all_tried(bugs: Sequence[Planted], jobs: int) -> Iterator[Result]:
    """The result of each bug: the first of its catchers that noticed, or what the last one said."""
    load_product()
    waiting = deque((bug, bug.caught_by) for bug in bugs)
    running: dict[int, _Trial] = {}
    while waiting or running:
        while waiting and len(running) < jobs:
            bug, catchers = waiting.popleft()
            running |= dict([_begun(bug, catchers)])
        pid, _ = os.wait()
        trial = running.pop(pid)
        result = _judged(trial)
        if result.is_caught or not trial.left:
            yield result
        else:
            waiting.appendleft((trial.bug, trial.left))


def load_product() -> None:
    """Import every module of the product, so that forks need not."""
    for package in (payrail, actors):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith("__main__"):
                importlib.import_module(found.name)


def _begun(bug: Planted, catchers: tuple[Catcher, ...]) -> tuple[int, _Trial]:
    folder = tempfile.TemporaryDirectory(prefix="planted-")
    trial = _Trial(bug, catchers[0], catchers[1:], folder, time.monotonic())
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        _in_fork(trial, lambda: trial.catcher.look(bug, trial.report))
    return pid, trial


def _in_fork(trial: _Trial, work: Callable[[], object]) -> None:
    """Do it, and end without a word to what the parent had open."""
    signal.alarm(TIMEOUT_S)
    os.chdir(HERE)
    output = os.open(trial.output, os.O_WRONLY | os.O_CREAT)
    os.dup2(output, 1)
    os.dup2(output, 2)
    try:
        work()
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _judged(trial: _Trial) -> Result:
    took_s = time.monotonic() - trial.began
    try:
        if trial.report.exists():
            return _read(trial.bug, json.loads(trial.report.read_text()), took_s, trial.output)
        return Result(trial.bug.name, "", "", took_s, _tail(trial.output) or "it took too long")
    finally:
        trial.folder.cleanup()


def _read(bug: Planted, report: Mapping[str, Any], took_s: float, output: Path) -> Result:
    """Caught is: the changed code ran, and then a test failed for a reason of its own."""
    first = report["first"]
    if first is None:
        why = f"{report['tests']} tests passed; the changed code ran {report['ran']} times"
        return Result(bug.name, "", "", took_s, why if report["tests"] else _tail(output))
    if first["kind"] in _OWN_FAULTS:
        return Result(bug.name, "", "", took_s, f"badly planted: {first['message']}")
    if not (all(report["ran"]) or report["read"]):
        why = f"{first['test']} failed, but the changed code ran {report['ran']} times"
        return Result(bug.name, "", "", took_s, why)
    message = f"{first['kind']}: {first['message']}"
    return Result(bug.name, first["test"], message, took_s)


def _tail(path: Path) -> str:
    return path.read_text(errors="replace")[-OUTPUT_SHOWN_MAX:] if path.exists() else ""
