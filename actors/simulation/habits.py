"""How much the actors of one run do at a time: what in life takes a long day shows in a short run.

Never: anything that an actor could not be set to.
"""

from actors.simulation.schedule import chance
from payrail.runtime.intake import TURN_BYTES
from payrail.storage.spool import ROTATE_BYTES

#: Drained spools are moved away at one of these sizes: as in life, where no short run comes to it,
#: or so early that every run comes to it.
ROTATIONS_BYTES = (ROTATE_BYTES, 1, 4_096)
#: So much is taken from each sender in one turn: as in life, where no backlog of a short run is
#: longer, or a line or two, so that others wait behind them.
TURNS_BYTES = (TURN_BYTES, TURN_BYTES, TURN_BYTES, 2_000, 2)


def habits_of(seed: int) -> tuple[int, int]:
    """(bytes at which a drained spool is moved away, bytes taken from each sender in a turn)."""
    rotate_bytes = chance(seed, "rotation").choice(ROTATIONS_BYTES)
    return rotate_bytes, chance(seed, "turns of bytes").choice(TURNS_BYTES)


def drops_of(seed: int) -> bool:
    """Whether what a failed sync loses can be read no more, as some file systems have it; on others
    it can be read until the power goes."""
    return chance(seed, "disk").random() < 0.5


def cuts_of(seed: int) -> float:
    """At which share of effects somebody else has a turn in between: processes run side by side."""
    return chance(seed, "cuts").choice((0.0, 0.005, 0.05))
