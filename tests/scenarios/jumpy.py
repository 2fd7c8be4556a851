"""A house on a machine whose wall clock can be set: `CLOCK_AHEAD_FILE` holds seconds.

`python -m tests.scenarios.jumpy` runs it like `payrail up --demo`. Nothing of the house differs; in
its processes `time.time_ns` reads the file, as if somebody had set the machine's clock.
"""

import asyncio
import os
import time
from pathlib import Path

from actors import wiring
from payrail.runtime.supervisor import Supervisor

_real_ns = time.time_ns
build, preload = wiring.build, wiring.preload


def _set_ns() -> int:
    ahead_s = int(Path(os.environ["CLOCK_AHEAD_FILE"]).read_text() or 0)
    return _real_ns() + ahead_s * 1_000_000_000


time.time_ns = _set_ns

if __name__ == "__main__":
    house = Supervisor(
        os.environ["PAYRAIL_HOME"], wiring.NAMES, "tests.scenarios.jumpy:build", {"demo": True}
    )
    asyncio.run(house.run())
