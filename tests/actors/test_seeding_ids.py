"""The ids of a seeded run: all of them, in a file, and none in memory."""

import tracemalloc

import pytest

from actors.cli.seeding.ids import Ids
from payrail.domain.synthetic import Plan


def _id(number: int) -> str:
    return f"pi_{number:016d}"


def test_every_key_tells_the_id_it_was_given():
    """Also after the table was made anew, several times, and for a key that was put twice."""
    with Ids() as ids:
        for number in range(20_000):
            ids.put(f"seed-42-c1000-p{number:07d}", _id(number))
        ids.put("seed-42-c1000-p0000007", _id(7))
        assert ids.count == 20_000
        assert all(ids.get(f"seed-42-c1000-p{n:07d}") == _id(n) for n in range(20_000))
        assert ids.get("seed-42-p00001") == ""


def test_every_key_of_a_plan_has_a_place_of_its_own():
    """Scenes, subscriptions, sales, rings and runs of card testing: what was put is found again."""
    keys = [one.key for one in Plan(42, 3_000, merchants=2).stream()]
    assert {key.rpartition("m2-")[2][:1] for key in keys} >= {"p", "w", "d", "b", "r", "t"}
    with Ids() as ids:
        for number, key in enumerate(keys):
            assert ids.get(key) == ""
            ids.put(key, _id(number))
        assert ids.count == len(keys)
        assert [ids.get(key) for key in keys] == [_id(number) for number in range(len(keys))]


def test_what_is_no_id_is_refused():
    """A slot has the size of an id: another would damage its neighbour."""
    with Ids() as ids, pytest.raises(ValueError, match="no id"):
        ids.put("seed-42-p00001", "pi_short")


def test_ids_take_no_memory():
    """Fifty thousand of them are a file, not a dict."""
    tracemalloc.start()
    try:
        with Ids() as ids:
            for number in range(50_000):
                ids.put(f"p{number}", _id(number))
            held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 1_000_000
