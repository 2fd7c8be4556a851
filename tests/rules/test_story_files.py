"""Scripted stories as people write them: what a file may say, and how its names are filled."""

import pytest

from actors.cli.exits import Stop
from actors.cli.fixtures.names import differences, filled
from actors.cli.fixtures.shapes import read_story
from actors.cli.fixtures.verb import made
from payrail.domain.event_types import TYPES
from payrail.errors import BadRules

KNOWN = {
    "payment": {"id": "pi_1", "amount": 1099, "captures": [{"id": "cap_1"}]},
    "report": {"breaks": [{"class": "fee", "n": 1, "resolution": "booked"},
                          {"class": "fee", "n": 2, "resolution": None}]},
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${payment.id}", "pi_1"),
        ("${payment.amount}", 1099),
        ("/payment-intents/${payment.id}/capture", "/payment-intents/pi_1/capture"),
        ("${payment.captures.0.id}", "cap_1"),
        ("${report.breaks.class=fee&resolution=.n}", 2),
        ("nothing to fill: $5", "nothing to fill: $5"),
    ],
)
def test_a_name_stands_for_what_a_step_has_answered(text: str, value: object):
    """A name that is all of a text keeps its type; in a list it is by place or by looks."""
    assert filled({"deep": [text]}, KNOWN) == {"deep": [value]}


@pytest.mark.parametrize("text", ["${refund.id}", "${payment.state}", "${report.breaks.9.n}"])
def test_a_name_that_nothing_has_is_said_and_not_guessed(text: str):
    """The error says what there is."""
    with pytest.raises(Stop) as stopped:
        filled(text, KNOWN)
    assert stopped.value.remedy


def test_what_looks_otherwise_is_told_by_name():
    """`status` is the answer's; a list of values means one of them."""
    looks = {"status": [200, 201], "state": "captured", "captures.0.id": "cap_1"}

    wrong = list(differences(looks, 402, {"state": "declined", "captures": [{"id": "cap_1"}]}))

    assert wrong == ["status is 402, not [200, 201]", "state is 'declined', not 'captured'"]


@pytest.mark.parametrize(
    ("lines", "place", "told"),
    [
        ('post = "/x"\nget = "/y"', "line 2", "exactly one"),
        ('card = "9999"', "line 2", "must end a test card"),
        ('advance = "yesterday"', "line 2", "duration"),
        ('wait = { event = "payment.cought" }', "line 3", "must be one of"),
        ('get = "/x"\nbody = { a = 1 }', "line 2", "body goes with post"),
        ('card = "4242"\nfoo = 1', "line 4", "not known here"),
        ('use = "payment.captured"\nexpect = { status = 1 }', "line 2", "go with post and get"),
    ],
)
def test_a_mistake_in_a_story_is_told_with_its_line(lines: str, place: str, told: str):
    """Nobody has to guess which of thirty steps was meant."""
    with pytest.raises(BadRules) as refused:
        read_story("story.toml", f'about = "a"\n[[steps]]\n{lines}\n'.encode())
    assert place in str(refused.value)
    assert told in str(refused.value)


def test_every_event_has_a_story_but_the_one_that_a_rule_file_makes():
    """A new type of event wants a story here, or a word why it has none."""
    assert set(TYPES) - set(made()) == {"provider.canary_rolled_back"}
    assert set(made()) <= set(TYPES)
