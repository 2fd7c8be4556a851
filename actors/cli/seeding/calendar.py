"""The house's clock as a calendar: day by day forward, each day once.

How far the clock was moved tells which day it is, and not how long somebody took to play: so a day
is over when it was moved on, and a run that was killed moves it on from where it stands.
Never: puts business time back, and moves it only behind days that were played.
"""

import asyncio
from typing import Any

from actors.cli.exits import FAILED, TRY_LATER, Stop
from actors.cli.seeding.found import HOUSE, Began
from actors.cli.shop import Answer, Shop
from payrail.domain.durations import spelled
from payrail.domain.timestamps import parse_iso

DAY_MS = 86_400_000
#: How often an advance on its way is looked at.
_LOOK_S = 0.05
#: Beyond this, somebody has begun to move the clock on from where that day began.
_SLACK_MS = 60_000
_AGAIN = "The same command once more goes on from here."


class Calendar:
    """Day `n` begins where the clock was moved `n` whole days beyond the plan's beginning."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self.began: Began | None = None
        self.is_frozen = False

    async def now(self, plan: str) -> Began:
        """A plan that begins now."""
        shown = await self._settled()
        return Began(plan, parse_iso(shown["business_time"]), parse_iso(shown["wire_time"]))

    async def today(self) -> str:
        """The business day, in UTC."""
        return str((await self._settled())["business_time"])[:10]

    async def is_leaving(self, day: int) -> bool:
        """Whether the clock was set out from that day: all that belongs to it was done then."""
        return await self._moved_ms() > day * DAY_MS + _SLACK_MS

    async def leave(self, day: int) -> None:
        """Move the clock to the end of that day, unless it is there. Raises Stop 75 when business
        time stands on the way."""
        while (rest_ms := (day + 1) * DAY_MS - await self._moved_ms()) > 0:
            duration = spelled(-(-rest_ms // 1000) * 1000)
            answer = await self._advance(duration, f"seed-{day}-{rest_ms}")
            if answer.status == 503 and answer.code == "clock-stopped":
                raise Stop(TRY_LATER, str(answer.body.get("detail")), _AGAIN)
            if answer.status not in (200, 202):
                what = f"POST /clock answered {answer.status} {answer.code}: "
                raise Stop(FAILED, what + str(answer.body.get("detail", "")), _AGAIN)

    async def _advance(self, duration: str, name: str) -> Answer:
        key = f"{name}-{self.began.business_ms if self.began else 0}"
        return await self._shop.keep_posting("clock", HOUSE, "/clock", {"advance": duration}, key)

    async def _moved_ms(self) -> int:
        """How far the clock was moved since the plan began."""
        shown, began = await self._settled(), self.began
        if began is None:
            raise ValueError("the calendar has not begun")
        self.is_frozen = shown["mode"] == "freeze"
        if self.is_frozen:
            return parse_iso(shown["business_time"]) - began.business_ms
        return int(shown["ahead_ms"]) - (began.business_ms - began.wire_ms)

    async def _settled(self) -> dict[str, Any]:
        """The clock, once nobody moves it any more. Raises Stop 75."""
        while True:
            answer = await self._shop.keep_getting(HOUSE, "/clock")
            if answer.status != 200:
                raise Stop(TRY_LATER, f"GET /clock answered {answer.status}", _AGAIN)
            if answer.body["hopping"] is None:
                return answer.body
            await asyncio.sleep(_LOOK_S)
