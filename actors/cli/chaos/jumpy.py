"""A house on a machine whose wall clock can be set: `CLOCK_AHEAD_FILE` holds seconds.

`python -m actors.cli.chaos.jumpy up --demo` runs it as `payrail up --demo` does. Nothing of the
house differs; in its processes `time.time_ns` reads the file, as if somebody had set the machine's
clock. Importing this room changes no clock.
"""

import os
import sys
import time
from pathlib import Path
from typing import Any

from actors import wiring
from payrail.runtime.control import Resident

AHEAD_FILE = "CLOCK_AHEAD_FILE"
preload = wiring.preload
_real_ns = time.time_ns


def build(name: str, home: str, options: dict[str, Any]) -> Resident:
    """As `wiring.build`, in a process whose clock can be set."""
    _set_by_file()
    return wiring.build(name, home, options)


def _set_by_file() -> None:
    time.time_ns = _set_ns


def _set_ns() -> int:
    ahead_s = int(Path(os.environ[AHEAD_FILE]).read_text() or 0)
    return _real_ns() + ahead_s * 1_000_000_000


if __name__ == "__main__":
    from actors.cli.main import run

    _set_by_file()
    wiring.BUILD = "actors.cli.chaos.jumpy:build"
    sys.exit(run())
