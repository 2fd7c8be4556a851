"""Whoever means no good gets nothing, and the simulation would see it if somebody did."""

import pytest

from actors.simulation.flows import FLOWS
from actors.simulation.forging import FORGED
from actors.simulation.run import Result, plan_of
from actors.simulation.schedule import MERCHANTS
from tests.planted.bugs import NAMED
from tests.scenarios.alone import alone

ADVERSARIES = [name for name, flow in FLOWS.items() if flow.beside]
#: Of each flow, so that each road of it is gone.
CHOICES = {
    "another's": range(25),
    "misuses": range(0, 7 * 20, 7),
    "forges": range(0, 4 * len(FORGED), 4),
    "repeats": range(10),
}


def at_one_of_two(flow: str, choice: int) -> Result:
    """Each shop in turn has somebody beside it."""
    return alone(flow, choice, MERCHANTS[choice % 2], 5_000 + choice)


@pytest.mark.parametrize("flow", ADVERSARIES)
def test_nobody_gets_what_is_not_theirs(flow: str):
    """Each request is refused with its code, or is what was told before; each flow comes to its
    end, and everything in the house holds."""
    results = [at_one_of_two(flow, choice) for choice in CHOICES.get(flow, range(2))]

    assert [failure for result in results for failure in result.failures] == []
    assert {end for result in results for end in result.ends} == {f"{flow}: done", "people: done"}


@pytest.mark.parametrize(
    ("bug", "flow", "choice", "broken"),
    [
        ("another-merchants-payment-shown", "another's", 0, "I17"),
        ("another-merchants-payment-moved", "another's", 10, "I17"),
        ("another-merchants-card", "another's key", 0, "another's key"),
        ("own-approval-booked", "approves alone", 0, "I18"),
        ("signature-not-checked", "forges", 0, "I19"),
        ("tolerance-one-sided", "forges", 24, "I19"),
        ("sent-back-twice", "repeats", 2, "I19"),
    ],
)
def test_the_simulation_sees_who_gets_something(bug: str, flow: str, choice: int, broken: str):
    """With the bug that lets one of them succeed, the run fails, by the invariant that says so."""
    with NAMED[bug].plant() as ran:
        result = at_one_of_two(flow, choice)

    assert all(one.times for one in ran)
    assert broken in " ".join(result.failures)


def test_somebody_is_beside_the_shops_in_every_second_schedule():
    """Of a hundred schedules about half have one who means no good, and each kind is among them."""
    drawn = [wish.flow for seed in range(100) for wish in plan_of(seed).wishes]
    found = [flow for flow in drawn if flow in ADVERSARIES]

    assert 35 <= len(found) <= 65
    assert set(found) == set(ADVERSARIES)
