"""The stories: what anyone must be able to see, played in a house of their own and checked.

A story is `async def play(checks)`: it starts its own house, tells each check as it goes, and goes
on after one that fails where it can. The command line and the tests play the same ones.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass

NAMES = (
    *("chargeback", "duplicate", "kill", "late-approval", "mismatch", "outage"),
    "token-audit",
)


@dataclass(frozen=True, slots=True)
class Check:
    fact: str
    holds: bool
    seen: str  # what was seen instead, when it does not hold


class Checks:
    """The list of what was checked. `told` gets a line for each."""

    def __init__(self, told: Callable[[str], None] = lambda _line: None) -> None:
        self._told = told
        self.done: list[Check] = []

    @property
    def good(self) -> bool:
        return bool(self.done) and all(check.holds for check in self.done)

    @property
    def failed(self) -> list[Check]:
        return [check for check in self.done if not check.holds]

    def that(self, fact: str, holds: object, seen: object = "") -> bool:
        """Check one fact; result: whether it holds."""
        check = Check(fact, bool(holds), "" if holds else str(seen))
        self.done.append(check)
        self._told(f"  {'✓' if check.holds else '✗'} {fact}")
        if check.seen:
            self._told(f"      seen: {check.seen}")
        return check.holds


async def play(name: str, checks: Checks) -> None:
    """Play the story of that name. A story that cannot go on is a failed check."""
    module = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
    try:
        await module.play(checks)
    except Exception as error:  # A story ends here, whatever happened to it.
        checks.that("the story comes to its end", False, f"{type(error).__name__}: {error}")
