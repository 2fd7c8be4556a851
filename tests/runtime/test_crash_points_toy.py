"""No moment to die in is a bad one: every step of the toy's life is a crash point."""

from random import Random

import pytest

from tests.runtime.crashpoints import (
    Point,
    errors,
    kills,
    power_cuts,
    steps,
    survive,
    survive_twice,
)
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
    for point in points:
        survive(TOY_LIFE, point)

    assert len(points) > len(CALLS) * 2 // SHARES


@pytest.mark.parametrize("share", range(SHARES))
def test_a_power_cut_at_any_step_changes_nothing(share: int):
    """Whatever legal part of the un-synced survives, what was promised before it stands."""
    for point in list(power_cuts(CALLS, SEED))[share::SHARES]:
        survive(TOY_LIFE, point)


@pytest.mark.parametrize("share", range(SHARES))
def test_an_error_at_any_step_changes_nothing(share: int):
    """One EIO or a disk that is full for a moment, also in the middle of a write."""
    for point in list(errors(CALLS))[share::SHARES]:
        survive(TOY_LIFE, point)


def test_dying_in_recovery_changes_nothing():
    """A second crash at a step of the recovery, sampled over all kinds of first ones."""
    rng = Random(SEED)
    points: list[Point] = [*kills(CALLS), *power_cuts(CALLS, SEED), *errors(CALLS)]
    died = [survive_twice(TOY_LIFE, point, rng) for point in rng.sample(points, 400)]

    assert died.count(True) > 300
