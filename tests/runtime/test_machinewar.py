"""Whatever goes wrong with a machine, an actor takes each message once and keeps its promises."""

from collections import Counter

import pytest

from tests.runtime.machinetown import Town
from tests.runtime.machinewar import War

SEEDS, TOWNS = 60, 25


def test_nothing_is_lost_or_done_twice_whatever_goes_wrong():
    """Kills, hangs, stops, power cuts, failing calls, clocks and bells, over many seeds; each kind
    of blow really fell."""
    fired: Counter[str] = Counter()
    for seed in range(SEEDS):
        try:
            fired.update(War(seed).fight().peace().fired)
        except Exception as error:
            raise AssertionError(f"seed {seed}") from error

    assert min(fired.values()) >= SEEDS // 10, fired
    assert {"cut", "jump", "message kill", "message hang", "EIO", "ENOSPC", "torn"} <= set(fired)


@pytest.mark.parametrize("seed", [3, 14])
def test_the_same_seed_leaves_the_same_bytes(seed: int):
    """A simulated machine has no chance, time or order of its own."""
    assert War(seed).fight().peace().trace == War(seed).fight().peace().trace


def test_a_town_at_war_loses_nothing_on_the_way():
    """Three actors, their channels, a followed book and errands: each line arrives once, in order,
    although every few lines a spool is moved away."""
    moved = 0
    for seed in range(TOWNS):
        try:
            town = Town(seed).fight().peace()
        except Exception as error:
            raise AssertionError(f"seed {seed}") from error
        moved += any("/old/" in name for name in town.machine.disk.names)

    assert moved >= TOWNS // 2
