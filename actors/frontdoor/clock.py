"""`GET|POST /clock`: what business time is, and people moving it forward.

An advance goes from timer to timer (`actors.frontdoor.hops`): 200 when it has arrived, 202 while it
is on its way, and `hopping` tells how far it is. With an Idempotency-Key it is one advance however
often it is asked for, also by a house that was killed on the way.
Never: puts business time back, or touches wire time.
"""

import hashlib
from collections.abc import Callable
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, model_validator

from actors.frontdoor.clock_hand import ClockHand
from actors.frontdoor.heads import KEY_HEADER, idempotency_key
from actors.frontdoor.hops import Hops
from actors.frontdoor.lists import Reads, answered
from payrail.domain.access import ADMINS
from payrail.domain.durations import DURATION_PATTERN, duration_ms
from payrail.domain.timestamps import iso, parse_iso
from payrail.errors import RequestError
from payrail.runtime.clockfile import AHEAD_MS_MAX, ClockSetting, Mode
from payrail.web.bodies import Body, read_json
from payrail.web.openapi import Route

#: An advance that has arrived by then is answered so; a longer one is watched.
ANSWER_S = 2.0


def _duration(text: str) -> str:
    duration_ms(text)
    return text


_TEXT: dict[str, JsonValue] = {"type": "string"}
_NULL: dict[str, JsonValue] = {"type": "null"}


class MoveClock(Body):
    """One of the two. A frozen clock stays frozen when it is advanced."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"advance": "90s"}, {"mode": "follow"}],
            "oneOf": [
                {"required": ["advance"], "properties": {"advance": _TEXT, "mode": _NULL}},
                {"required": ["mode"], "properties": {"mode": _TEXT, "advance": _NULL}},
            ],
        }
    )

    advance: (
        Annotated[
            str,
            AfterValidator(_duration),
            Field(
                description="Move business time forward by this.",
                examples=["90s", "1h30m"],
                json_schema_extra={"pattern": DURATION_PATTERN},
            ),
        ]
        | None
    ) = None
    mode: Literal["freeze", "follow"] | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> "MoveClock":
        if (self.advance is None) == (self.mode is None):
            raise ValueError('send {"advance":"30s"}, or {"mode":"freeze"} or {"mode":"follow"}')
        return self


class HoppingShown(BaseModel):
    """An advance on its way."""

    model_config = ConfigDict(populate_by_name=True)
    from_: Annotated[str, Field(alias="from")]
    to: str
    now: str
    hops: int


class StoppedShown(BaseModel):
    """The last advance, which ended before its end."""

    at: str
    to: str
    why: str
    waiting_for: list[str]


class ClockShown(BaseModel):
    """What is answered; for the document alone."""

    object: Literal["clock"]
    mode: Mode
    business_time: str
    wire_time: str
    ahead_ms: int
    changed_at: str | None
    changed_by: str | None
    hopping: HoppingShown | None
    stopped: StoppedShown | None


class Clocks:
    """Handlers of the house's clock."""

    def __init__(
        self,
        hand: ClockHand,
        hops: Hops,
        reads: Reads,
        mover_of: Callable[[web.Request], str],
        log: Any,
    ) -> None:
        """`mover_of` tells the user who may move the clock; raises RequestError 401 or 403."""
        self._hand, self._hops, self._reads = hand, hops, reads
        self._mover_of, self._log = mover_of, log

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/clock", self.show, "What time it is for business", ClockShown),
            Route(
                "POST",
                "/clock",
                self.move,
                "Move business time forward, freeze it, or let it go on",
                ClockShown,
                takes=MoveClock,
                may_also=(202,),
                roles=ADMINS,
            ),
        ]

    async def show(self, request: web.Request) -> web.Response:
        self._reads.reader(request)
        return answered(self._shown())

    async def move(self, request: web.Request) -> web.Response:
        user_id = self._mover_of(request)
        key = idempotency_key(request) if KEY_HEADER in request.headers else None
        order = await read_json(request, MoveClock)
        if order.advance is None:
            self._hops.stop(f"{user_id} let the clock {order.mode}")
            moved = self._hand.move(user_id, mode=order.mode)
            self._log.info("clock.moved", mode=moved.mode, ahead_ms=moved.ahead_ms, user_id=user_id)
            return answered(self._shown(moved))
        to_ms, wire_ms = self._end_of(order.advance, user_id, key)
        if self._hops.done_ms < to_ms:
            self._hops.go(to_ms, wire_ms, user_id)
            self._log.info("clock.advances", to=iso(to_ms), user_id=user_id)
            await self._hops.arrived(ANSWER_S)
        if self._hops.done_ms >= to_ms:
            return answered(self._shown())
        if self._hops.stopped is not None:
            raise _standing(self._hops.shown())
        return answered(self._shown(), 202)

    def _end_of(self, advance: str, user_id: str, key: str | None) -> tuple[int, int]:
        """Where this order leads, and the wire time of that: behind all that was asked for before,
        unless it is one of those. Raises RequestError."""
        setting = self._hand.setting()
        business_ms, wire_ms = self._hand.times(setting)
        name = hashlib.sha256(f"{user_id} {key}".encode()).hexdigest()[:32] if key else ""
        if name in setting.orders:
            before, end = setting.orders[name]
            _must_be_the_same(before, advance)
            return parse_iso(end), wire_ms
        to_ms = max(business_ms, self._hops.end_ms) + duration_ms(advance)
        _must_be_in_bounds(to_ms - wire_ms)
        if key:
            self._hand.move(user_id, orders={name: (advance, iso(to_ms))})
        return to_ms, wire_ms

    def _shown(self, moved: ClockSetting | None = None) -> dict[str, Any]:
        setting = moved or self._hand.setting()
        business_ms, wire_ms = self._hand.times(setting)
        if moved is not None:
            business_ms = moved.business_ms(wire_ms)
        return {
            "object": "clock",
            "mode": setting.mode,
            "business_time": iso(business_ms),
            "wire_time": iso(wire_ms),
            "ahead_ms": business_ms - wire_ms,
            "changed_at": setting.changed_at,
            "changed_by": setting.changed_by,
            **self._hops.shown(),
        }


def _standing(shown: dict[str, Any]) -> RequestError:
    stopped = shown["stopped"]
    waiting = (
        f" It waits for {', '.join(stopped['waiting_for'])}." if stopped["waiting_for"] else ""
    )
    return RequestError(
        503,
        "clock-stopped",
        f"Business time stands at {stopped['at']}: {stopped['why']}.{waiting} Advance again"
        " to go on.",
        retryable=True,
        extra=shown,
        headers={"Retry-After": "1"},
    )


def _must_be_the_same(before: str, advance: str) -> None:
    if before != advance:
        raise RequestError(
            422,
            "idempotency-key-reused",
            "This key was used for another advance; use a new key for a new one.",
            extra={"diff": [{"field": "advance", "first": before, "now": advance}]},
        )


def _must_be_in_bounds(ahead_ms: int) -> None:
    if ahead_ms > AHEAD_MS_MAX:
        message = f"would put business time more than {AHEAD_MS_MAX // 86_400_000} days ahead"
        raise RequestError(
            422,
            "validation-error",
            "The clock cannot go so far; business time never goes back.",
            errors=[{"field": "advance", "message": message}],
        )
