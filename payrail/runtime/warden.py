"""The rules of a house of processes, without I/O: who is started, watched, killed, released.

    warden = Warden(names, Ports(proc, cells, orders, notes, log))
    while warden.turn(now_ms):          # monotonic milliseconds
        wait(warden.wait_ms(now_ms))
    warden.end_all()

One turn looks at everything once: orders of people, deaths, beats, who is due to start, the spare.
The last name is the front door: last to start, first to stop. All else starts at once; mailboxes do
not need their readers to be there. What follows from a death is ruled in `supervision`.
Never: waits, opens a file, knows an actor. `supervisor` turns it over real processes, `simproc`
makes simulated ones.
"""

from collections.abc import Sequence

from payrail.runtime import supervision
from payrail.runtime.cellpage import CellView
from payrail.runtime.orders import Order
from payrail.runtime.ports import Child
from payrail.runtime.supervision import Death, History, judge
from payrail.runtime.wards import Limits, Ports, Ward

#: No turn takes longer, even if we are stopped in the middle of it: later beats were before a boot.
_TURN_MS_MAX = 3_600_000


class Warden:
    """Keeps the actors `names`, in start order, until it is told to stop."""

    def __init__(
        self, names: Sequence[str], ports: Ports, now_ms: int, limits: Limits | None = None
    ) -> None:
        self._ports, self._limits, self._log = ports, limits or Limits(), ports.log
        self.wards = [Ward(name, ports.orders(name)) for name in names]
        self._began_ms = self._turned_ms = now_ms
        self._watched_from_ms = 0
        self._spare: Child | None = None
        self._spare_due_ms = 0  # not before
        self._spare_late_ms = 0  # from then on even while something starts
        self._stopping = self._hurried = False
        self._leaving: Sequence[Ward] = ()  # told to end, and waited for
        self._staying: list[tuple[Sequence[Ward], int]] = []  # whom to tell next, with the limit

    def stop(self) -> None:
        """End the house in order; told twice, at once."""
        self._hurried = self._stopping
        if not self._stopping:
            # The front door first, so that nobody is let in any more; then all others at once.
            self._staying = [
                (self.wards[-1:], self._limits.front_stop_ms_max),
                (self.wards[:-1], self._limits.stop_ms_max),
            ]
        self._stopping = True

    def turn(self, now_ms: int) -> bool:
        """Look at everything once; False once the house has ended."""
        if self._stopping:
            return self._wind_down(now_ms)
        if now_ms - self._turned_ms > self._limits.beat_ms_max // 2:
            self._watched_from_ms = now_ms  # We stood still ourselves, so silence proves nothing.
        self._turned_ms = now_ms
        for ward in self.wards:
            self._look_at(ward, now_ms)  # First who is dead: a release is for whom it finds held.
            for order in ward.orders.unread():
                self._obey(ward, order, now_ms)
        for ward in self.wards:
            if ward.due_ms is not None and now_ms >= ward.due_ms and self._may_start(ward, now_ms):
                self._start(ward, now_ms)
        self._keep_spare(now_ms)
        return True

    def wait_ms(self, now_ms: int) -> int:
        """How long nothing has to be looked at, unless a process ends meanwhile."""
        busy = any(ward.is_starting for ward in self.wards)
        turn_ms = self._limits.busy_turn_ms if busy else self._limits.turn_ms
        waits_ms = [wait for ward in self.wards if (wait := (ward.due_ms or 0) - now_ms) > 0]
        return min([turn_ms, *waits_ms])

    def end_all(self) -> None:
        """Whatever is left when the house ends is killed and waited for."""
        for ward in self.wards:
            if ward.process:
                ward.process.end()
                ward.process = None
            self._note(ward, "down")
        if self._spare:
            self._spare.end()
            self._spare = None

    # Watching.

    def _look_at(self, ward: Ward, now_ms: int) -> None:
        if ward.process is None:
            return
        code = ward.process.code()
        cell = self.cell_of(ward, now_ms)
        if code is not None:
            self._bury(ward, code, cell, now_ms)
            return
        if cell and cell.served_ms and not ward.serving:
            ward.serving = ward.was_serving = True
            self._log.info("actor.serving", actor=ward.name, after_ms=now_ms - ward.started_ms)
        self._note_seal(ward, cell)
        self._watch(ward, cell, now_ms)

    def _note_seal(self, ward: Ward, cell: CellView | None) -> None:
        """One that is sealed is on its way to nothing: nobody waits for it, and it is no hang."""
        sealed = cell is not None and cell.state == "sealed"
        if sealed and not ward.sealed:
            self._log.warning("actor.sealed", actor=ward.name, why=f"data/logs/{ward.name}.jsonl")
        ward.sealed = sealed

    def cell_of(self, ward: Ward, now_ms: int) -> CellView | None:
        """The cell, if this incarnation has opened it. Its pid alone does not tell: in a container
        that starts anew, each process gets the number it had before. Nor do its times alone: after
        a boot they are of another clock. Where no boot has a name, a beat that is yet to come
        betrays it: it was one of the machine before, when its clock stood higher."""
        cells = self._ports.cells
        cell = cells.read(ward.name)
        if cell is None or ward.process is None or cell.pid != ward.process.pid:
            return None
        if cell.boot != cells.boot:
            return None
        return cell if ward.started_ms <= cell.beat_ms <= now_ms + _TURN_MS_MAX else None

    def _watch(self, ward: Ward, cell: CellView | None, now_ms: int) -> None:
        """Kill what is silent, or did not end when told to."""
        limits = self._limits
        beat_ms = max(cell.beat_ms if cell else 0, ward.started_ms, self._watched_from_ms)
        patience_ms = limits.beat_ms_max if ward.serving else limits.start_ms_max
        overdue = ward.stop_by_ms is not None and now_ms > ward.stop_by_ms
        if ward.process and not ward.hung and (overdue or now_ms - beat_ms > patience_ms):
            self._log.warning("actor.hangs", actor=ward.name, silent_ms=now_ms - beat_ms)
            ward.hung = True
            ward.process.kill()

    def _bury(self, ward: Ward, code: int, cell: CellView | None, now_ms: int) -> None:
        """An incarnation ended: rule what follows and write it down."""
        asked = ward.stop_by_ms is not None
        death = _death(code, cell, now_ms, ward.hung)
        ward.process, ward.serving, ward.hung, ward.stop_by_ms = None, False, False, None
        ward.sealed = False
        if self._stopping:
            self._note(ward, "down")
            return
        if asked and code not in supervision.HELD_CODES:
            ward.due_ms = now_ms
            return
        ward.history, verdict = judge(ward.history, death)
        ward.due_ms = None if verdict.state == "held" else now_ms + verdict.wait_ms
        self._log.warning("actor.died", actor=ward.name, exit_code=code, verdict=verdict.state)
        self._note(ward, verdict.state, why=f"exit {code}" if code >= 0 else f"signal {-code}")

    # Starting.

    def _may_start(self, ward: Ward, now_ms: int) -> bool:
        """All at once; only the front door's first start waits until the others serve."""
        first_start = ward.started_ms == 0
        if ward is not self.wards[-1] or not first_start:
            return True
        if now_ms - self._began_ms >= self._limits.front_wait_ms_max:
            return True
        others = self.wards[:-1]
        return all(other.is_settled for other in others)

    def _start(self, ward: Ward, now_ms: int) -> None:
        again = ward.started_ms != 0
        # At the beginning the spare, importing beside the others, is kept for the front door.
        take_spare = self._spare and (again or ward is self.wards[-1])
        if take_spare and self._spare and self._spare.code() is None:
            ward.process, self._spare = self._spare, None
            self._spare_late_ms = now_ms + self._limits.spare_pause_ms
        else:
            ward.process = self._new_process()
        if ward.process is None:
            ward.due_ms = now_ms + supervision.BACKOFF_MS_MAX
            return
        ward.process.become(ward.name)
        if ward.paused:
            ward.process.tell({"pause": True})
        ward.started_ms, ward.due_ms = now_ms, None
        self._note(ward, "up", pid=ward.process.pid, again=again)

    def _keep_spare(self, now_ms: int) -> None:
        """Have one spare, made while nothing else wants the processors."""
        if self._spare is not None and self._spare.code() is not None:
            self._spare = None
            self._spare_due_ms = now_ms + self._limits.spare_pause_ms
        if self._spare is not None or now_ms < self._spare_due_ms:
            return
        booting = any(ward.started_ms == 0 for ward in self.wards)
        busy = any(ward.is_starting for ward in self.wards)
        if booting or not busy or now_ms >= self._spare_late_ms:
            self._spare = self._new_process()
            if self._spare is None:
                self._spare_due_ms = now_ms + self._limits.spare_pause_ms

    def _new_process(self) -> Child | None:
        try:
            return self._ports.proc.make()
        except OSError as error:
            self._log.error("supervisor.no_process", errno=error.errno)
            return None

    # Orders, and the end.

    def _obey(self, ward: Ward, order: Order, now_ms: int) -> None:
        self._log.info("supervisor.order", actor=ward.name, verb=order.verb)
        if order.verb == "kill" and ward.process:
            ward.process.kill()
        elif order.verb in ("pause", "resume"):
            ward.paused = order.verb == "pause"
            if ward.process:
                ward.process.tell({"pause": ward.paused})
        elif ward.process and (order.verb == "restart" or ward.is_released_by(order.verb)):
            ward.process.tell({"stop": True})
            ward.stop_by_ms = now_ms + self._limits.stop_ms_max
        elif order.verb in ("release", "restart") and not ward.process:
            ward.history, ward.due_ms = History(), now_ms

    def _wind_down(self, now_ms: int) -> bool:
        for ward in self.wards:
            self._look_at(ward, now_ms)
        while self._hurried or not any(ward.process for ward in self._leaving):
            if self._hurried or not self._staying:
                return False
            self._leaving, limit_ms = self._staying.pop(0)
            self._send_away(now_ms + limit_ms)
        return True

    def _send_away(self, by_ms: int) -> None:
        for ward in self._leaving:
            ward.due_ms, ward.stop_by_ms = None, by_ms
            if ward.process:
                ward.process.tell({"stop": True})

    def _note(
        self, ward: Ward, state: str, *, pid: int | None = None, why: str = "", again: bool = False
    ) -> None:
        self._ports.notes.note(ward.name, state, pid=pid, why=why, again=again)


def _death(code: int, cell: CellView | None, now_ms: int, hung: bool) -> Death:
    if cell is None:
        return Death(code, now_ms, served_ms=0, steps=0, hung=hung)
    poisoned = supervision.is_poisoned(cell.inflight, cell.suspect, cell.deaths)
    return Death(code, now_ms, cell.served_ms, cell.steps, hung, poisoned)
