"""Time and chance as they really are: the fillings of `ports.Clock` and `ports.Rng`.

Wire time follows the wall clock and never goes back: when the clock is set back it goes on at its
own pace, so that timers come due all the same, until the world has caught up.
Business time follows data/clock.json and never goes back either, neither in a process nor behind
what its journal has seen: a setting that would put it back is followed from where it is.
"""

import secrets
import time
from collections.abc import Callable
from typing import Protocol

from payrail.errors import BadSettings
from payrail.runtime.clockfile import NOBODY_MOVED_IT, ClockSetting, decoded, read_bytes
from payrail.runtime.ports import Fs, Now

#: How long a look at the file lasts: reading its few bytes takes some hundredths of a millisecond.
#: The name's inode would not do, since a file that was replaced twice may have its old one again.
LOOK_MS = 50
#: Settings of one moment differ by less between processes.
_BEHIND_MS = 1_000

#: Told of what people should know: an event and its fields, as a log takes them.
Told = Callable[..., object]


class Ticks(Protocol):
    """The two clocks of a machine, as they are."""

    def wall_ms(self) -> int:
        """Milliseconds since 1970 UTC; people may set it, also back."""

    def monotonic_ms(self) -> int:
        """Never goes back, the same for all processes of the machine."""


class MachineTicks:
    """Those of the machine that we run on."""

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000


MACHINE = MachineTicks()


class SystemClock:
    """The machine's clocks; business time is wire time plus what people moved it forward by."""

    def __init__(
        self,
        fs: Fs | None = None,
        told: Told = lambda _event, **_fields: None,
        ticks: Ticks = MACHINE,
    ) -> None:
        """`fs`: whose clock file is followed; None: nobody moves this clock. `ticks`: the clocks
        below this one. Raises BadSettings for a clock file that cannot be read: time must not go
        back by a silent guess."""
        self._fs, self._told, self._ticks = fs, told, ticks
        self._wire_ms = self._business_ms = self._pushed_ms = 0
        self._looked_ms = self._read_ms = self.monotonic_ms()
        self._data = None if fs is None else read_bytes(fs)
        self._setting = NOBODY_MOVED_IT
        if self._data is not None:
            self._pass()
            self._follow(decoded(self._data))

    def now(self) -> Now:
        wall_ms = self._pass()
        if self._fs is not None and self._looked_ms - self._read_ms >= LOOK_MS:
            self._read_ms = self._looked_ms
            self._look(self._fs)
        stands_ms = self._setting.business_ms(self._wire_ms) + self._pushed_ms
        self._business_ms = max(self._business_ms, stands_ms)
        return Now(self._wire_ms, self._business_ms, wall_ms)

    def look(self) -> None:
        if self._fs is not None:
            self._pass()
            self._read_ms = self._looked_ms
            self._look(self._fs)

    def not_before(self, wire_ms: int, business_ms: int = 0) -> None:
        self._pass()
        self._wire_ms = max(self._wire_ms, wire_ms)
        self._business_ms = max(self._business_ms, business_ms)
        self._follow(self._setting)

    def monotonic_ms(self) -> int:
        return self._ticks.monotonic_ms()

    def _pass(self) -> int:
        """Let wire time pass; result: the machine's clock."""
        wall_ms, looked_ms = self._ticks.wall_ms(), self._ticks.monotonic_ms()
        self._wire_ms = max(wall_ms, self._wire_ms + looked_ms - self._looked_ms)
        self._looked_ms = looked_ms
        return wall_ms

    def _look(self, fs: Fs) -> None:
        """Follow a new setting. A file that is gone or damaged changes nothing, and is told."""
        try:
            data = read_bytes(fs)
        except OSError:
            return  # The next look may do better.
        if data == self._data:
            return
        self._data = data
        if data is None:
            self._told("clock.gone", kept=self._setting.mode)
            return
        try:
            self._follow(decoded(data))
        except BadSettings as error:
            self._told("clock.damaged", error=error, kept=self._setting.mode)

    def _follow(self, setting: ClockSetting) -> None:
        """Go on as `setting` says, but never from before what was told already, nor from before it
        was made: once the machine's clock was set back, wire times of processes differ until the
        world has caught up, and nobody should wait that long for a time that has come."""
        self._setting = setting
        stands_ms = setting.business_ms(self._wire_ms)
        behind_ms = self._business_ms - stands_ms
        if behind_ms > _BEHIND_MS:
            self._told("clock.behind", behind_ms=behind_ms)
        self._business_ms = max(self._business_ms, setting.made_ms)
        self._pushed_ms = max(0, self._business_ms - stands_ms)


class SystemRng:
    """The operating system's generator."""

    def token_hex(self, size_bytes: int) -> str:
        return secrets.token_hex(size_bytes)
