"""Judge a world at rest: which invariants there are, and what they say of it."""

from actors.simulation.sound import must_be_sound
from actors.simulation.world import World


def judged(world: World) -> list[str]:
    """What does not hold, as sentences; empty: all does."""
    try:
        must_be_sound(world.house)
    except AssertionError as error:
        return [f"the house is not sound: {error}"]
    return []


def checked() -> list[str]:
    """The invariants that each run is checked for."""
    return ["sound at rest"]


def waiting() -> list[str]:
    """Those that wait for something to be built."""
    return []
