"""The whole house, broken at each effect of a scene: who dies, what survives, how it goes on.

    Scene.setup ──▶ Scene.story, broken at effect n ──▶ who dies comes back ──▶ the merchant repeats
                                                          until it knows ──▶ actors.simulation.sound

Where the disk fails until people mend it, everybody tries again before they do. After every error
the power is cut too, once all is at rest: what was told since must outlive that.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from actors.simulation.breaks import Break
from actors.simulation.crashes import Scene, Trap
from actors.simulation.house import SimHouse
from actors.simulation.sound import is_final, key_of, must_be_sound
from actors.simulation.witness import Question, Witness
from payrail.errors import JournalLost
from payrail.runtime.sim import Call, Dropped, SimClock, SimCrash

#: A merchant asks again every 5 s, and has its answer long before this: a provider may say that it
#: takes a minute.
ROUNDS_MAX = 16
ROUND_MS = 5_000
#: So often everybody tries again on a disk that fails for ever, before people mend it.
ROUNDS_BROKEN = 2
#: What ends an incarnation here; anything else is a fault of ours.
_DEATHS = (SimCrash, JournalLost, OSError)


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
        play = self._play(())
        play.trap.armed = True
        self.scene.story(play.house)
        play.trap.armed = False
        play.end()
        play.judge()
        return play.trap.calls

    def play(self, *broken: Break) -> "Play":
        """Break the story, bring back who died, and let the merchant go on. Result: the play, whose
        trap has counted the effects since it sprang. Raises AssertionError."""
        play = self._play(broken)
        play.through()
        if len(play.trap.sprung) < len(broken):
            raise AssertionError(f"effect {broken[len(play.trap.sprung)].n} never came")
        return play

    def _play(self, broken: Sequence[Break]) -> "Play":
        base, trap = self._base, Trap(broken)
        now = base.clock.now()
        house = type(base)(
            base.disk.twin(),
            SimClock(now.wire_ms, now.business_ms),
            base.rules,
            base.witness.copy(),
        )
        house.faults = trap.of
        if not self.scene.from_nothing:
            house.start()
        return Play(self.scene, house, trap)


@dataclass
class Play:
    """One performance: the house as it is now, and what is to go wrong in it."""

    scene: Scene
    house: SimHouse
    trap: Trap

    def through(self) -> None:
        """From the first effect to the verdict."""
        self.trap.armed = True
        alive = self._does(lambda: self.scene.story(self.house))
        self.trap.armed = bool(self.trap.sprung)  # what follows is counted too
        if self.trap.lasting is not None:
            alive = self._bear(alive) and self._does(self._people_mend)
        self._come_to_an_end(alive)
        self.trap.armed = False
        if self.trap.sprung and self.trap.last.fault == "error" and self.can_lose_power:
            self._lose_what_was_not_synced()
        self.judge()

    @property
    def can_lose_power(self) -> bool:
        """Whether anything can be promised for a power cut: not where a folder's sync has failed
        and a name was not made anew, nor for what people wrote and an actor that died over it
        could not make durable for them."""
        if self.trap.last.lasts != "once" and self.trap.has_failed("sync", "/hand.jsonl"):
            return False
        return not self.house.disk.lost_names()

    def _come_to_an_end(self, alive: bool) -> None:
        for _ in range(len(self.trap.at) + 2):
            if alive and self._does(self.end):
                return
            alive = self._does(self._come_back)
        raise AssertionError("somebody dies of nothing")

    def end(self) -> None:
        """The merchant repeats what it does not know, until everybody is at rest."""
        house = self.house
        house.doors_closed = False
        for _ in range(ROUNDS_MAX):
            house.run()
            self._repeat()
            house.run()
            if not _unanswered(house.witness) and not _waiting(house):
                _save(house)
                return
            house.wait(ROUND_MS)
        raise AssertionError("somebody still waits")

    def judge(self) -> None:
        """Raises AssertionError unless the house is sound and the scene ended as it must."""
        must_be_sound(self.house)
        self.scene.expect(self.house)

    def _does(self, what: Callable[[], object]) -> bool:
        """Whether nobody dies of it."""
        try:
            what()
        except _DEATHS:
            return False
        return True

    def _come_back(self) -> None:
        self.house.collect()
        way, house = self.trap.last, self.house
        if way.dies == "power":
            self.house = house.cut_power(way.survival or Dropped())
            self.house.faults = self.trap.of
            self.house.start()
            return
        dead = {house.at_work, *(name for name in house.actors if name not in house.drivers)}
        house.start(*(name for name in house.actors if name in dead or way.dies == "all"))

    def _repeat(self, without: str = "") -> None:
        for question in _unanswered(self.house.witness):
            if question.receiver != without:
                name = _name(self.house.witness, question)
                self.house.put(question.order, name, question.receiver)

    # A disk that fails until it is mended.

    def _bear(self, alive: bool) -> bool:
        """Nobody mends the disk yet: who can go on goes on, who died is tried again and dies."""
        if not alive:
            self.house.bury(self.house.at_work)
        for _ in range(ROUNDS_BROKEN):
            self._without_the_dead(self.house.run)
            self._repeat(without="vault")  # its door died with it, and a card is stored once
            self._without_the_dead(self.house.run)
            for name in [name for name in self.house.actors if name not in self.house.drivers]:
                self._without_the_dead(partial(self.house.start, name))
        return True

    def _without_the_dead(self, what: Callable[[], object]) -> None:
        house = self.house
        for _ in house.actors:
            if self._does(what):
                return
            house.bury(house.at_work)

    def _people_mend(self) -> None:
        """The disk is whole again, and people release whoever is held."""
        self.trap.is_mended = True
        house = self.house
        house.start(*(name for name in house.actors if name not in house.drivers))

    def _lose_what_was_not_synced(self) -> None:
        """Whatever was told after the error must also outlive the power."""
        self.house = self.house.cut_power(Dropped()).start()
        self.end()


def _save(house: SimHouse) -> None:
    """As everybody does at rest; here only after a death in the middle of it, to save time."""
    if any(path.endswith(".tmp") for path in house.disk.names):
        for name in house.drivers:
            house.at_work = name
            house.drivers[name].write_documents()


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
