"""Judge a world at rest: which invariants there are, and what they say of it."""

from actors.simulation.invariants import ALL, WAITING, check_all
from actors.simulation.world import World


def judged(world: World) -> list[str]:
    """What does not hold, as sentences; empty: all does."""
    findings = check_all(world.evidence())
    return str(findings).splitlines() if findings else []


def checked() -> list[str]:
    """The invariants that each run is checked for."""
    return [f"{one.id} {one.title}" for one in ALL]


def waiting() -> list[str]:
    """Those that wait for something to be built."""
    return [f"{one.id} {one.title}: {one.reason}" for one in WAITING]
