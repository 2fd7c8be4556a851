"""System calls that fail in a running actor: a sample of what `tests.disks.syscalls` does."""

from pathlib import Path

import pytest

from tests.disks.syscalls import FAULTS, Order, run

#: Those that hold the books: one of them decides, one hides the cards, one moves the money.
ACTORS = ("gateway", "vault", "provider-a")
SAMPLE = tuple(
    fault
    for fault in FAULTS
    if fault.name
    in (
        "EIO at fdatasync",
        "ENOSPC at pwrite",
        "short pwrite",
        "SIGKILL at pwrite",
        "SIGKILL at fdatasync",
    )
)


@pytest.mark.chaos
@pytest.mark.timeout(900)
async def test_no_failing_system_call_loses_or_doubles_a_payment(tmp_path: Path):
    """The first and the third write or sync of an actor fails, comes up short or is its last: the
    payment under way becomes final once, and the files are whole afterwards."""
    outcome = await run(Order(actors=ACTORS, faults=SAMPLE, most=3, every=2), tmp_path)
    print(outcome.text())

    assert outcome.wrong == []
    assert set(outcome.hits) == {(actor, fault.name) for actor in ACTORS for fault in SAMPLE}
    assert outcome.released.total() >= len(ACTORS)  # a lost fsync is never tried again by itself
    assert outcome.restarts >= len(ACTORS) * 3
