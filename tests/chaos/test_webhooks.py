"""Webhooks with real processes: a sink that fails and actors that die lose no event."""

import os
from pathlib import Path

import pytest

from tests.chaos.webhooks import Order, run

EVENTS = int(os.environ.get("PAYRAIL_WEBHOOK_EVENTS", "150"))


@pytest.mark.chaos
@pytest.mark.timeout(600)
async def test_no_event_is_lost_by_a_failing_sink_and_killed_actors(tmp_path: Path):
    """Of a sink that fails three times in ten and a dispatcher and a gateway that die, every event
    arrives under one id with one body, signed as the public library demands."""
    outcome = await run(Order(events=EVENTS, kills_per_second=2), tmp_path)
    print(outcome.text())

    assert outcome.wrong() == []
    assert outcome.sink.failed > 0
    assert {"dispatcher", "gateway"} & set(outcome.killer.by_actor())
