"""How business time is moved through what is due: to the next timer, wait until all is done, go on.

    Stillness.look ──still──▶ next_stop ──▶ move the clock there ──▶ Stillness.look ──▶ …

Two ways in which a house is still at a time. Nobody has anything to do: all were at rest together,
and each has looked once more since and found nothing, so that nothing was on its way either.
Or it has work that never ends, such as a shop's: everybody has looked at that time, nothing is due
by it, and that for a while.
Never: moves a clock, or reads a cell.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from payrail.runtime.rests import Rested

#: So long a house with unending work must have had nothing due before it counts as still.
CALM_MS = 3_000
#: A look that began after another one ended is the second one after it.
LOOKS = 2


@dataclass(frozen=True, slots=True)
class Seen:
    """One actor as its cell showed it."""

    epoch: int
    state: str
    rested: Rested
    posts: bool = False  # its errands are deliveries that others' traffic keeps going

    @property
    def is_serving(self) -> bool:
        return self.state == "serving"


def next_stop(seen: Mapping[str, Seen], to_ms: int) -> int:
    """Where the clock goes next on its way to `to_ms`: to the earliest timer of all."""
    due = [one.rested.due_ms for one in seen.values() if one.rested.due_ms is not None]
    return min([to_ms, *due])


def waiting_for(seen: Mapping[str, Seen], at_ms: int) -> Sequence[str]:
    """Who keeps a house from being still at `at_ms`, with the reason."""
    return [f"{name} ({why})" for name, one in seen.items() if (why := _why(one, at_ms))]


class Stillness:
    """Whether a house is still at one business time; asked again and again."""

    def __init__(self, at_ms: int) -> None:
        self._at_ms = at_ms
        self._since: dict[str, Seen] | None = None
        self._calm_since_ms: int | None = None

    def look(self, seen: Mapping[str, Seen], now_ms: int) -> bool:
        """Take in what the cells show at `now_ms`, of any clock that does not go back."""
        return self._is_quiet(seen) or self._is_calm(seen, now_ms)

    def _is_quiet(self, seen: Mapping[str, Seen]) -> bool:
        if any(_why(one, self._at_ms) for one in seen.values()):
            self._since = None
            return False
        since = self._since
        if since is None or any(_has_worked(since.get(name), seen[name]) for name in seen):
            self._since = dict(seen)
            return not seen
        return all(
            one.rested.looks >= since[name].rested.looks + LOOKS for name, one in seen.items()
        )

    def _is_calm(self, seen: Mapping[str, Seen], now_ms: int) -> bool:
        if not all(_is_done(one, self._at_ms) for one in seen.values()):
            self._calm_since_ms = None
            return False
        if self._calm_since_ms is None:
            self._calm_since_ms = now_ms
        return now_ms - self._calm_since_ms >= CALM_MS


def _has_worked(before: Seen | None, now: Seen) -> bool:
    return before is None or (before.epoch, before.rested.worked) != (now.epoch, now.rested.worked)


def _why(one: Seen, at_ms: int) -> str:
    """Why this actor is not at rest at that time; empty when it is."""
    if not one.is_serving:
        return one.state
    if one.rested.errands:
        return "at work beside its mailbox"
    return "" if not one.rested.busy and _has_looked(one, at_ms) else "busy"


def _is_done(one: Seen, at_ms: int) -> bool:
    """Whether nothing was left for it to do at that time but what comes in all the while."""
    return one.is_serving and _has_looked(one, at_ms) and (one.posts or not one.rested.errands)


def _has_looked(one: Seen, at_ms: int) -> bool:
    due_ms = one.rested.due_ms
    return one.rested.looked_ms >= at_ms and (due_ms is None or due_ms > at_ms)
