"""Charges that happen after their payments were given up, with real processes that die."""

import os
from pathlib import Path

import pytest

from tests.chaos.late import VICTIMS, Order, run

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
