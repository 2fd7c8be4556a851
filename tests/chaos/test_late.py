"""Charges that happen after their payments were given up, with real processes that die."""

import os
from pathlib import Path

import pytest

from tests.chaos.late import A_HOUSE_MAX, VICTIMS, Order, run, shared_out

APPROVALS = int(os.environ.get("PAYRAIL_LATE_APPROVALS", "2000"))


@pytest.mark.chaos
@pytest.mark.timeout(900)
async def test_2000_late_approvals_are_given_back_once_under_kills(tmp_path: Path):
    """Two thousand charges of payments that were closed long before happen all the same: each is
    given back once, no payment is charged twice, none opens again, and people have a case for
    each, whoever dies in between."""
    outcome = await run(Order(approvals=APPROVALS), tmp_path)
    print(outcome.text())

    assert outcome.wrong() == []
    assert len(outcome.books.closed_and_charged) >= APPROVALS
    assert set(outcome.killer.by_actor()) <= set(VICTIMS)
    assert len(outcome.killer.kills) >= 5


def test_many_approvals_are_shared_out_among_houses():
    """None is left out, no house has more than its auditor can hold, no two houses are alike."""
    orders = shared_out(Order(approvals=100_003))

    assert sum(order.approvals for order in orders) == 100_003
    assert max(order.approvals for order in orders) <= A_HOUSE_MAX
    assert len({order.seed for order in orders}) == len(orders)
    assert shared_out(Order(approvals=2_000)) == [Order(approvals=2_000)]
