"""A process that holds cards in clear for a moment leaves none of them behind when it crashes.

Never: keeps a debugger out; whoever may attach to the process may read it.
"""

import os
import resource
from contextlib import suppress

#: Of what the kernel writes into a core: nothing. For those kernels that pipe cores to a program,
#: and then ask for no size. Source: core(5).
_FILTER = "/proc/self/coredump_filter"


def no_core_dumps() -> None:
    """From now on this process, and what it starts, leaves no core; without effect where there is
    no such thing."""
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError):
        handle = os.open(_FILTER, os.O_WRONLY)
        try:
            os.write(handle, b"0")
        finally:
            os.close(handle)
