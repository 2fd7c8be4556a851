"""The tests of this house can fail: each bug that is planted in the product is noticed."""

import json
import os
import subprocess
import sys

import pytest

from payrail.storage.lines import is_whole, sealed
from tests.planted import sources
from tests.planted.bugs import AREAS, NAMED
from tests.planted.edits import HERE, Edit, StaleEdit
from tests.planted.planted import NamedTests

TIMEOUT_S = 1_200
WHOLE = sealed(b'{"a":1}')


@pytest.mark.timeout(TIMEOUT_S)
def test_every_planted_bug_is_caught():
    """Each by a test that is green without it; `python -m tests.planted` shows by which."""
    command = [sys.executable, "-m", "tests.planted", "--json", "--jobs", str(os.cpu_count() or 1)]
    done = subprocess.run(
        command, cwd=HERE, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    results = json.loads(done.stdout)

    assert {row["bug"]: row["why"] for row in results if not row["caught"]} == {}
    assert len(results) == len(NAMED) >= 30
    assert done.returncode == 0


def test_every_bug_has_one_name():
    """Bugs are told apart by their names, also over areas."""
    assert len(NAMED) == sum(len(bugs) for bugs in AREAS.values())


@pytest.mark.parametrize("name", NAMED)
def test_a_bug_is_there_and_gone_again(name: str):
    """Its words are still in the product, who looks for it is still there, and nothing stays."""
    with NAMED[name].plant() as ran, sources.changed(NAMED[name].changes):
        assert ran
    assert is_whole(WHOLE)
    catchers = [catcher for catcher in NAMED[name].caught_by if isinstance(catcher, NamedTests)]
    nodes = [node for catcher in catchers for node in catcher.nodes]
    assert [node for node in nodes if not (HERE / node.partition("::")[0]).exists()] == []


def test_a_changed_function_is_the_same_for_whoever_holds_it():
    """It is changed in place, counts its calls, and is as it was when the block ends."""
    edit = Edit("payrail.storage.lines:is_whole", "== line[-66:-2]", "== line")
    held = is_whole
    with edit.planted() as ran:
        assert not held(WHOLE)
        assert ran.times == 1

    assert held(WHOLE)


@pytest.mark.parametrize("old", ["return Maybe", "line"])
def test_words_that_are_not_there_once_are_stale(old: str):
    """A bug that no longer fits the product is not passed over in silence."""
    with pytest.raises(StaleEdit), Edit("payrail.storage.lines:is_whole", old, "").planted():
        pass
