"""What a planted bug is: its name, what it breaks, how it is planted, and by whom it is caught."""

import importlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

from tests.planted.edits import Change, Ran

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
class Tests:
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


def seen_by(*nodes: str, pick: str = "") -> Tests:
    """Tests by their places below `tests/`."""
    return Tests(tuple(f"tests/{node}" for node in nodes), pick)


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
