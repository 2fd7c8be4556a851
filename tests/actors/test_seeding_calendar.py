"""The house's clock as a calendar: each day once, also for a run that goes on after a kill."""

import json
from typing import Any

import pytest

from actors.cli.exits import TRY_LATER, Stop
from actors.cli.scenes import must_be_answered
from actors.cli.seeding.calendar import DAY_MS, Calendar
from actors.cli.seeding.found import Began
from actors.cli.shop import Answer, Shop
from actors.cli.together import together
from payrail.domain.durations import duration_ms
from payrail.domain.timestamps import iso

WIRE_MS = 1_800_000_000_000
BEGAN = Began("12/6d", WIRE_MS, WIRE_MS)
HOUR_MS = 3_600_000


class Clock(Shop):
    """A house with a clock alone; `drift_ms` goes by between two looks at it."""

    def __init__(self, ahead_ms: int = 0, *, mode: str = "follow", drift_ms: int = 0) -> None:
        super().__init__("", "", {})
        self.ahead_ms, self.mode, self.drift_ms = ahead_ms, mode, drift_ms
        self.wire_ms = WIRE_MS
        self.advances: list[str] = []
        self.refusal: Answer | None = None

    async def keep_getting(self, merchant_id: str, path: str) -> Answer:
        self.wire_ms += self.drift_ms
        if self.mode == "freeze":
            self.ahead_ms -= self.drift_ms
        shown = {
            "mode": self.mode,
            "business_time": iso(self.wire_ms + self.ahead_ms),
            "wire_time": iso(self.wire_ms),
            "ahead_ms": self.ahead_ms,
            "hopping": None,
        }
        return Answer(200, json.dumps(shown).encode())

    async def keep_posting(
        self,
        operation: str,
        merchant_id: str,
        path: str,
        body: Any,
        key: str | None,
        *,
        role: str = "",
    ) -> Answer:
        if self.refusal is not None:
            return self.refusal
        self.advances.append(body["advance"])
        self.ahead_ms += duration_ms(body["advance"])
        return Answer(200)


def calendar(clock: Clock) -> Calendar:
    found = Calendar(clock)
    found.began = BEGAN
    return found


async def test_a_day_is_left_by_one_whole_day():
    """However long somebody took to play it."""
    clock = Clock(drift_ms=2 * HOUR_MS)
    days = calendar(clock)
    for day in range(3):
        await days.leave(day)
    assert clock.advances == ["1d", "1d", "1d"]


async def test_a_day_that_was_left_is_not_left_again():
    """A run that was killed behind the move goes on with the next day."""
    clock = Clock(DAY_MS)
    assert await calendar(clock).is_leaving(0)
    await calendar(clock).leave(0)
    assert clock.advances == []


async def test_a_move_that_was_broken_off_is_ended():
    """Business time stood at a timer when the house died: only the rest is moved."""
    clock = Clock(DAY_MS + 9 * HOUR_MS)
    assert await calendar(clock).is_leaving(1)
    await calendar(clock).leave(1)
    assert clock.advances == ["15h"]


async def test_a_frozen_clock_has_days_too():
    """Wire time goes on under it, and it shows less and less ahead: days do not get longer."""
    clock = Clock(mode="freeze", drift_ms=HOUR_MS)
    days = calendar(clock)
    for day in range(2):
        await days.leave(day)
    assert clock.advances == ["1d", "1d"]


async def test_a_clock_that_stands_ends_the_run():
    """The house says what it waits for; people may play on later, which is 75."""
    clock = Clock()
    said = {"code": "clock-stopped", "detail": "Business time stands at noon."}
    clock.refusal = Answer(503, json.dumps(said).encode())
    with pytest.raises(Stop, match="stands at noon") as stop:
        await calendar(clock).leave(0)
    assert stop.value.code == TRY_LATER
    assert "goes on from here" in stop.value.remedy


@pytest.mark.parametrize("answer", [Answer(0), Answer(429), Answer(503)])
async def test_a_house_that_never_answers_ends_the_run(answer: Answer):
    """One lane finds out, all of them end, and people are told one thing."""

    async def lane() -> None:
        must_be_answered(answer, "create")

    with pytest.raises(Stop, match="create was answered") as stop:
        await together(lane() for _ in range(3))
    assert stop.value.code == TRY_LATER
