"""The ids of a seeded house stand by key in a file, and no two keys share a place."""

import pytest

from actors.cli.seeding.ids import Ids
from payrail.domain.synthetic import Plan


def test_every_key_of_a_plan_has_a_place_of_its_own():
    """Scenes, subscriptions, sales, rings and runs of card testing: what was put is found again."""
    keys = [one.key for one in Plan(42, 3_000, merchants=2).stream()]
    assert {key.rpartition("m2-")[2][:1] for key in keys} >= {"p", "w", "d", "b", "r", "t"}
    with Ids() as ids:
        for number, key in enumerate(keys):
            assert ids.get(key) == ""
            ids.put(key, f"pi_{number:016d}")
        assert ids.count == len(keys)
        assert [ids.get(key) for key in keys] == [f"pi_{n:016d}" for n in range(len(keys))]


def test_what_is_no_key_of_a_plan_is_refused():
    """A key that nobody planned has no place, and an id of another length does not fit."""
    with Ids() as ids:
        with pytest.raises(ValueError, match="no key"):
            ids.get("tour-1")
        with pytest.raises(ValueError, match="no id"):
            ids.put("seed-42-p00001", "pi_1")
