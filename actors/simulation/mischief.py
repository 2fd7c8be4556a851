"""What goes wrong in one run, and when it does.

    effect ──▶ fault: of the disk or of the process, at once
           └─▶ begun: carried out between two turns by `begin`; what lasts is `lasting`
    message ──▶ poison, a rule that hangs

What is counted has happened to somebody: what found nobody is not among `counts` and `fired`.
Never: draws a lot that is not the plan's own.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from errno import ENOSPC

from actors.simulation.evidence import BIT_ROT, POISON, Fired
from actors.simulation.faults import ANY, DEATHS, GROWTH, KINDS, cut_after, fault_at, fits
from actors.simulation.habits import cuts_of
from actors.simulation.lasting import Lasting
from actors.simulation.mail import Mail
from actors.simulation.rot import Rot
from actors.simulation.schedule import FAULTS_WANTED, Plan, Trouble, chance
from actors.simulation.trace import Trace
from payrail.domain.words.kinds import EDGES
from payrail.runtime.sim import Call, Fault
from payrail.runtime.simfaults import Faults
from payrail.runtime.simmachine import SimMachine
from payrail.runtime.supervision import POISON_DEATHS

HUNG_RULE = "hung rule"
#: Poison comes in by a door: the ids of such messages begin so.
_EDGES = tuple(f"{edge}>" for edge in EDGES)


class Mischief:
    """One run's."""

    def __init__(self, plan: Plan, machine: SimMachine, trace: Trace) -> None:
        self._plan, self._machine, self._trace = plan, machine, trace
        self._pending = sorted(plan.troubles, key=lambda one: one.at)
        self.begun: list[Trouble] = []  # to be carried out between two turns
        self.dying: Trouble | None = None  # of what the process dies that just died
        self.counts: Counter[str] = Counter()
        self.fired: list[Fired] = []
        self.effects = 0
        self.is_calm = True  # not yet, or no more
        self._poisons: dict[str, str] = {}  # actor: message; empty: the next one
        self._killed: Counter[str] = Counter()  # by such a message, as the actor's cell remembers
        self._hangs: set[str] = set()
        self.rot = Rot(plan.seed, machine, self._damaged)
        self.mail = Mail(
            plan.seed, machine, lambda one, path: self.note(one.kind, one.target, one.how, path)
        )
        self.rot.is_scarred = self.mail.is_scarred
        self.between: Callable[[], None] = lambda: None  # somebody else turns now
        self._cuts = cuts_of(plan.seed)
        self._places: dict[int, str] = {}  # of a trouble that lasts: the path at which it came
        self._chance = chance(plan.seed, "mischief")
        self.lasting = Lasting(self._chance, machine, self._damages, self.note)
        machine.faults = self.faults_of
        machine.rings = lambda _actor: self.lasting.rings()
        machine.mischief = self._message

    @property
    def lacks_faults(self) -> bool:
        """Whether there was hardly any yet, and some still wait for their effect."""
        return bool(self._pending) and self.counts.total() < FAULTS_WANTED

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
        self.lasting.at_effect(actor, call)
        if self.lasting.is_full and call.op in GROWTH:
            self.lasting.no_room()
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
        self.lasting.calm()

    # Between two turns.

    def begin(self, one: Trouble) -> None:
        """Carry out one that waits for something or lasts. Drills and moves of business time are
        people's: `world`."""
        if one.kind == POISON:
            self._poisons.setdefault(one.target, "")
        elif one.kind == HUNG_RULE:
            self._hangs.add(one.target)
        else:
            self.lasting.begin(one)

    def _damages(self, one: Trouble) -> Callable[[], object] | None:
        """Damage a file. It is noted with its place, if it has one. Result: what mends it."""
        if one.kind == "mail rot":
            is_there = self.mail.begin(one, self._places[one.number])
            return (lambda: self.mail.heal(one.target)) if is_there else None
        return (lambda: self.rot.restore(one)) if self.rot.begin(one) else None

    # What the machine asks.

    def _message(self, actor: str, message: str) -> str:
        if self.is_calm:
            return ""
        if actor in self._hangs:
            self._hangs.discard(actor)
            self.note(HUNG_RULE, actor, about=message)
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
