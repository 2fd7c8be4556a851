"""Run any test with a bug in the product: `pytest -p tests.planted.plugin --plant NAME node …`.

The bug is planted before the first test module is imported and stays to the end. `--plant-report`
names a file for what came of it.
"""

import json
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.planted import sources
from tests.planted.bugs import NAMED
from tests.planted.edits import Ran

_STATE = pytest.StashKey["Planting"]()
#: Words of an error kept for the table.
WORDS_MAX = 300


class Planting:
    """One bug in this process, and the first test that noticed."""

    def __init__(self, name: str) -> None:
        self.stack = ExitStack()
        self.bug = NAMED[name]
        self.ran: list[Ran] = list(self.stack.enter_context(self.bug.plant()))
        self.stack.enter_context(sources.changed(self.bug.changes))
        self.first: dict[str, Any] | None = None
        self.tests = 0

    def report(self) -> dict[str, Any]:
        """What came of it; `ran` says how often each changed function was called."""
        ran = [ran.times for ran in self.ran]
        return {"first": self.first, "tests": self.tests, "ran": ran, "read": sources.was_read()}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--plant", help="name of the bug to plant")
    parser.addoption("--plant-report", help="file for what came of it")


def pytest_configure(config: pytest.Config) -> None:
    name = config.getoption("--plant")
    if name is not None:
        config.stash[_STATE] = Planting(name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Any, Any]:
    report = yield
    planting = item.config.stash.get(_STATE, None)
    if planting is not None:
        planting.tests += call.when == "call"
        if report.failed and planting.first is None and call.excinfo is not None:
            planting.first = {"test": item.nodeid, **_told(call.excinfo)}
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Any, Any]:
    """A module that lives through its scene while it is imported notices there."""
    report = yield
    planting = collector.config.stash.get(_STATE, None)
    call = getattr(report, "call", None)
    if planting is not None and report.failed and planting.first is None and call is not None:
        planting.first = {"test": collector.nodeid, **_told(call.excinfo)}
    return report


def _told(excinfo: pytest.ExceptionInfo[BaseException]) -> dict[str, str]:
    words = " ".join(str(excinfo.value).split())
    return {"kind": excinfo.typename, "message": words[:WORDS_MAX]}


def pytest_unconfigure(config: pytest.Config) -> None:
    planting = config.stash.get(_STATE, None)
    if planting is None:
        return
    where = config.getoption("--plant-report")
    if where:
        Path(where).write_text(json.dumps(planting.report()))
    planting.stack.close()
