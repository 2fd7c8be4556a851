"""No moment to die in is a bad one: the whole house, broken at each effect of each of its scenes.

A kill takes the one actor whose effect it was, or all of them; a power cut takes everything and
what was not synced; a disk fails once, is full, or fails until people mend it. Then the merchant
repeats what it does not know. Here each effect is broken in a few of the ways, in turn;
`payrail simulate --crash-points` breaks it in all of them.
"""

from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import chain

import pytest

from actors.simulation import points
from actors.simulation.breaks import ways_of
from actors.simulation.points import Case, Effects, Key, Tally
from actors.simulation.scenes import SCENES

JOBS = 2
CASES_MIN = 6_000
WAYS_PER_EFFECT = 1

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def workers() -> Iterator[ProcessPoolExecutor]:
    with points.pool(JOBS) as found:
        yield found
        found.shutdown(cancel_futures=True)


@pytest.fixture(scope="module")
def effects(workers: ProcessPoolExecutor) -> dict[Key, Effects]:
    return dict(zip(SCENES, workers.map(points.effects, SCENES, chunksize=4), strict=True))


@pytest.fixture(scope="module")
def sample(effects: dict[Key, Effects]) -> dict[Key, list[Case]]:
    return points.sample(effects, WAYS_PER_EFFECT)


@pytest.fixture(scope="module")
def played(
    workers: ProcessPoolExecutor,
    sample: dict[Key, list[Case]],
    request: pytest.FixtureRequest,
) -> dict[Key, list["Future[Tally]"]]:
    """What was chosen for each scene that this run asks for, on its way through the workers."""
    wanted = [
        item.callspec.params["key"]
        for item in request.session.items
        if isinstance(item, pytest.Function) and "key" in getattr(item, "callspec", _NONE).params
    ]
    return {key: points.submitted(workers, sample[key]) for key in wanted if key in sample}


class _NONE:
    params: tuple[str, ...] = ()


@pytest.mark.parametrize("key", SCENES, ids=":".join)
def test_whatever_dies_at_whatever_effect_the_house_ends_the_same(
    key: Key, played: dict[Key, list["Future[Tally]"]], sample: dict[Key, list[Case]]
) -> None:
    """One effect, one answer, books that add up, nobody waiting: after every break of the scene."""
    tally = Tally()
    for part in played[key]:
        tally.add(part.result())
    assert tally.failures == {}
    assert tally.counts.total() == len(sample[key]) > 0


def test_every_way_meets_every_kind_of_call_on_every_class_of_files(
    effects: dict[Key, Effects], sample: dict[Key, list[Case]]
) -> None:
    """The sample leaves out no combination of a way, a call and a class of files, and no effect."""
    wanted = {
        (way, call.op, points.file_class(call.path))
        for _, call in chain.from_iterable(effects.values())
        for way in ways_of(call)
    }
    chosen = set()
    for case in chain.from_iterable(sample.values()):
        (broken,) = case.broken
        _, call = effects[case.key][broken.n - 1]
        chosen.add((broken.way_name, call.op, points.file_class(call.path)))
    assert wanted == chosen
    assert sum(map(len, sample.values())) >= CASES_MIN
    assert len({(case.key, case.broken[0].n) for case in chain.from_iterable(sample.values())}) == (
        sum(map(len, effects.values()))
    )
