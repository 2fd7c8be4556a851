"""Simulated clocks below the real guard: time that stands still until moved, and can be set wrong.

time = SimTime()
clock = time.clock(fs)              # the real `SystemClock`, one a process
time.pass_ms(250)                   # both clocks go on
time.jump_wall_ms(-3_600_000)       # people set the clock back; wire time does not follow
time.is_frozen = True               # the wall clock stands, the monotonic one goes on
"""

from payrail.runtime.clocks import SystemClock, Told
from payrail.runtime.ports import Fs

NOON_MS = 1_770_638_400_000  # 2026-02-09T12:00:00Z
#: Machines are up for some time before a house starts, and 0 means "never" in a cell.
UP_MS = 1_000


class SimTime:
    """The clocks of one simulated machine; fills `clocks.Ticks`."""

    def __init__(self, wall_ms: int = NOON_MS, up_ms: int = UP_MS) -> None:
        self._wall_ms, self._up_ms = wall_ms, up_ms
        self.is_frozen = False

    def wall_ms(self) -> int:
        return self._wall_ms

    def monotonic_ms(self) -> int:
        return self._up_ms

    def pass_ms(self, ms: int) -> None:
        """Let time pass. Raises ValueError for time that goes back."""
        if ms < 0:
            raise ValueError("time does not go back; a wall clock may be set, see jump_wall_ms")
        self._up_ms += ms
        if not self.is_frozen:
            self._wall_ms += ms

    def jump_wall_ms(self, by_ms: int) -> None:
        """Somebody sets the wall clock, forward or back."""
        self._wall_ms += by_ms

    def clock(
        self, fs: Fs | None = None, told: Told = lambda _event, **_fields: None
    ) -> SystemClock:
        """The guarded clock of one process. Raises BadSettings, see `SystemClock`."""
        return SystemClock(fs, told, self)
