"""The breaker of one provider: when it is left alone, and when it is tried again.

    CLOSED ──five failures in a row, or half of twenty calls──▶ OPEN ◀──one failure── HALF_OPEN
       ▲                                                         └──its pause is over──▶ │
       └──────────────────────────── five good calls ────────────────────────────────────┘

A failure is technical: a safe refusal, an ambiguous answer, a timeout. A decline is the issuer's
word and counts for nothing, neither as failure nor as good. All times are business time.
Never: reads a clock, decides which provider is called (`actors.gateway.routing`).
"""

from enum import StrEnum
from typing import Any

from msgspec import Struct, structs

from payrail.domain.timestamps import iso

FAILURES_IN_A_ROW = 5
WINDOW_S = 60
#: A share says little about a handful of calls.
WINDOW_CALLS_MIN = 20
PAUSE_MS, PAUSE_MS_MAX = 30_000, 600_000
#: While HALF_OPEN, one of so many charges is let through, the first of them at once.
PROBE_EVERY = 10
GOOD_TO_CLOSE = 5


class BreakerState(StrEnum):
    CLOSED = "CLOSED"
    OPEN = "OPEN"
    HALF_OPEN = "HALF_OPEN"


_S = BreakerState
#: How a provider is, as far as its breaker knows.
HEALTH = {_S.CLOSED: "up", _S.HALF_OPEN: "degraded", _S.OPEN: "down"}
OPENED, HALF_OPENED, CLOSED = "provider.breaker_opened", "provider.half_opened", "provider.closed"

# Every move of a breaker is in this table. A pair that is missing does not happen.
BREAKER_TRANSITIONS: dict[tuple[BreakerState, str], BreakerState] = {
    (_S.CLOSED, OPENED): _S.OPEN,
    (_S.OPEN, HALF_OPENED): _S.HALF_OPEN,
    (_S.HALF_OPEN, OPENED): _S.OPEN,
    (_S.HALF_OPEN, CLOSED): _S.CLOSED,
}


class Second(Struct):
    """The calls that ended within one second."""

    at_s: int
    calls: int = 0
    failed: int = 0


class Breaker(Struct):
    """What is remembered of one provider. Mutable: `note`, `offer` and `move` change it."""

    state: BreakerState = BreakerState.CLOSED
    in_a_row: int = 0  # failures since the last good call
    window: list[Second] = []  # oldest first, at most WINDOW_S of them
    openings: int = 0  # since it was closed last: each doubles the pause
    opened_ms: int | None = None
    probe_ms: int | None = None  # when the pause ends, while OPEN
    offered: int = 0  # charges that came by while HALF_OPEN
    good: int = 0  # good calls while HALF_OPEN
    moves: int = 0  # entries folded
    rollbacks: int = 0  # entries folded that end a canary there, and move no breaker

    def counts(self, now_ms: int) -> tuple[int, int]:
        """(calls, failures) of the last WINDOW_S seconds."""
        recent = [second for second in self.window if second.at_s > now_ms // 1000 - WINDOW_S]
        return sum(second.calls for second in recent), sum(second.failed for second in recent)

    @property
    def entries(self) -> int:
        return self.moves + self.rollbacks

    @property
    def pause_ms(self) -> int:
        """How long it stays open when it opens next."""
        return min(PAUSE_MS_MAX, PAUSE_MS << min(self.openings, 10))

    @property
    def lets_through(self) -> bool:
        """Whether a charge that comes by now may be tried there."""
        if self.state is _S.HALF_OPEN:
            return self.offered % PROBE_EVERY == 0
        return self.state is _S.CLOSED


def copied(breaker: Breaker) -> Breaker:
    """A copy to try things with."""
    return structs.replace(breaker, window=[structs.replace(second) for second in breaker.window])


def note(breaker: Breaker, now_ms: int, *, failed: bool) -> None:
    """Fold one call that ended. While OPEN, what was on its way says nothing new."""
    if breaker.state is _S.OPEN:
        return
    breaker.in_a_row = breaker.in_a_row + 1 if failed else 0
    if breaker.state is _S.HALF_OPEN:
        breaker.good = 0 if failed else breaker.good + 1
        return
    now_s = now_ms // 1000
    breaker.window = [second for second in breaker.window if second.at_s > now_s - WINDOW_S]
    if not breaker.window or breaker.window[-1].at_s < now_s:
        breaker.window.append(Second(now_s))
    breaker.window[-1].calls += 1
    breaker.window[-1].failed += failed


def offer(breaker: Breaker) -> None:
    """Fold one charge that came by while HALF_OPEN, let through or not."""
    breaker.offered += 1


def verdict(breaker: Breaker, now_ms: int) -> str | None:
    """The move that follows after a call was noted; None: it stays as it is."""
    if breaker.state is _S.HALF_OPEN:
        if breaker.in_a_row:
            return OPENED
        return CLOSED if breaker.good >= GOOD_TO_CLOSE else None
    if breaker.state is _S.OPEN or not breaker.in_a_row:
        return None  # a good call never opens
    calls, failures = breaker.counts(now_ms)
    too_many = calls >= WINDOW_CALLS_MIN and 2 * failures >= calls
    return OPENED if too_many or breaker.in_a_row >= FAILURES_IN_A_ROW else None


def move(breaker: Breaker, entry_type: str, *, at_ms: int = 0, probe_ms: int = 0) -> None:
    """Fold a move. Raises ValueError for one that is not in the table: the book is damaged."""
    state = BREAKER_TRANSITIONS.get((breaker.state, entry_type))
    if state is None:
        raise ValueError(f"{entry_type} cannot follow {breaker.state}")
    openings = breaker.openings + 1 if state is _S.OPEN else breaker.openings
    breaker.state, breaker.moves = state, breaker.moves + 1
    breaker.offered = breaker.good = 0
    breaker.openings = 0 if state is _S.CLOSED else openings
    breaker.probe_ms = probe_ms if state is _S.OPEN else None
    if state is _S.OPEN:
        breaker.opened_ms = at_ms  # what opened it stays to be seen until it is tried again
        return
    breaker.in_a_row, breaker.window = 0, []
    if state is _S.CLOSED:
        breaker.opened_ms = None


def shown(breaker: Breaker, now_ms: int) -> dict[str, Any]:
    """The breaker as people see it."""
    calls, failures = breaker.counts(now_ms)
    return {
        "state": breaker.state.value,
        "opened_at": _iso(breaker.opened_ms),
        "window": {
            "seconds": WINDOW_S,
            "calls": calls,
            "failures": failures,
            "failures_in_a_row": breaker.in_a_row,
        },
        "next_probe_at": _iso(breaker.probe_ms),
    }


def _iso(at_ms: int | None) -> str | None:
    return None if at_ms is None else iso(at_ms)
