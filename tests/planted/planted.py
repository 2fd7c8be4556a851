"""What a planted bug is: its name, what it breaks, how it is planted, and by whom it is caught."""

import importlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.planted.edits import Change, Ran

#: How the simulator's verdict begins where a test has its place.
SEED = "simulate --seed "
#: Words for pytest in a fork: it keeps nothing, and imports nothing that no test here needs.
QUIET: tuple[str, ...] = (
    *("-q", "--tb=short", "-p", "no:cacheprovider", "-p", "no:schemathesis"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
)


class Catcher(Protocol):
    """Somebody who looks at the product with a bug in it."""

    def look(self, bug: "Planted", report: Path) -> None:
        """Plant the bug in this process and look; write what came of it into `report`."""


@dataclass(frozen=True, slots=True)
class NamedTests:
    """Tests of this tree; the first that fails has caught the bug. `pick` is pytest's `-k`."""

    nodes: tuple[str, ...]
    pick: str = ""

    def look(self, bug: "Planted", report: Path) -> None:
        """See Catcher. The same by hand: `pytest -p tests.planted.plugin --plant NAME NODES`."""
        plugin = importlib.import_module("tests.planted.plugin")
        words = [*QUIET, "-x", "--plant", bug.name, "--plant-report", str(report), *self.nodes]
        pytest.main([*words, *(["-k", self.pick] if self.pick else [])], plugins=[plugin])

    def __str__(self) -> str:
        return self.nodes[0].removeprefix("tests/") + (f" -k {self.pick!r}" if self.pick else "")


@dataclass(frozen=True, slots=True)
class Simulated:
    """The simulator: the first of so many seeds that fails has caught the bug."""

    seeds: int

    def look(self, bug: "Planted", report: Path) -> None:
        """See Catcher. The first disk is made with the bug in it, as the first day of a house."""
        run = importlib.import_module("actors.simulation.run").run
        with bug.plant() as ran:
            seed, first = 0, None
            while first is None and seed < self.seeds:
                seed += 1
                first = _failure(run, seed)
        told = {"first": first, "tests": seed, "ran": [one.times for one in ran], "read": False}
        report.write_text(json.dumps(told))

    def __str__(self) -> str:
        return f"simulate --runs {self.seeds}"


def _failure(run: Callable[[int], Any], seed: int) -> dict[str, str] | None:
    try:
        failures = run(seed).failures
    except Exception as error:  # the first day, before any seed begins
        failures = (f"{type(error).__name__}: {error}",)
    if not failures:
        return None
    words = " ".join(" ".join(failures).split())
    return {"test": f"{SEED}{seed}", "kind": "found", "message": words[:300]}


def seen_by(*nodes: str, pick: str = "") -> NamedTests:
    """Tests by their places below `tests/`."""
    return NamedTests(tuple(f"tests/{node}" for node in nodes), pick)


@dataclass(frozen=True, slots=True)
class Planted:
    """One bug. `caught_by`: the quickest first. `faults_only`: without crashes, faults or crossings
    nobody would notice, so that a simulator should."""

    name: str
    breaks: str
    changes: tuple[Change, ...]
    caught_by: tuple[Catcher, ...]
    faults_only: bool = False

    @contextmanager
    def plant(self) -> Iterator[Sequence[Ran]]:
        """The product with this bug in it, until the end of the block."""
        with ExitStack() as stack:
            yield [stack.enter_context(change.planted()) for change in self.changes]


Bugs = Mapping[str, Sequence[Planted]]
