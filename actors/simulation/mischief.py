"""What goes wrong in one run, when it does, and how long it lasts.

    effect ──▶ fault: of the disk or of the process, at once
           └─▶ begun: carried out between two turns by `begin`, ended by `end_due`

Never: draws a lot that is not the plan's own.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from errno import ENOSPC

from actors.simulation.evidence import BIT_ROT, POISON, Fired
from actors.simulation.faults import ANY, DAMAGES, DEATHS, GROWTH, KINDS, cut_after, fault_at, fits
from actors.simulation.habits import cuts_of
from actors.simulation.mail import Mail
from actors.simulation.rot import Rot
from actors.simulation.schedule import Plan, Trouble, chance
from actors.simulation.trace import Trace
from payrail.domain.words.kinds import EDGES
from payrail.runtime.sim import Call, Fault
from payrail.runtime.simfaults import Faults
from payrail.runtime.simmachine import SimMachine
from payrail.runtime.supervision import POISON_DEATHS
from payrail.web.simnet import FAIR, Asked, Fate

#: Poison comes in by a door: the ids of such messages begin so.
_EDGES = tuple(f"{edge}>" for edge in EDGES)


class Mischief:
    """One run's."""

    def __init__(self, plan: Plan, machine: SimMachine, trace: Trace) -> None:
        self._plan, self._machine, self._trace = plan, machine, trace
        self._pending = sorted(plan.troubles, key=lambda one: one.at)
        self._ends: list[tuple[int, int, Callable[[], None]]] = []
        self._chance = chance(plan.seed, "mischief")
        self.begun: list[Trouble] = []  # to be carried out between two turns
        self.dying: Trouble | None = None  # of what the process dies that just died
        self.counts: Counter[str] = Counter()
        self.fired: list[Fired] = []
        self.effects = 0
        self.is_calm = True  # not yet, or no more
        self._is_full = False
        self._poisons: dict[str, str] = {}  # actor: message; empty: the next one
        self._killed: Counter[str] = Counter()  # by such a message, as the actor's cell remembers
        self._hangs: set[str] = set()
        self._bells_are_lost = self._net_is_rough = False
        self.rot = Rot(plan.seed, machine, self._damaged)
        self.mail = Mail(
            plan.seed, machine, lambda one, path: self.note(one.kind, one.target, one.how, path)
        )
        self.rot.is_scarred = self.mail.is_scarred
        self.between: Callable[[], None] = lambda: None  # somebody else turns now
        self._cuts = cuts_of(plan.seed)
        self._places: dict[int, str] = {}  # of a trouble that lasts: the path at which it came
        self.sink_status: int | None = 204
        machine.faults = self.faults_of
        machine.rings = self._rings
        machine.mischief = self._message

    # At an effect.

    def faults_of(self, actor: str) -> Faults:
        """Of the files of a new process."""
        return lambda call: self._effect(actor, call)

    def _effect(self, actor: str, call: Call) -> Fault | None:
        self._trace.add(f"{actor} {call.op} {call.path} {call.size_bytes}")
        if self.is_calm:
            return None
        self.effects += 1
        if self._cuts and self._chance.random() < self._cuts:
            self.between()
        if self._is_full and call.op in GROWTH:
            return Fault(call.n, "error", errno=ENOSPC)
        for at, one in enumerate(self._pending):
            if one.at > self.effects:
                break
            if fits(one, actor, call) and not (self.dying and one.kind in DEATHS):
                del self._pending[at]
                return self._comes(one, actor, call)
        return None

    def _comes(self, one: Trouble, actor: str, call: Call) -> Fault | None:
        if KINDS[one.kind].lasts:
            self.begun.append(one)
            self._places[one.number] = call.path
            return None
        self.note(one.kind, actor, path=call.path)
        if one.kind in DEATHS:
            self.dying = one
        if cut := cut_after(one):
            power = Trouble(-one.number, "power cut", ANY, self.effects + cut, 0, "before")
            self._pending = sorted([*self._pending, power], key=lambda one: one.at)
        return fault_at(one, call)

    def note(self, kind: str, actor: str = "", about: str = "", path: str = "") -> None:
        """Write down a fault that happened."""
        self.counts[kind] += 1
        at_ms = self._machine.now_ms
        self.fired.append(Fired(kind, at_ms, self.effects, actor, about, path))
        self._trace.add(f"fault {kind} {actor} {about} {path}")

    def _damaged(self, kind: str, actor: str, path: str, offset: int) -> None:
        self.counts[kind] += 1
        self._trace.add(f"fault {kind} {path} {offset}")
        at_ms = self._machine.now_ms
        fired = Fired(BIT_ROT, at_ms, self.effects, actor, path=path, offset=offset, restored=True)
        self.fired.append(fired)

    # For a while.

    def begin(self, one: Trouble) -> None:
        """Carry out one that lasts. Drills and moves of business time are people's: `world`."""
        machine, target = self._machine, one.target
        if one.kind in DAMAGES:
            self._damages(one)
            return  # It is noted with its place, if it has one.
        match one.kind:
            case "full disk":
                self._is_full = True
                self._later(one, self._empty_disk)
            case "slow actor":
                machine.slow_ms[target] = max(1, one.lasts_ms // 10)
                self._later(one, lambda: machine.slow_ms.pop(target, None))
            case "stopped actor":
                machine.stop(target)
                self._later(one, lambda: machine.go_on(target))
            case "poison":
                self._poisons.setdefault(target, "")
                return  # It is noted when a message is hit.
            case "hung rule":
                self._hangs.add(target)
                return
            case "double start":
                machine.start_twice(target)
            case "lost bells":
                self._bells_are_lost = True
                self._later(one, self._mend_bells)
            case "clock set":
                machine.time.jump_wall_ms(int(one.how))
            case "frozen clock":
                machine.time.is_frozen = True
                self._later(one, self._thaw)
            case "rough net":
                self._net_is_rough = True
                self._later(one, self._smooth_net)
            case "failing sink":
                self.sink_status = int(one.how) or None
                self._later(one, self._mend_sink)
        self.note(one.kind, target)

    def _damages(self, one: Trouble) -> None:
        if one.kind == "mail rot":
            if self.mail.begin(one, self._places[one.number]):
                self._later(one, lambda: self.mail.heal(one.target))
        elif self.rot.begin(one):
            self._later(one, lambda: self.rot.restore(one))

    def _later(self, one: Trouble, end: Callable[[], object]) -> None:
        at_ms = self._machine.now_ms + one.lasts_ms
        self._ends.append((at_ms, one.number, lambda: (end(), None)[1]))
        self._ends.sort(key=lambda row: row[:2])

    def next_ms(self) -> int | None:
        """When something ends."""
        return self._ends[0][0] if self._ends else None

    def end_due(self) -> bool:
        """End what has lasted long enough. False: nothing."""
        found = False
        while self._ends and self._ends[0][0] <= self._machine.now_ms:
            self._ends.pop(0)[2]()
            found = True
        return found

    def calm(self) -> None:
        """No more faults; what lasts ends now. People mend what they must."""
        self.is_calm = True
        self._pending.clear()
        self.begun.clear()
        self._poisons.clear()
        self._hangs.clear()
        # What has not killed often enough to be set aside is harmless from now on, and is taken.
        self.fired = [
            replace(one, restored=True)
            if one.kind == POISON and self._killed[one.about] < POISON_DEATHS
            else one
            for one in self.fired
        ]
        ends, self._ends = self._ends, []
        for _, _, end in ends:
            end()

    def _empty_disk(self) -> None:
        self._is_full = False

    def _mend_bells(self) -> None:
        self._bells_are_lost = False

    def _thaw(self) -> None:
        self._machine.time.is_frozen = False

    def _smooth_net(self) -> None:
        self._net_is_rough = False

    def _mend_sink(self) -> None:
        self.sink_status = 204

    # What the machine and the net ask.

    def _rings(self, _actor: str) -> int:
        return self._chance.choice((0, 0, 1, 2)) if self._bells_are_lost else 1

    def _message(self, actor: str, message: str) -> str:
        if self.is_calm:
            return ""
        if actor in self._hangs:
            self._hangs.discard(actor)
            self.note("hung rule", actor, about=message)
            return "hang"
        if actor not in self._poisons or not message.startswith(_EDGES):
            return ""
        if not self._poisons[actor]:
            self._poisons[actor] = message
            self.note(POISON, actor, about=message)
        if self._poisons[actor] != message:
            return ""
        self._killed[message] += 1
        return "kill"

    def power_cut(self) -> None:
        """The cells are lost: nobody remembers what killed its readers."""
        self._killed.clear()

    def fate(self, _asked: Asked) -> Fate:
        """What becomes of a request on its way."""
        if not self._net_is_rough:
            return FAIR
        own = self._chance
        return Fate(
            request_ms=own.choice((0, 0, 5, 200)),
            answer_ms=own.choice((0, 0, 5, 200)),
            loses=own.choice(("", "", "request", "answer")),
            twice=own.random() < 0.2,
        )
