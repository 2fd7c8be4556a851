"""The rules of restarts: what follows from a death. Pure.

Random kills restart at once: a death counts only if that incarnation got nothing done and no
message is to blame for it. What counts is answered by longer and longer pauses, then by one try
each half minute; a sick actor never takes others with it, and is never given up. Where trying
again could make things worse, or cannot help, the actor is held until people release it.
"""

import signal
from dataclasses import dataclass

BACKOFF_MS_FIRST = 50
BACKOFF_MS_MAX = 5_000
#: More fruitless deaths than this within the window, and the actor is degraded.
DEATHS_MAX = 5
WINDOW_MS = 30_000
DEGRADED_RETRY_MS = 30_000
#: A message that killed this many readers is set aside without being decided; until then its
#: deaths are its own and not the actor's.
POISON_DEATHS = 3
#: Having served this long is something done, even where there was nothing to do.
SETTLED_MS = 1_000
#: 70 corrupt or behind, 73 another writer lives, 74 I/O failed, 78 settings.
HELD_CODES = frozenset({70, 73, 74, 78})


@dataclass(frozen=True, slots=True)
class Death:
    """The end of an incarnation. Times are monotonic milliseconds."""

    code: int  # exit code, or minus the signal
    at_ms: int
    served_ms: int  # when it began to serve; 0: never
    steps: int  # messages it took
    hung: bool = False  # we killed it, because its beat was silent
    poisoned: bool = False  # it died in a message that is not yet set aside

    @property
    def fruitful(self) -> bool:
        """Whether the incarnation got anything done."""
        if not self.served_ms:
            return False
        if self.steps:
            return True
        killed_from_outside = self.code == -signal.SIGKILL and not self.hung
        return killed_from_outside or self.at_ms - self.served_ms >= SETTLED_MS


@dataclass(frozen=True, slots=True)
class History:
    """What is remembered of an actor's deaths."""

    in_a_row: int = 0  # fruitless ones since the last fruitful
    recent_ms: tuple[int, ...] = ()  # when the fruitless ones of the window were
    degraded: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """`up`: start again now; `backoff`, `degraded`: after `wait_ms`; `held`: not by ourselves."""

    state: str
    wait_ms: int = 0


def judge(history: History, death: Death) -> tuple[History, Verdict]:
    """What follows from `death`, and what to remember of it."""
    if death.code in HELD_CODES:
        return history, Verdict("held")
    if death.fruitful:
        return History(), Verdict("up")
    if death.poisoned:
        return history, Verdict("up")
    recent_ms = tuple(at for at in history.recent_ms if death.at_ms - at < WINDOW_MS)
    recent_ms = (*recent_ms[-DEATHS_MAX:], death.at_ms)
    degraded = history.degraded or len(recent_ms) > DEATHS_MAX
    remembered = History(history.in_a_row + 1, recent_ms, degraded)
    if degraded:
        return remembered, Verdict("degraded", DEGRADED_RETRY_MS)
    return remembered, Verdict("backoff", backoff_ms(remembered.in_a_row))


def backoff_ms(deaths: int) -> int:
    """The pause after the `deaths`-th fruitless death in a row, from 1: doubles, capped."""
    return min(BACKOFF_MS_MAX, BACKOFF_MS_FIRST << min(deaths - 1, 10))


def is_poisoned(inflight: str | None, suspect: str | None, deaths: int) -> bool:
    """Whether a death is charged to the message in flight: it is not yet set aside as poison."""
    if inflight is None:
        return False
    return inflight != suspect or deaths < POISON_DEATHS
