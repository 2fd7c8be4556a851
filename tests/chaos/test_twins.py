"""Twins with real processes: one key is one payment, however many ask and whoever dies."""

import os
from pathlib import Path

import pytest

from tests.chaos.twins import Order, run

TWINS = int(os.environ.get("PAYRAIL_TWINS", "200"))


@pytest.mark.chaos
@pytest.mark.timeout(600)
async def test_all_twins_at_once_make_one_payment(tmp_path: Path) -> None:
    """While gateway and front door die: one charge, and every answer is the same or retryable."""
    outcome = await run(Order(twins=TWINS, seconds_min=5, kills_per_second=1.5), tmp_path)
    print(outcome.text())

    assert outcome.wrong() == []
    assert {"gateway", "frontdoor"} & set(outcome.killer.by_actor())
