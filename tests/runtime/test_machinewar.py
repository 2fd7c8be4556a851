"""Whatever goes wrong with a machine, an actor takes each message once and keeps its promises."""

from collections import Counter

import pytest

from tests.runtime.machinewar import War

SEEDS = 100


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
