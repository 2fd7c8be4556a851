"""Crash points by the thousand: which cases there are, and playing them in processes side by side.

    flow/scene/effect/way                    refunds/refund-made/12/torn-half-one
    flow/scene/effect/way+effect/way         the second counted from the first

A case is its text; the same text plays the same, everywhere. Every process sets up a scene once.
"""

import functools
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from actors.simulation.breaks import FAMILIES, PASSING, WAYS, Break, breaks, read_breaks, ways_of
from actors.simulation.plays import Play, Stage
from actors.simulation.scenes import FLOWS, SCENES
from actors.simulation.workers import Workers
from payrail.runtime.sim import Call

#: How a case is written.
FORM = "FLOW/SCENE/N/WAY"

Key = tuple[str, str]  # flow and scene
Effects = list[tuple[str, Call]]

#: Cases that one process plays before it tells of them.
AT_ONCE = 100
#: And pairs, which take longer.
PAIRS_AT_ONCE = 80
#: Scenes that a process keeps set up.
STAGES_MAX = 8
#: Second breaks that are tried after one first break, which is played once to count what follows.
SECONDS = 4


@dataclass(frozen=True, slots=True)
class Case:
    """One way to break one scene."""

    flow: str
    scene: str
    broken: tuple[Break, ...]

    @property
    def key(self) -> Key:
        return self.flow, self.scene

    @property
    def family(self) -> str:
        return self.broken[0].way.family if len(self.broken) == 1 else "pair"

    def __str__(self) -> str:
        return f"{self.flow}/{self.scene}/{'+'.join(map(str, self.broken))}"


def read_case(text: str) -> Case:
    """What `str` of a case says. Raises ValueError that names what there is."""
    flow, _, rest = text.partition("/")
    slug, _, broken = rest.partition("/")
    key = must_be_scene(flow, slug)
    number, _, way = broken.partition("+")[0].partition("/")
    _must_be_there(key, number, way)
    return Case(*key, read_breaks(broken))


def must_be_flow(flow: str) -> None:
    """Raises ValueError for one that is none."""
    if flow not in FLOWS:
        known = ", ".join(FLOWS)
        raise ValueError(f"there is no flow {flow!r}; a case is {FORM}, with a flow of {known}")


def must_be_scene(flow: str, slug: str) -> Key:
    """Raises ValueError for a flow or a scene that is none."""
    must_be_flow(flow)
    if (flow, slug) not in SCENES:
        known = ", ".join(scene.slug for scene in FLOWS[flow])
        raise ValueError(f"there is no scene {slug!r} in {flow}; a case is {FORM}; it has {known}")
    return flow, slug


def _must_be_there(key: Key, number: str, way: str) -> None:
    """The first break can be looked up; what follows from it is only known once it is played."""
    calls, scene = effects(key), "/".join(key)
    if not re.fullmatch("[0-9]{1,9}", number) or not 1 <= int(number) <= len(calls):
        numbers = f"a case is {FORM}, with N from 1 to {len(calls)}"
        raise ValueError(f"{scene} has no effect {number!r}; {numbers}")
    if way not in (there := ways_of(calls[int(number) - 1][1])):
        raise ValueError(f"{way!r} is no break of {scene}/{number}; it has {', '.join(there)}")


@dataclass
class Tally:
    """What came of some cases: how many of each family, and which did not end well."""

    counts: Counter[str] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)  # case -> what was wrong

    def add(self, other: "Tally") -> None:
        self.counts += other.counts
        self.failures.update(other.failures)


#: Cases of a scene that one process plays at once.
Part = tuple[Key, Callable[[], Tally]]


@functools.lru_cache(maxsize=STAGES_MAX)
def stage(key: Key) -> Stage:
    return Stage(SCENES[key])


def effects(key: Key) -> Effects:
    """Every effect of a scene that nobody disturbs."""
    return stage(key).effects()


def play(case: Case) -> None:
    """Play one case. Raises AssertionError that says what was not as it must be."""
    stage(case.key).play(*case.broken)


def play_all(cases: Iterable[Case]) -> Tally:
    """Play these cases, whatever comes of them."""
    tally = Tally()
    for case in cases:
        tally.counts[case.family] += 1
        try:
            play(case)
        except Exception as error:
            tally.failures[str(case)] = _told(error)
    return tally


def play_pairs(key: Key, seed: int, count: int) -> Tally:
    """Break a scene `count` times, and once more while it recovers or goes on."""
    return play_all(pairs(key, seed, count))


def pairs(key: Key, seed: int, count: int) -> Iterator[Case]:
    """First breaks, and second ones at any later effect, by the chance of this seed. A first one
    that does not end well is given alone."""
    chance = random.Random(f"{seed}/{'/'.join(key)}")
    firsts = [one for one in breaks(effects(key)) if one.way_name in PASSING]
    for at in range(0, count, SECONDS):
        first = chance.choice(firsts)
        try:
            played = stage(key).play(first)
        except Exception:
            yield Case(*key, (first,))
            continue
        for _ in range(min(SECONDS, count - at) if played.trap.calls else 0):
            yield Case(*key, (first, _second(played, chance)))


def _second(played: Play, chance: random.Random) -> Break:
    calls = played.trap.calls
    n = chance.randint(1, len(calls))
    ways = [name for name in ways_of(calls[n - 1][1]) if name in PASSING]
    if not played.can_lose_power:
        ways = [name for name in ways if WAYS[name].dies != "power"]
    return Break(n, chance.choice(ways))


def every_case(key: Key, found: Effects) -> list[Case]:
    """Each effect of a scene, in each way."""
    return [Case(*key, (one,)) for one in breaks(found)]


# Which of them, when there is no time for all.


def file_class(path: str) -> str:
    """A path without what differs from day to day and from content to content."""
    plain = re.sub(r"/\.(.*)\.tmp$", r"/\1", path)
    plain = re.sub(r"\d{4}-\d\d-\d\d(-\d\d)?", "DATE", plain)
    plain = re.sub(r"[0-9a-f]{64}", "SHA", plain)
    return re.sub(r"\.\d{6}\.\d{12}\.", ".PLACE.", plain)


def sample(found: dict[Key, Effects], per_effect: int) -> dict[Key, list[Case]]:
    """`per_effect` ways for each effect, in turn, so that each kind of call on each class of files
    meets every way; more where it has too few effects for that. The same every time."""
    places: dict[tuple[str, str], list[tuple[Key, int, Call]]] = {}
    for key, calls in found.items():
        for n, (_, call) in enumerate(calls, 1):
            places.setdefault((call.op, file_class(call.path)), []).append((key, n, call))
    cases: dict[Key, list[Case]] = {key: [] for key in found}
    for effects_of_class in places.values():
        for key, one in _in_turn(effects_of_class, per_effect):
            cases[key].append(Case(*key, (one,)))
    for key, chosen in cases.items():
        cases[key] = sorted(set(chosen), key=lambda case: (case.broken[0].n, str(case)))
    return cases


def _in_turn(
    places: Sequence[tuple[Key, int, Call]], per_effect: int
) -> Iterator[tuple[Key, Break]]:
    turns = dict.fromkeys(WAYS, 0)
    rounds = -(-len(WAYS) // (per_effect * len(places)))  # so many that each way has its turn
    for key, n, call in list(places) * rounds:
        rarest = sorted(ways_of(call), key=lambda name: turns[name])
        for name in rarest[:per_effect]:
            turns[name] += 1
            yield key, Break(n, name)


# Side by side.


def begun(jobs: int) -> Workers:
    """Processes that begin with nothing of ours."""
    return Workers(jobs, "spawn")


def parts_of(key: Key, cases: Sequence[Case]) -> Iterator[Part]:
    """These cases of a scene, some at a time."""
    for at in range(0, len(cases), AT_ONCE):
        yield key, functools.partial(play_all, cases[at : at + AT_ONCE])


def pair_parts(key: Key, seed: int, count: int) -> Iterator[Part]:
    """So many pairs of a scene, some at a time."""
    for at in range(0, count, PAIRS_AT_ONCE):
        some = min(PAIRS_AT_ONCE, count - at)
        yield key, functools.partial(play_pairs, key, seed + at, some)


def play_part(part: Part) -> Tally:
    return part[1]()


def _told(error: Exception) -> str:
    text = f"{type(error).__name__}: {error}"
    return text.splitlines()[0][:300]


__all__ = ["FAMILIES", "Case", "Tally", "begun", "effects", "play", "read_case", "sample"]
