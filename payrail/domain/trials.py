"""How well charges do at each provider, and a canary that gives up by itself.

An answer is the issuer's word: authorized or declined. What a provider refused or never said is
the breaker's affair and no answer. Never: chooses a provider (`payrail.domain.routing`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec import Struct, structs

from payrail.domain.breaker import Breaker
from payrail.domain.timestamps import iso

ROLLED_BACK = "provider.canary_rolled_back"
#: How many answers of a provider are remembered. Source: research/payments.md 3.8.
RECENT_MAX = 125
#: A rate says little about fewer.
RECENT_MIN = 20
PERCENT = 100
_BASIS_POINTS = 10_000


@dataclass(frozen=True, slots=True)
class Standing:
    """How the providers stand, by their names: breakers, and the last answers."""

    breakers: Mapping[str, Breaker] = field(default_factory=dict)
    answers: Mapping[str, str] = field(default_factory=dict)


class Tally(Struct):
    """Answers, and how many of them were good."""

    answered: int = 0
    authorized: int = 0

    def note(self, authorized: bool) -> None:
        self.answered += 1
        self.authorized += authorized


class Canary(Struct):
    """A share of payments that tries a provider, and what came of it since it was set."""

    provider: str
    percent: int
    answers_min: int  # of each side, before anything is made of them
    points_max: int  # percentage points below the others at which it ends
    own: Tally = msgspec.field(default_factory=Tally)
    others: Tally = msgspec.field(default_factory=Tally)
    rolled_back_ms: int | None = None  # business time

    def is_set_as(self, other: "Canary | None") -> bool:
        """Whether people asked for the same: then it goes on, and stays ended if it is."""
        return other is not None and _asked(self) == _asked(other)

    def note(self, provider: str, *, authorized: bool) -> None:
        (self.own if provider == self.provider else self.others).note(authorized)

    @property
    def must_end(self) -> bool:
        """Whether it does so much worse than the others that it ends."""
        own, others = self.own, self.others
        if min(own.answered, others.answered) < max(1, self.answers_min):
            return False
        ours = PERCENT * own.authorized * others.answered
        theirs = (PERCENT * others.authorized - self.points_max * others.answered) * own.answered
        return self.rolled_back_ms is None and ours < theirs


def noted(recent: str, *, authorized: bool) -> str:
    """The last answers of a provider with one more, oldest first: 1 was good, 0 was not."""
    return (recent + "01"[authorized])[-RECENT_MAX:]


def tally_of(recent: str) -> Tally:
    return Tally(len(recent), recent.count("1"))


def best_first(order: Sequence[str], recent: Mapping[str, str]) -> tuple[str, ...]:
    """By the share of good answers. The order stays while one has too few to tell."""
    tallies = {name: tally_of(recent.get(name, "")) for name in order}
    if any(tally.answered < RECENT_MIN for tally in tallies.values()):
        return tuple(order)
    return tuple(sorted(order, key=lambda name: -_rate(tallies[name])))


def copied(canary: Canary) -> Canary:
    """A copy to try things with."""
    return structs.replace(
        canary, own=structs.replace(canary.own), others=structs.replace(canary.others)
    )


def shown(canary: Canary | None, provider: str) -> dict[str, Any] | None:
    """The canary as people see it at its provider; None at the others."""
    if canary is None or canary.provider != provider:
        return None
    ended = canary.rolled_back_ms
    return {
        "percent": canary.percent if ended is None else 0,
        "percent_asked": canary.percent,
        "answers_min": canary.answers_min,
        "points_max": canary.points_max,
        "rolled_back_at": None if ended is None else iso(ended),
    }


def _asked(canary: Canary) -> tuple[str, int, int, int]:
    return canary.provider, canary.percent, canary.answers_min, canary.points_max


def _rate(tally: Tally) -> int:
    return _BASIS_POINTS * tally.authorized // tally.answered
