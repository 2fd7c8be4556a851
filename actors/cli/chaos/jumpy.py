"""A house on a machine whose wall clock can be set: `CLOCK_AHEAD_FILE` holds seconds.

`python -m actors.cli.chaos.jumpy up --demo` runs it as `payrail up --demo` does. Nothing of the
house differs; below its clocks the wall clock is ahead by what the file says, as if somebody had
set the machine's.
"""

import os
import sys
from pathlib import Path
from typing import Any

from actors import wiring
from payrail.runtime.clocks import MachineTicks
from payrail.runtime.control import Resident

AHEAD_FILE = "CLOCK_AHEAD_FILE"
preload = wiring.preload


class _SetTicks(MachineTicks):
    """The machine's clocks, the wall clock set by the file."""

    def __init__(self, ahead_file: str) -> None:
        self._ahead_file = Path(ahead_file)

    def wall_ms(self) -> int:
        return super().wall_ms() + int(self._ahead_file.read_text() or 0) * 1_000


def build(name: str, home: str, options: dict[str, Any]) -> Resident:
    """As `wiring.build`, over a wall clock that can be set."""
    return wiring.build(name, home, options, _SetTicks(os.environ[AHEAD_FILE]))


if __name__ == "__main__":
    from actors.cli.main import run

    wiring.BUILD = "actors.cli.chaos.jumpy:build"
    sys.exit(run())
