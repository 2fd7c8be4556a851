"""The whole house, broken at each effect of a scene: who dies, what survives, how it goes on.

    Scene.setup ──▶ Scene.story, broken at effect n ──▶ who dies comes back ──▶ the merchant repeats
                                                          until it knows ──▶ actors.simulation.sound

An effect is one mutating call on `Fs` by any actor; they are counted through the whole story, over
all actors. The merchant writes through a process of its own, which is never broken.
"""

import copy
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from actors.simulation.house import GOOD, SimHouse
from actors.simulation.sound import is_final, key_of, must_be_sound
from actors.simulation.witness import Question, Witness
from payrail.errors import JournalLost
from payrail.runtime.sim import Call, Dropped, Fault, Kept, Lost, SimClock, SimCrash, Survival
from payrail.runtime.simfaults import Faults

WRITES = frozenset({"append", "pwrite"})
#: The token of the card that `card` has stored.
TOKEN = f"tok_{'card':0<32}"
#: A merchant asks again every 5 s, and has its answer long before this.
ROUNDS_MAX = 12
ROUND_MS = 5_000


@dataclass(frozen=True)
class Scene:
    """`setup` is not broken; `story` is, at each of its effects; `expect` must hold at the end."""

    name: str
    setup: Callable[[SimHouse], None]
    story: Callable[[SimHouse], None]
    expect: Callable[[SimHouse], None]
    from_nothing: bool = False  # the story begins with an empty disk
    house: Callable[[], SimHouse] = SimHouse


def card(house: SimHouse) -> None:
    """A good card lies in the vault."""
    house.tokenize(GOOD, "card")
    house.run()


@dataclass(frozen=True, slots=True)
class Break:
    """What goes wrong at effect `n`, and who has to be started again."""

    n: int
    kind: str  # crash_before | crash_after | torn | error
    kept_bytes: int = 0
    dies: str = "one"  # one | all | power
    survival: Survival | None = None

    def fault(self, call: Call) -> Fault:
        return Fault(call.n, self.kind, kept_bytes=self.kept_bytes)  # type: ignore[arg-type]


@dataclass
class Trap:
    """Counts the effects of all actors while armed, and springs at one of them."""

    at: Break | None = None
    armed: bool = False
    calls: list[tuple[str, Call]] = field(default_factory=list)
    sprung: bool = False

    def of(self, name: str) -> Faults:
        def fault(call: Call) -> Fault | None:
            if not self.armed:
                return None
            self.calls.append((name, call))
            if self.at is None or self.sprung or len(self.calls) != self.at.n:
                return None
            self.sprung = True
            return self.at.fault(call)

        return fault


class Stage:
    """A scene, set up once and played as often as it has ways to break."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self._base = scene.house()
        if not scene.from_nothing:
            self._base.start()
        scene.setup(self._base)

    def effects(self) -> list[tuple[str, Call]]:
        """(actor, call) of every effect of an undisturbed story, which must end well itself."""
        house, trap = self._copy(None)
        trap.armed = True
        self.scene.story(house)
        trap.armed = False
        self._end(house)
        self.judge(house)
        return trap.calls

    def play(self, broken: Break) -> SimHouse:
        """Break the story, bring back who died, and let the merchant go on. Result: the house."""
        house, trap = self._copy(broken)
        trap.armed = True
        try:
            self.scene.story(house)
        except SimCrash:
            house = self._come_back(house, broken)
        except (JournalLost, OSError):
            house = self._come_back(house, broken)
        trap.armed = False
        if not trap.sprung:
            raise AssertionError(f"effect {broken.n} never came")
        self._end(house)
        self.judge(house)
        return house

    def judge(self, house: SimHouse) -> None:
        """Raises AssertionError unless the house is sound and the scene ended as it must."""
        must_be_sound(house)
        self.scene.expect(house)

    def _copy(self, broken: Break | None) -> tuple[SimHouse, Trap]:
        base, trap = self._base, Trap(broken)
        now = base.clock.now()
        house = type(base)(
            copy.deepcopy(base.disk),
            SimClock(now.wire_ms, now.business_ms),
            base.rules,
            base.witness.copy(),
        )
        house.faults = trap.of
        if not self.scene.from_nothing:
            house.start()
        return house, trap

    def _come_back(self, house: SimHouse, broken: Break) -> SimHouse:
        house.collect()
        if broken.dies == "power":
            return house.cut_power(broken.survival or Dropped()).start()
        dead = {house.at_work, *(name for name in house.actors if name not in house.drivers)}
        return house.start(*(name for name in house.actors if name in dead or broken.dies == "all"))

    def _end(self, house: SimHouse) -> None:
        house.doors_closed = False
        for _ in range(ROUNDS_MAX):
            house.run()
            for question in _unanswered(house.witness):
                house.put(question.order, _name(house.witness, question), question.receiver)
            house.run()
            if not _unanswered(house.witness) and not _waiting(house):
                return
            house.wait(ROUND_MS)
        raise AssertionError("somebody still waits")


def _name(witness: Witness, question: Question) -> str:
    """As long as the door lives it repeats its question; a new door asks anew."""
    root = question.re.partition("~")[0]
    return root if witness.epoch == 1 else f"{root}~{witness.epoch}"


def _unanswered(witness: Witness) -> list[Question]:
    """One question for each key that has no final answer yet."""
    answered = {
        key_of(question)
        for re, question in witness.questions.items()
        if any(is_final(reply) for reply in witness.replies.get(re, ()))
    }
    open_keys = {key_of(q): q for q in witness.questions.values() if key_of(q) not in answered}
    return list(open_keys.values())


def _waiting(house: SimHouse) -> bool:
    return any(house.timers(name) or house.drivers[name].blocked for name in house.drivers)


def must_survive(
    scene: Scene, is_meant: Callable[[str, Call], bool] = lambda _actor, _call: True
) -> int:
    """Play a scene with every break of each effect that is meant. Raises AssertionError that names
    the break after which the house was not sound. Result: how many effects were broken."""
    stage = Stage(scene)
    calls = stage.effects()
    meant = [broken for broken in breaks(calls) if is_meant(*calls[broken.n - 1])]
    counts: Counter[str] = Counter()
    for broken in meant:
        try:
            stage.play(broken)
        except Exception as error:
            actor, call = calls[broken.n - 1]
            raise AssertionError(f"{actor}: {call}, {broken}") from error
        counts[broken.kind if broken.dies != "power" else "power cut"] += 1
    effects = len({broken.n for broken in meant})
    print(f"{scene.name}: {effects} effects, {counts.total()} cases {dict(counts)}")
    assert counts.total() > 6 * effects > 0
    return effects


def breaks(calls: list[tuple[str, Call]]) -> Iterator[Break]:
    """Every way to break each effect: nothing is sampled."""
    for n, (_, call) in enumerate(calls, 1):
        for dies in ("one", "all"):
            yield Break(n, "crash_before", dies=dies)
            yield Break(n, "crash_after", dies=dies)
        for survival in (Dropped(), Kept(), Lost()):
            yield Break(n, "crash_after", dies="power", survival=survival)
        yield Break(n, "error")
        if call.op in WRITES:
            yield from _torn(n, call)


def _torn(n: int, call: Call) -> Iterator[Break]:
    for kept_bytes in sorted({1, call.size_bytes // 2, call.size_bytes - 1} - {0}):
        yield Break(n, "torn", kept_bytes)
        yield Break(n, "torn", kept_bytes, dies="all")
        yield Break(n, "torn", kept_bytes, dies="power", survival=Kept())
    yield Break(n, "error", call.size_bytes // 2)
