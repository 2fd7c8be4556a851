"""Who holds a card in clear leaves no core behind."""

import resource
import subprocess
import sys

ASKED = """
import resource
from pathlib import Path
from payrail.security.dumps import no_core_dumps
no_core_dumps()
filter = Path("/proc/self/coredump_filter")
kept = int(filter.read_text(), 16) if filter.exists() else 0
print(resource.getrlimit(resource.RLIMIT_CORE), kept)
"""


def test_a_process_that_asked_for_it_leaves_no_core():
    """No core file, and where the kernel pipes cores to a program, none with memory in it; whoever
    has not asked keeps what it had."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    ran = subprocess.run(
        [sys.executable, "-c", ASKED], capture_output=True, text=True, check=True, timeout=60
    )

    assert ran.stdout.strip() == "(0, 0) 0"
    assert resource.getrlimit(resource.RLIMIT_CORE) == before
