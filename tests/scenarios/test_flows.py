"""Every flow of the simulation does what it says, mostly also when things go wrong beside it."""

from collections import Counter
from dataclasses import replace

import pytest

from actors.simulation.flows import FLOWS
from actors.simulation.flows.people import MISMATCHES
from actors.simulation.flows.races import RACES
from actors.simulation.run import plan_of, run_plan
from actors.simulation.schedule import CURRENCIES, MERCHANTS, Plan, Wish, chance
from tests.scenarios.alone import alone

SCHEDULES = 60
#: Of one schedule; it has the restart and the faults of its seed.
WISHES = 6
#: How a flow ends when a drill declines a charge, or has it given up in doubt.
REFUSED = (" 402", " 409")
#: So many of those that nobody refuses must come to their end.
DONE_MIN = 0.6
NAMES = tuple(FLOWS)


def mixed(seed: int) -> Plan:
    """A schedule in which each flow has its turn, with the faults of its seed."""
    own = chance(seed, "mixed")
    wishes = tuple(
        Wish(
            number=101 + place,
            flow=NAMES[(seed * WISHES + place) % len(NAMES)],
            merchant=MERCHANTS[place % 2],
            amount_minor=own.randint(200, 90_000),
            currency=own.choice(CURRENCIES),
            at_ms=own.randint(0, 50),
            clicks_twice=own.random() < 0.1,
            choice=own.getrandbits(30),
        )
        for place in range(WISHES)
    )
    return replace(plan_of(seed), wishes=wishes)


@pytest.mark.timeout(900)
def test_each_flow_comes_to_its_end():
    """Of sixty schedules with faults none breaks anything; each flow is done in one of them, and in
    most of them where nobody refuses it."""
    results = [run_plan(mixed(seed)) for seed in range(SCHEDULES)]
    ends = sum((result.ends for result in results), Counter[str]())

    assert [(one.seed, one.failures) for one in results if one.failures] == []
    assert [name for name in NAMES if not ends[f"{name}: done"]] == []
    assert [name for name in NAMES if _part(ends, name) < DONE_MIN] == []


def _part(ends: Counter[str], name: str) -> float:
    """How often a flow was done, of all times that it was begun and not refused."""
    mine = {end: count for end, count in ends.items() if end.partition(":")[0] == name}
    return mine[f"{name}: done"] / sum(
        count for end, count in mine.items() if not end.endswith(REFUSED)
    )


@pytest.mark.parametrize(
    ("flow", "choices"),
    [("races", 2 * len(RACES)), ("mends breaks", 2 * len(MISMATCHES)), ("pays out", 12)],
)
def test_each_road_of_a_flow_is_open(flow: str, choices: int):
    """On a day without faults every race has its end, every mismatch is posted by two people, every
    payout is paid."""
    for choice in range(choices):
        result = alone(flow, choice)

        assert result.failures == ()
        assert result.ends[f"{flow}: done"] == 1
