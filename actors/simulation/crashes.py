"""A scene, and the trap that breaks it: what is played, and where it goes wrong.

An effect is one mutating call on `Fs` by any actor; they are counted through the whole story, over
all actors. A second break is counted from the first: in the recovery from it, or in what follows.
The merchant writes through a process of its own, which is never broken.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from actors.simulation.breaks import Break, Way
from actors.simulation.house import GOOD, SimHouse
from payrail.runtime.sim import Call, Fault
from payrail.runtime.simfaults import Faults

#: The token of the card that `card` has stored.
TOKEN = f"tok_{'card':0<32}"

Act = Callable[[SimHouse], None]


@dataclass(frozen=True)
class Scene:
    """`setup` is not broken; `story` is, at each of its effects; `expect` must hold at the end."""

    name: str
    setup: Act
    story: Act
    expect: Act
    from_nothing: bool = False  # the story begins with an empty disk
    house: Callable[[], SimHouse] = SimHouse

    @property
    def slug(self) -> str:
        """Its name in one word that no shell reads otherwise."""
        return self.name.replace(" ", "-").replace("'", "").replace(",", "")


def card(house: SimHouse) -> None:
    """A good card lies in the vault."""
    house.tokenize(GOOD, "card")
    house.run()


@dataclass
class Trap:
    """Counts the effects of all actors while armed, and springs at those that are to break."""

    at: Sequence[Break] = ()
    armed: bool = False
    calls: list[tuple[str, Call]] = field(default_factory=list)  # since it sprang last
    sprung: list[tuple[str, Call]] = field(default_factory=list)
    failed: list[Call] = field(default_factory=list)  # with all that went wrong afterwards
    is_mended: bool = False

    def of(self, name: str) -> Faults:
        def fault(call: Call) -> Fault | None:
            if self.lasting is not None and self._still_hits(self.lasting, name, call):
                self.failed.append(call)
                return self.lasting.of(call)
            if not self.armed:
                return None
            self.calls.append((name, call))
            left = self.at[len(self.sprung) :]
            if not left or len(self.calls) != left[0].n:
                return None
            self.sprung.append((name, call))
            self.failed.append(call)
            self.calls.clear()
            return left[0].way.of(call)

        return fault

    @property
    def last(self) -> Way:
        """What went wrong last."""
        return self.at[len(self.sprung) - 1].way

    @property
    def lasting(self) -> Way | None:
        """What goes wrong until somebody mends it."""
        if not self.sprung or self.is_mended or self.last.lasts == "once":
            return None
        return self.last

    def has_failed(self, op: str, path_end: str) -> bool:
        return any(call.op == op and call.path.endswith(path_end) for call in self.failed)

    def _still_hits(self, way: Way, name: str, call: Call) -> bool:
        culprit, at = self.sprung[-1]
        if way.lasts == "file" and (culprit, at.path) != (name, call.path):
            return False
        return call.op in way.ops
