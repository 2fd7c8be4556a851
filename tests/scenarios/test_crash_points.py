"""No moment to die in is a bad one: the whole house, broken at each effect of each of its scenes.

A kill takes the one actor whose effect it was, or all of them; a power cut takes everything and
what was not synced; a disk fails once, is full, or fails until people mend it. Then the merchant
repeats what it does not know. Here each effect is broken in two of the ways, in turn, and in more
where few effects are alike; `payrail simulate --crash-points` breaks each in all of them.
"""

from functools import cache
from itertools import chain

import pytest
from typer.testing import CliRunner

from actors.cli.exits import Stop
from actors.cli.main import app
from actors.simulation import points
from actors.simulation.breaks import ways_of
from actors.simulation.house import ACTORS
from actors.simulation.points import Case, Effects, Key
from actors.simulation.scenes import FLOWS, SCENES

CASES_MIN = 10_000
WAYS_PER_EFFECT = 2
PAIRS_PER_SCENE = 4

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


@pytest.mark.parametrize("flow", FLOWS)
def test_a_second_death_in_the_recovery_from_the_first_changes_nothing(flow: str) -> None:
    """A few pairs of each scene: any later effect, of whoever recovers or goes on."""
    for scene in FLOWS[flow]:
        tally = points.play_pairs((flow, scene.slug), seed=1, count=PAIRS_PER_SCENE)

        assert tally.failures == {}
        assert tally.counts["pair"] > 0


def test_the_same_seed_breaks_the_same_pairs() -> None:
    """A pair is known by its text, and the text plays it again."""
    key = ("edges", "the-first-epoch")
    found = [[str(case) for case in points.pairs(key, seed, 8)] for seed in (1, 1, 2)]

    assert found[0] == found[1] != found[2]
    assert all(str(points.read_case(text)) == text for text in found[0])


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("edges/the-first-epoch/2/torn-half-one", 66, "no break"),
        ("edges/the-first-epoch/1/after-all", 0, "holds"),
        ("edges/the-first-epoch/1/after-all+2/error", 0, "holds"),
        ("edges/the-last-epoch/1/after-all", 66, "there is no scene"),
        ("edges/the-first-epoch/1/of-boredom", 66, "no break"),
        ("edges/the-first-epoch/999/after-all", 66, "has no effect"),
    ],
)
def test_one_crash_point_is_played_again_by_its_name(text: str, code: int, said: str) -> None:
    """A name that is none says what there is, and nothing is played."""
    result = CliRunner().invoke(app, ["simulate", "--case", text])

    assert said in f"{result.stdout}{result.exception}"
    found = result.exception.code if isinstance(result.exception, Stop) else result.exit_code
    assert found == code


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
