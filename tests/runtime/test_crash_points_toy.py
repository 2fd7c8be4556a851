"""No moment to die in is a bad one: every step of the toy's life is a crash point."""

from collections.abc import Callable
from contextlib import suppress
from random import Random

import pytest

from payrail.errors import JournalLost
from payrail.runtime import recovery
from payrail.runtime.driver import Driver
from payrail.runtime.mending import BookMend
from payrail.runtime.simfs import SimFile
from payrail.storage.appender import Appender
from tests.runtime.crashpoints import (
    Point,
    errors,
    kills,
    power_cuts,
    steps,
    survive_all,
    survive_twice,
)
from tests.runtime.toy import State
from tests.runtime.toyworld import TOY_LIFE

SEED = 20260209
CALLS = steps(TOY_LIFE)
#: Points are shared out so that several workers may run them.
SHARES = 4


def test_the_life_of_the_toy_touches_every_kind_of_step():
    """What is enumerated is worth it: the scenario appends, syncs, renames, truncates nothing."""
    ops = {call.op for call in CALLS}

    assert len(CALLS) > 100
    assert ops >= {"mkdir", "create", "append", "pwrite", "sync", "sync_folder", "rename"}


@pytest.mark.parametrize("share", range(SHARES))
def test_a_kill_at_any_step_changes_nothing(share: int):
    """Nothing is lost, doubled, contradicted or told too early, whichever step was the last."""
    points = list(kills(CALLS))[share::SHARES]
    survive_all(TOY_LIFE, points)

    assert len(points) > len(CALLS) * 2 // SHARES


@pytest.mark.parametrize("share", range(SHARES))
def test_a_power_cut_at_any_step_changes_nothing(share: int):
    """Whatever legal part of the un-synced survives, what was promised before it stands."""
    survive_all(TOY_LIFE, list(power_cuts(CALLS, SEED))[share::SHARES])


@pytest.mark.parametrize("share", range(SHARES))
def test_an_error_at_any_step_changes_nothing(share: int):
    """One EIO or a disk that is full for a moment, also in the middle of a write."""
    survive_all(TOY_LIFE, list(errors(CALLS))[share::SHARES])


def test_dying_in_recovery_changes_nothing():
    """A second crash at a step of the recovery, sampled over all kinds of first ones."""
    rng = Random(SEED)
    points: list[Point] = [*kills(CALLS), *power_cuts(CALLS, SEED), *errors(CALLS)]
    died = [survive_twice(TOY_LIFE, point, rng) for point in rng.sample(points, 400)]

    assert died.count(True) > 300


def tell_before_fsync(self: Driver[State]) -> bool:
    items = self.intake.collect()
    effects = self.loop.take(items, self.world.clock.now())
    self._pending = self.loop.synced()
    self.flush()
    self._durable(effects)
    return bool(items)


def sync_all_but_people(self: SimFile) -> None:
    if "hand.jsonl" not in self._path:
        SYNC(self)


def sync_what_can_be(self: Driver[State]) -> None:
    with suppress(JournalLost):
        SYNC_DERIVED(self)


SYNC = SimFile.sync
SYNC_DERIVED = Driver._sync_derived
PLANTED: dict[str, tuple[object, str, Callable[..., object]]] = {
    "tells before the fsync": (Driver, "turn", tell_before_fsync),
    "trusts a tail that it read": (recovery, "make_durable_again", lambda *_: None),
    "leaves books as they are": (BookMend, "mend", lambda _: False),
    "sends nothing again": (recovery, "owed", lambda _: []),
    "goes on after a failed sync": (Driver, "_sync_derived", sync_what_can_be),
    "snapshots before the books are synced": (Appender, "sync", lambda _: None),
    "does not sync what people wrote": (SimFile, "sync", sync_all_but_people),
    "goes on in a torn line": (Appender, "end_line", lambda _: None),
}


@pytest.mark.parametrize("bug", PLANTED)
def test_a_planted_bug_is_caught(bug: str, monkeypatch: pytest.MonkeyPatch):
    """The enumeration can fail: each of these runtimes loses, doubles or contradicts something."""
    monkeypatch.setattr(*PLANTED[bug])
    calls = steps(TOY_LIFE)
    points = [*errors(calls), *power_cuts(calls, SEED), *kills(calls)]

    with pytest.raises(AssertionError, match="after "):
        survive_all(TOY_LIFE, points)
