"""`GET|POST /clock`: what business time is, and people moving it forward.

Owns: data/clock.json, durable before the answer; every other process follows it.
Never: puts business time back, or touches wire time.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import AfterValidator, BaseModel, Field, model_validator

from actors.frontdoor.lists import Reads, answered
from payrail.domain.durations import duration_ms
from payrail.domain.timestamps import iso
from payrail.errors import BadSettings, RequestError
from payrail.runtime.clockfile import (
    AHEAD_MS_MAX,
    PATH,
    ClockSetting,
    Mode,
    read_setting,
    setting_at,
    write_setting,
)
from payrail.runtime.ports import Clock, Fs
from payrail.web.bodies import Body, read_json
from payrail.web.openapi import Route


def _duration(text: str) -> str:
    duration_ms(text)
    return text


class MoveClock(Body):
    """One of the two. A frozen clock stays frozen when it is advanced."""

    advance: (
        Annotated[
            str,
            AfterValidator(_duration),
            Field(description="Move business time forward by this.", examples=["90s", "1h30m"]),
        ]
        | None
    ) = None
    mode: Literal["freeze", "follow"] | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> "MoveClock":
        if (self.advance is None) == (self.mode is None):
            raise ValueError('send {"advance":"30s"}, or {"mode":"freeze"} or {"mode":"follow"}')
        return self


class ClockShown(BaseModel):
    """What is answered; for the document alone."""

    object: Literal["clock"]
    mode: Mode
    business_time: str
    wire_time: str
    ahead_ms: int
    changed_at: str | None
    changed_by: str | None


class Clocks:
    """Handlers of the house's clock."""

    def __init__(
        self, fs: Fs, clock: Clock, reads: Reads, mover_of: Callable[[web.Request], str], log: Any
    ) -> None:
        """`mover_of` tells the user who may move the clock; raises RequestError 401 or 403.
        Raises BadSettings, OSError: of a file on which no actor starts."""
        self._fs, self._clock, self._reads = fs, clock, reads
        self._mover_of, self._log = mover_of, log
        self._kept = read_setting(fs)  # the last one that could be read

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
            ),
        ]

    async def show(self, request: web.Request) -> web.Response:
        self._reads.reader(request)
        setting = self._setting()
        return answered(_shown(setting, *self._times(setting)))

    async def move(self, request: web.Request) -> web.Response:
        """Nothing is awaited between the reading and the writing: two orders never mix."""
        user_id = self._mover_of(request)
        order = await read_json(request, MoveClock)
        setting = self._setting()
        business_ms, wire_ms = self._times(setting)
        business_ms += duration_ms(order.advance) if order.advance else 0
        _must_be_in_bounds(business_ms - wire_ms)
        moved = setting_at(
            order.mode or setting.mode, business_ms=business_ms, wire_ms=wire_ms, user_id=user_id
        )
        self._write(moved)
        self._log.info("clock.moved", mode=moved.mode, ahead_ms=moved.ahead_ms, user_id=user_id)
        return answered(_shown(moved, business_ms, wire_ms))

    def _setting(self) -> ClockSetting:
        """The file as it is, not as it was a look ago. Over a damaged one, what is known counts:
        a frozen clock stays frozen; the next move mends it. Raises RequestError 503."""
        try:
            self._kept = read_setting(self._fs)
        except BadSettings:
            pass
        except OSError as error:
            raise self._unusable(error) from error
        return self._kept

    def _write(self, setting: ClockSetting) -> None:
        """Make it durable. Raises RequestError 503."""
        try:
            write_setting(self._fs, setting)
        except OSError as error:
            raise self._unusable(error) from error
        self._kept = setting

    def _unusable(self, error: OSError) -> RequestError:
        self._log.error("clock.unusable", error=error)
        return RequestError(
            503,
            "clock-unavailable",
            f"{PATH}: {error.strerror}; `payrail doctor` names what is in the way.",
            retryable=True,
            headers={"Retry-After": "1"},
        )

    def _times(self, setting: ClockSetting) -> tuple[int, int]:
        """(business time, wire time): never before what this process told already."""
        now = self._clock.now()
        return max(now.business_ms, setting.business_ms(now.wire_ms)), now.wire_ms


def _must_be_in_bounds(ahead_ms: int) -> None:
    if ahead_ms > AHEAD_MS_MAX:
        message = f"would put business time more than {AHEAD_MS_MAX // 86_400_000} days ahead"
        raise RequestError(
            422,
            "validation-error",
            "The clock cannot go so far; business time never goes back.",
            errors=[{"field": "advance", "message": message}],
        )


def _shown(setting: ClockSetting, business_ms: int, wire_ms: int) -> dict[str, Any]:
    return {
        "object": "clock",
        "mode": setting.mode,
        "business_time": iso(business_ms),
        "wire_time": iso(wire_ms),
        "ahead_ms": business_ms - wire_ms,
        "changed_at": setting.changed_at,
        "changed_by": setting.changed_by,
    }
