"""What goes wrong for a while: how it begins, what it makes of what it meets, how it ends.

    begin ──▶ it lasts ──▶ felt: somebody met it, and now it counts
                       └─▶ ended, by its time or by `calm`

A fault that nobody meets before its end never happened. Drills, and moves of business time, are
people's: `actors.simulation.world`. Never: draws when it begins.
"""

from collections.abc import Callable
from random import Random

from actors.simulation.evidence import CLOCK_SET
from actors.simulation.faults import DAMAGES
from actors.simulation.schedule import Trouble
from payrail.runtime.sim import Call
from payrail.runtime.simmachine import SUPERVISOR, SimMachine
from payrail.runtime.simproc import SimProcess
from payrail.web.simnet import FAIR, Asked, Fate

FULL_DISK, SLOW, LOST_BELLS = "full disk", "slow actor", "lost bells"
FROZEN, ROUGH_NET, SINK = "frozen clock", "rough net", "failing sink"
#: Kinds that whoever writes a line has met: it bears the time.
_CLOCKS = (CLOCK_SET, FROZEN)
GOOD_SINK = 204


class Lasting:
    """One run's. `note` hears of each fault that was met: its kind, and of whom."""

    def __init__(
        self,
        chance: Random,
        machine: SimMachine,
        damage: Callable[[Trouble], Callable[[], object] | None],
        note: Callable[[str, str], None],
    ) -> None:
        """`damage` changes a file, and says how people mend it; None: there was none."""
        self._chance, self._machine, self._damage, self._note = chance, machine, damage, note
        self._ends: list[tuple[int, int, Callable[[], object]]] = []
        self._unmet: dict[int, Trouble] = {}  # by number
        self._beside: list[SimProcess] = []  # started beside the house, which does not watch them
        self._sink_status: int | None = GOOD_SINK
        self._bells_are_lost = self._net_is_rough = False
        self.is_full = False
        self._begins: dict[str, Callable[[Trouble], None]] = {
            FULL_DISK: self._fill,
            SLOW: self._slow,
            "stopped actor": self._stop,
            "double start": self._start_twice,
            LOST_BELLS: self._lose_bells,
            CLOCK_SET: self._set_clock,
            FROZEN: self._freeze,
            ROUGH_NET: self._roughen,
            SINK: self._spoil_sink,
            **dict.fromkeys(DAMAGES, self._rots),
        }

    def begin(self, one: Trouble) -> None:
        """Carry out one that lasts."""
        self._begins[one.kind](one)

    def next_ms(self) -> int | None:
        """When something ends."""
        return self._ends[0][0] if self._ends else None

    def end_due(self) -> bool:
        """End what has lasted long enough. False: nothing."""
        found = False
        while self._ends and self._ends[0][0] <= self._machine.now_ms:
            self._end(self._ends.pop(0))
            found = True
        return found

    def calm(self) -> None:
        """All ends now. Whoever hangs beside the house keeps it out for ever: people end it."""
        while self._ends:
            self._end(self._ends.pop(0))
        for process in self._beside:
            if process.is_hung:
                process.kill()
        for one in list(self._unmet.values()):
            if one.kind == CLOCK_SET:
                self._met(one)  # It stays so, whoever comes next.
        self._unmet.clear()

    # What meets it.

    def at_effect(self, actor: str, call: Call) -> None:
        """Somebody writes, syncs or renames."""
        for one in list(self._unmet.values()) if self._unmet else ():
            is_slow = one.kind == SLOW and one.target == actor
            if is_slow or (one.kind in _CLOCKS and call.op == "append"):
                self._met(one)

    def no_room(self) -> None:
        """Somebody was told that the disk is full."""
        self._meet(FULL_DISK)

    def rings(self) -> int:
        """How often a bell rings that was rung once."""
        if not self._bells_are_lost:
            return 1
        rings = self._chance.choice((0, 0, 1, 2))
        if not rings:
            self._meet(LOST_BELLS)
        return rings

    def fate(self, _asked: Asked) -> Fate:
        """What becomes of a request on its way."""
        if not self._net_is_rough:
            return FAIR
        own = self._chance
        fate = Fate(
            request_ms=own.choice((0, 0, 5, 200)),
            answer_ms=own.choice((0, 0, 5, 200)),
            loses=own.choice(("", "", "request", "answer")),
            twice=own.random() < 0.2,
        )
        if fate != FAIR:
            self._meet(ROUGH_NET)
        return fate

    def sink_status(self) -> int | None:
        """What an endpoint answers now; None: nothing."""
        if self._sink_status != GOOD_SINK:
            self._meet(SINK)
        return self._sink_status

    def _meet(self, kind: str) -> None:
        for one in list(self._unmet.values()):
            if one.kind == kind:
                self._met(one)

    def _met(self, one: Trouble) -> None:
        self._unmet.pop(one.number, None)
        self._note(one.kind, one.target)

    # How each begins and ends.

    def _later(self, one: Trouble, end: Callable[[], object]) -> None:
        self._ends.append((self._machine.now_ms + one.lasts_ms, one.number, end))
        self._ends.sort(key=lambda row: row[:2])

    def _end(self, row: tuple[int, int, Callable[[], object]]) -> None:
        _, number, end = row
        self._unmet.pop(number, None)
        end()

    def _fill(self, one: Trouble) -> None:
        self.is_full, self._unmet[one.number] = True, one
        self._later(one, self._empty)

    def _empty(self) -> None:
        self.is_full = False

    def _slow(self, one: Trouble) -> None:
        self._unmet[one.number] = one
        slow_ms = self._machine.slow_ms
        slow_ms[one.target] = max(1, one.lasts_ms // 10)
        self._later(one, lambda: slow_ms.pop(one.target, None))

    def _stop(self, one: Trouble) -> None:
        """Who is dead cannot be stopped."""
        machine, target = self._machine, one.target
        if target == SUPERVISOR or machine.process(target) is not None:
            machine.stop(target)
            self._met(one)
            self._later(one, lambda: machine.go_on(target))

    def _start_twice(self, one: Trouble) -> None:
        """It is twice only beside one that lives."""
        if self._machine.process(one.target) is not None:
            self._met(one)
        self._beside.append(self._machine.start_twice(one.target))

    def _lose_bells(self, one: Trouble) -> None:
        self._bells_are_lost, self._unmet[one.number] = True, one
        self._later(one, self._mend_bells)

    def _mend_bells(self) -> None:
        self._bells_are_lost = False

    def _set_clock(self, one: Trouble) -> None:
        """It stays so."""
        self._unmet[one.number] = one
        self._machine.time.jump_wall_ms(int(one.how))

    def _freeze(self, one: Trouble) -> None:
        self._machine.time.is_frozen, self._unmet[one.number] = True, one
        self._later(one, self._thaw)

    def _thaw(self) -> None:
        self._machine.time.is_frozen = False

    def _roughen(self, one: Trouble) -> None:
        self._net_is_rough, self._unmet[one.number] = True, one
        self._later(one, self._smooth)

    def _smooth(self) -> None:
        self._net_is_rough = False

    def _spoil_sink(self, one: Trouble) -> None:
        self._sink_status, self._unmet[one.number] = int(one.how) or None, one
        self._later(one, self._mend_sink)

    def _mend_sink(self) -> None:
        self._sink_status = GOOD_SINK

    def _rots(self, one: Trouble) -> None:
        """It is noted with its place, if it has one."""
        mend = self._damage(one)
        if mend is not None:
            self._later(one, mend)
