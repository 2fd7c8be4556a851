"""The stories of the README, each in a house of its own, as `payrail demo NAME` plays them."""

import pytest

from actors.cli.stories import NAMES, Checks, play

pytestmark = pytest.mark.scenario


@pytest.mark.timeout(600)  # A chargeback has a hundred and seventy days, each with its timers.
@pytest.mark.parametrize("name", NAMES)
async def test_every_check_of_the_story_holds(name):
    """What the story promises can be seen from outside."""
    checks = Checks()
    await play(name, checks)
    assert checks.good, checks.failed


def test_a_story_is_good_when_something_was_checked_and_all_of_it_holds():
    """Nothing checked proves nothing, and one failed check is enough to fail a story."""
    assert not Checks().good
    assert checked(True).good
    assert not checked(True, False).good
    assert [check.fact for check in checked(True, False).failed] == ["fact 1"]


def checked(*holds: bool) -> Checks:
    checks = Checks()
    for number, one in enumerate(holds):
        checks.that(f"fact {number}", one)
    return checks
