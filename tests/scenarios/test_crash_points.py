"""No moment to die in is a bad one: the whole house, broken at each effect of each of its scenes.

A kill takes the one actor whose effect it was, or all of them; a power cut takes everything and
what was not synced; a disk fails once, is full, or fails until people mend it. Then the merchant
repeats what it does not know. Here each effect is broken in two of the ways, in turn, and in more
where few effects are alike; `payrail simulate --crash-points` breaks each in all of them.
"""

from functools import cache
from itertools import chain

import pytest

from actors.simulation import points
from actors.simulation.breaks import ways_of
from actors.simulation.house import ACTORS
from actors.simulation.points import Case, Effects, Key
from actors.simulation.scenes import SCENES

CASES_MIN = 10_000
WAYS_PER_EFFECT = 2

pytestmark = pytest.mark.timeout(600)


@cache
def effects() -> dict[Key, Effects]:
    return {key: points.effects(key) for key in SCENES}


@cache
def sample() -> dict[Key, list[Case]]:
    return points.sample(effects(), WAYS_PER_EFFECT)


@pytest.mark.parametrize("key", SCENES, ids=":".join)
def test_whatever_dies_at_whatever_effect_the_house_ends_the_same(key: Key) -> None:
    """One effect, one answer, books that add up, nobody waiting: after every break of the scene."""
    tally = points.play_all(sample()[key])

    assert tally.failures == {}
    assert tally.counts.total() > 0


def test_every_way_meets_every_kind_of_call_on_every_class_of_files() -> None:
    """The sample leaves out no combination of a way, a call and a class of files, and no effect."""
    wanted = {
        (way, call.op, points.file_class(call.path))
        for _, call in chain.from_iterable(effects().values())
        for way in ways_of(call)
    }
    chosen, broken = set(), set()
    for case in chain.from_iterable(sample().values()):
        (one,) = case.broken
        _, call = effects()[case.key][one.n - 1]
        chosen.add((one.way_name, call.op, points.file_class(call.path)))
        broken.add((case.key, one.n))

    assert wanted == chosen
    assert len(broken) == sum(map(len, effects().values()))
    assert sum(map(len, sample().values())) >= CASES_MIN


@pytest.mark.parametrize(
    ("key", "names"),
    [
        (("payments", "snapshot"), ACTORS),
        (("documents", "gateway-is-reborn-from-what-it-saved-of-a-refund"), ("gateway",)),
    ],
    ids=lambda value: value[0],
)
def test_whoever_begins_anew_in_a_scene_begins_with_what_it_saved(
    key: Key, names: tuple[str, ...]
) -> None:
    """So that the breaks of these scenes fall between a snapshot and its use."""
    scene = SCENES[key]
    house = scene.house().start()
    scene.setup(house)
    scene.story(house)

    assert all(house.drivers[name].found.from_documents for name in names)
