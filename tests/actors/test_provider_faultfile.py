"""faults.toml: what it takes, what it refuses and how, and what a restart makes of it."""

import pytest

from actors.provider.core import Provider
from actors.provider.faultfile import DEFAULT, PATH, open_faults, read_faults
from payrail.domain.messages import ClearFaults
from payrail.errors import BadSettings
from payrail.runtime.actor import Moment
from payrail.runtime.sim import SimDisk, SimFs
from tests.actors.pure import NOON_MS, Played
from tests.actors.sealed import GOOD, Drawer, charge

ONE = '[[rules]]\nprovider = "providerA"\noperation = "authorize"\ndo = "down"\ncount = 2\n'
OTHER = '[[rules]]\nprovider = "provider-b"\noperation = "*"\ndo = "error"\n'


def played(text: str, state_of: Played | None = None, drawer: Drawer | None = None) -> Played:
    """An incarnation that read this file, after another one or as the first."""
    faults = read_faults(text.encode(), "provider-a")
    found = Played(
        Provider("provider-a", "providerA", unseal=drawer or Drawer(), seed=42, faults=faults)
    )
    if state_of is not None:
        found.state, found.lines, found.steps = state_of.state, state_of.lines, state_of.steps
    step = found.actor.opened(found.state, Moment(NOON_MS, NOON_MS, "provider-a", 1, 0))
    found._fold(step)
    return found


def left(provider: Played) -> list[tuple[str, int | None]]:
    return [(rule.do, rule.count) for rule in provider.state.faults.values()]


def test_the_first_provider_makes_the_file_and_the_second_does_not():
    """Once, with everything in it explained and nothing in force."""
    fs = SimFs(SimDisk())
    assert open_faults(fs, "provider-b", makes_it=False) == {}
    assert not fs.exists(PATH)
    assert open_faults(fs, "provider-a", makes_it=True) == {}
    assert fs.read(PATH) == DEFAULT
    assert read_faults(DEFAULT, "provider-a") == read_faults(DEFAULT, "provider-b") == {}
    fs.replace(PATH, ONE.encode())
    assert len(open_faults(fs, "provider-a", makes_it=True)) == 1
    assert fs.read(PATH) == ONE.encode()


def test_the_example_in_the_file_is_a_rule():
    """What people uncomment works."""
    lines = DEFAULT.decode().split("# [[rules]]")[1].splitlines()[1:]
    text = "[[rules]]\n" + "\n".join(line.removeprefix("# ") for line in lines if "=" in line)
    (rule,) = read_faults(text.encode(), "provider-a").values()
    assert (rule.do, rule.count, rule.probability, rule.fence) == (
        "approve_then_hang",
        1,
        0.1,
        True,
    )


def test_each_provider_takes_its_own_rules():
    """Both spellings name one."""
    text = (ONE + OTHER).encode()
    (a,) = read_faults(text, "provider-a").values()
    (b,) = read_faults(text, "provider-b").values()
    assert (a.do, b.do) == ("down", "error")


def test_equal_rules_are_two_rules():
    """Two tables, two drills, each with its uses."""
    assert len(read_faults((ONE + ONE).encode(), "provider-a")) == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[[rules]]\noperation="*"\ndo="down"\n', "rule 1: provider: must be"),
        (ONE + '[[rules]]\nprovider="providerZ"\noperation="*"\ndo="down"\n', "rule 2: provider:"),
        (ONE + '[[rules]]\nprovider="providerB"\noperation="x"\ndo="y"\n', "rule 2: operation:"),
        (ONE.replace("2", "0"), "rule 1: count: must be a whole number"),
        (ONE + "typo = 1\n", "rule 1: typo: is not known"),
        (ONE + 'match = { merchant = "4242424242424242" }\n', "rule 1: match.merchant:"),
        ("rule = 1\n", "holds something besides [[rules]]"),
        ("rules = 1\n", "rules: must be tables"),
        ("rules = [1]\n", "rule 1: must be a table"),
        ("[[rules]\n", "is not TOML: at line 1, column 8"),
        ('a = "4242424242424242', "is not TOML: at end of document"),
        (f"a = {'1' * 5000}\n", "holds a number or a key too long"),
        (f"a = {'[' * 5000}\n", "or a list too deep, to read"),
        ("\udcff", "is not UTF-8 text"),
    ],
)
def test_a_file_that_cannot_be_used_says_where_and_what_to_do(text: str, told: str):
    """File, rule number, field and remedy; never a value."""
    with pytest.raises(BadSettings) as caught:
        read_faults(text.encode("utf-8", "surrogateescape"), "provider-b")
    said = str(caught.value)
    assert said.startswith(f"{PATH}: ")
    assert told in said
    assert "payrail release provider-b" in said
    assert "4242424242424242" not in said


def test_a_rule_of_the_file_drills_and_is_used_up():
    """As one that came over HTTP."""
    drawer = Drawer()
    provider = played(ONE, drawer=drawer)
    assert left(provider) == [("down", 2)]
    for number in range(3):
        order = charge(drawer.put(GOOD), f"pi_{number}.1")
        step = provider.tell("charge", order, sender="vault")
    assert (step.out[0].body.result, left(provider)) == ("approved", [])
    assert left(played(ONE, provider)) == []
    assert provider.replayed() == provider.state


def test_a_restart_goes_on_with_what_is_left():
    """kill -9 begins no drill again, and ends none."""
    drawer = Drawer()
    provider = played(ONE, drawer=drawer)
    provider.tell("charge", charge(drawer.put(GOOD)), sender="vault")
    again = played(ONE, provider)
    assert left(again) == [("down", 1)]
    assert [step.events for step in again.steps[-1:]] == [[]]


def test_a_cleared_rule_stays_cleared_until_its_text_changes():
    """People's last word counts."""
    provider = played(ONE)
    provider.tell("fault.clear", ClearFaults(), sender="frontdoor", reply_to="r")
    assert left(played(ONE, provider)) == []
    assert left(played(ONE.replace("2", "3"), provider)) == [("down", 3)]


def test_a_rule_that_is_gone_from_the_file_ends():
    """The file is what holds; a drill that was injected beside it goes on."""
    provider = played(ONE + ONE.replace("down", "reset"))
    assert left(played(ONE.replace("down", "reset"), provider)) == [("reset", 2)]
    assert left(played("", provider)) == []
