"""What simulated schedules really do to the house: every fault hits, every doubt is met."""

from collections import Counter

import pytest

from actors.simulation.campaign import Campaign, play
from actors.simulation.doubts import LATER, doubts
from actors.simulation.faults import KINDS
from actors.simulation.flows import FLOWS
from actors.simulation.run import plan_of

#: A fixed range of schedules.
FIRST_SEED, SEEDS = 70_001, 80
#: What must have happened in it, and how often at least.
DOUBTS = {
    "doubt of authorize": 30,
    "doubt of capture": 3,
    "doubt of refund": 2,
    "doubt of reverse": 1,
    "failover": 12,
    "late approval reversed": 6,
    "breaker opened": 2,
    "breaker half open": 1,
    "drill approve_then_hang": 5,
    "drill slow": 3,
    "drill hang": 1,
}


@pytest.fixture(scope="module")
def played() -> Campaign:
    return play(FIRST_SEED, SEEDS, jobs=2)


@pytest.mark.timeout(1800)
def test_each_kind_of_fault_hits_somebody(played):
    """A fault counts when it was met: the full disk by a write, the lost bell by who rang it."""
    assert [(one.seed, one.failures) for one in played.failed] == []
    assert {kind for kind, count in played.fired.items() if count} == set(KINDS)


@pytest.mark.timeout(1800)
def test_every_call_is_in_doubt_somewhere(played):
    """Charges, captures, refunds and reversals lose their answers; charges go elsewhere, and come
    back late."""
    met = Counter({what: played.happened[what] for what in DOUBTS})

    assert {what: count for what, count in met.items() if count < DOUBTS[what]} == {}


@pytest.mark.timeout(1800)
def test_no_schedule_is_too_little(played):
    """Each has its requests, its payments, a restart and a fault that hit."""
    assert played.too_little == []


def test_what_flows_ask_of_providers_is_named_for_flows_that_there_are():
    """A flow that is renamed is renamed there too."""
    assert set(LATER) <= set(FLOWS)


def test_drills_are_of_the_provider_that_is_called_first():
    """Four of five, where one is always first."""
    counts: Counter[str] = Counter()
    for seed in range(300):
        plan = plan_of(seed)
        routing, drills = doubts(seed, plan.wishes, 1)
        counts.update(f"{routing or 'A first'} {one.target}" for one in drills)

    assert counts["A first provider-a"] > 3 * counts["A first provider-b"]
    assert counts["B first provider-b"] > 3 * counts["B first provider-a"]
