"""A house on a machine whose wall clock can be set: `CLOCK_AHEAD_FILE` holds seconds.

`python -m actors.cli.chaos.jumpy up --demo` runs it as `payrail up --demo` does. Nothing of the
house differs; in its processes `time.time_ns` reads the file, as if somebody had set the machine's
clock.
"""

import os
import sys
import time
from pathlib import Path

from actors import wiring

AHEAD_FILE = "CLOCK_AHEAD_FILE"
_real_ns = time.time_ns
build, preload = wiring.build, wiring.preload


def _set_ns() -> int:
    ahead_s = int(Path(os.environ[AHEAD_FILE]).read_text() or 0)
    return _real_ns() + ahead_s * 1_000_000_000


time.time_ns = _set_ns

if __name__ == "__main__":
    from actors.cli.main import run

    wiring.BUILD = "actors.cli.chaos.jumpy:build"
    sys.exit(run())
