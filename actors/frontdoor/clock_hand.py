"""The hand that moves the clock: reads and writes data/clock.json, and knows what time it is.

Owns: data/clock.json, durable before anybody is answered.
Never: puts business time back, or touches wire time.
"""

from typing import Any

from payrail.errors import BadSettings, RequestError
from payrail.runtime.clockfile import (
    PATH,
    ClockSetting,
    Mode,
    read_setting,
    setting_at,
    write_setting,
)
from payrail.runtime.ports import Clock, Fs

Orders = dict[str, tuple[str, str]]


class ClockHand:
    """Nothing is awaited between its reading and its writing: two orders never mix."""

    def __init__(self, fs: Fs, clock: Clock, log: Any) -> None:
        """Raises BadSettings, OSError: of a file on which no actor starts."""
        self._fs, self._clock, self._log = fs, clock, log
        self._kept = read_setting(fs)  # the last one that could be read

    def setting(self) -> ClockSetting:
        """The file as it is, not as it was a look ago. Over a damaged one, what is known counts:
        a frozen clock stays frozen; the next move mends it. Raises RequestError 503."""
        try:
            self._kept = read_setting(self._fs)
        except BadSettings:
            pass
        except OSError as error:
            raise self._unusable(error) from error
        return self._kept

    def times(self, setting: ClockSetting) -> tuple[int, int]:
        """(business time, wire time): never before what this process told already."""
        now = self._clock.now()
        return max(now.business_ms, setting.business_ms(now.wire_ms)), now.wire_ms

    def business_ms(self) -> int:
        """What time it is for business. Raises RequestError 503."""
        return self.times(self.setting())[0]

    def monotonic_ms(self) -> int:
        """For waits."""
        return self._clock.monotonic_ms()

    def move(
        self,
        user_id: str,
        *,
        to_ms: int = 0,
        at_wire_ms: int | None = None,
        mode: Mode | None = None,
        orders: Orders | None = None,
    ) -> ClockSetting:
        """Put business time to `to_ms`, as it was meant at `at_wire_ms`, or leave it where it is
        when it is there already; `orders` are remembered beside those that are. Raises
        RequestError 503."""
        setting = self.setting()
        business_ms, wire_ms = self.times(setting)
        if at_wire_ms is not None and setting.mode == "follow":
            to_ms += wire_ms - at_wire_ms
        moved = setting_at(
            mode or setting.mode,
            business_ms=max(business_ms, to_ms),
            wire_ms=wire_ms,
            user_id=user_id,
            orders=setting.orders | (orders or {}),
        )
        try:
            write_setting(self._fs, moved)
        except OSError as error:
            raise self._unusable(error) from error
        self._kept = moved
        self._clock.look()  # What is told next is of this setting: a frozen clock stands at once.
        return moved

    def _unusable(self, error: OSError) -> RequestError:
        self._log.error("clock.unusable", error=error)
        return RequestError(
            503,
            "clock-unavailable",
            f"{PATH}: {error.strerror}; `payrail doctor` names what is in the way.",
            retryable=True,
            headers={"Retry-After": "1"},
        )
