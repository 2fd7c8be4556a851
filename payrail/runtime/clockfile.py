"""data/clock.json: how business time stands to wire time, as people set it.

    follow: business time = wire time + ahead_ms          freeze: business time = frozen_at

Owned by the front door alone; every other process follows it (`payrail.runtime.clocks`). There is
no file until somebody moves the clock: business time is then wire time.
Never: moves wire time.
"""

from typing import Literal

import msgspec
from msgspec import Struct

from payrail.domain.timestamps import iso, parse_iso
from payrail.errors import BadSettings
from payrail.runtime.ports import Fs

PATH = "data/clock.json"
#: A setting has some 150 bytes, with orders 2,000; every process reads it twenty times a second.
BYTES_MAX = 4096
#: So many orders are remembered, the newest: whoever repeats one comes soon or not at all.
ORDERS_MAX = 16
Mode = Literal["follow", "freeze"]
#: So far ahead at most: every time of ours keeps a year of four digits.
AHEAD_MS_MAX = 100 * 365 * 86_400_000
_REMEDY = (
    "put it back from a copy, or remove it: business time then goes on from what each journal saw"
)


class ClockSetting(Struct, frozen=True):
    """What the file says. `ahead_ms` of a frozen clock is what it was when it froze."""

    mode: Mode = "follow"
    ahead_ms: int = 0
    frozen_at: str | None = None  # ISO, business time
    changed_at: str | None = None  # ISO, wire time
    changed_by: str | None = None  # the user
    orders: dict[str, tuple[str, str]] = {}  # by key: what was asked for, and the time it leads to

    def business_ms(self, wire_ms: int) -> int:
        """Business time at that wire time."""
        if self.frozen_at is not None:
            return parse_iso(self.frozen_at)
        return wire_ms + self.ahead_ms

    @property
    def made_ms(self) -> int:
        """Business time at which it was made; 0 where nobody says."""
        return self.business_ms(parse_iso(self.changed_at)) if self.changed_at else 0


NOBODY_MOVED_IT = ClockSetting()
_decode = msgspec.json.Decoder(ClockSetting).decode


def setting_at(
    mode: Mode,
    *,
    business_ms: int,
    wire_ms: int,
    user_id: str,
    orders: dict[str, tuple[str, str]] | None = None,
) -> ClockSetting:
    """The setting of a clock that shows `business_ms` now, and from now on goes or stands. Of
    `orders` the newest are kept."""
    kept = list((orders or {}).items())[-ORDERS_MAX:]
    return ClockSetting(
        mode=mode,
        ahead_ms=business_ms - wire_ms,
        frozen_at=iso(business_ms) if mode == "freeze" else None,
        changed_at=iso(wire_ms),
        changed_by=user_id,
        orders=dict(kept),
    )


def read_setting(fs: Fs) -> ClockSetting:
    """The setting of this home. Raises BadSettings for a damaged file, OSError."""
    data = read_bytes(fs)
    return NOBODY_MOVED_IT if data is None else decoded(data)


def read_bytes(fs: Fs) -> bytes | None:
    """The file as it is; None when there is none. One that is too long for a setting is not read:
    it is damaged, and as good as empty."""
    try:
        if fs.size(PATH) > BYTES_MAX:
            return b""
        return fs.read(PATH)
    except FileNotFoundError:
        return None


def decoded(data: bytes) -> ClockSetting:
    """What the bytes of the file say. Raises BadSettings with name and remedy."""
    try:
        setting = _decode(data)
        if setting.frozen_at is not None:
            parse_iso(setting.frozen_at)
        if setting.changed_at is not None:
            parse_iso(setting.changed_at)
        for _, to in setting.orders.values():
            parse_iso(to)
    except (msgspec.MsgspecError, ValueError):
        raise BadSettings(f"{PATH}: is not the setting of a clock; {_REMEDY}") from None
    frozen = setting.mode == "freeze"
    if frozen != (setting.frozen_at is not None) or abs(setting.ahead_ms) > AHEAD_MS_MAX:
        raise BadSettings(f"{PATH}: holds a setting that nobody could make; {_REMEDY}")
    return setting


def write_setting(fs: Fs, setting: ClockSetting) -> None:
    """Make it durable, whole: whoever reads meanwhile sees the old one or this. Raises OSError."""
    fs.replace(PATH, msgspec.json.encode(setting) + b"\n")
