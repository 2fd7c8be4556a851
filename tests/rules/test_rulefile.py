"""Complaints about people's rule files: the line of the key, also in lists of tables."""

import pytest
from pydantic import BaseModel, ConfigDict

from payrail.errors import BadRules
from payrail.rulefile import checked, line_of, spelled

TEXT = """\
# a remark
order = [
  "a",  # one = 1
  "b",
]

[[rules]]
name = "one"
bin = ["4",
  "5"]
[[rules]]
name = "two"
order = ["a"]
[rules.more]
deep = 1

[[rules]]
name = '''
name = "not this"
'''
match = { token = "t" }
[canary]
"percent" = 5
limits.low = 1
"""


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("order",), 2),
        (("order", 1), 2),
        (("rules",), 7),
        (("rules", 0), 7),
        (("rules", 0, "name"), 8),
        (("rules", 0, "bin", 1), 9),
        (("rules", 1), 11),
        (("rules", 1, "order", 0), 13),
        (("rules", 1, "missing"), 11),
        (("rules", 1, "more", "deep"), 15),
        (("rules", 2, "name"), 18),
        (("rules", 2, "match", "token"), 21),
        (("canary", "percent"), 23),
        (("canary", "limits", "low"), 24),
        (("nowhere",), 1),
        ((), 1),
    ],
)
def test_a_complaint_names_the_line_of_its_key(place, line: int):
    """Or the line of the nearest thing around it: a key that is missing has none."""
    assert line_of(TEXT, place) == line


def test_rules_are_counted_from_one():
    """As people count them; and a key that looks like a card number is not repeated."""
    assert spelled(("rules", 1, "order", 0)) == "rules[2].order[1]"
    assert spelled(()) == "the file"
    assert spelled(("4242424242424242",)) == "************4242"


class _Model(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    count: int


@pytest.mark.parametrize(
    ("data", "line", "field", "told"),
    [
        (b"count = 1\n\ncount = 2\n", 3, "the file", "is not TOML: Cannot overwrite a value"),
        (b"count = 1\nother = [", 2, "the file", "is not TOML"),
        (b"# one\ncount = 'x'\n", 2, "count", "Input should be a valid integer"),
        (b"count = 1\n\xff\n", 2, "the file", "is not UTF-8 text"),
        (b"", 1, "count", "Field required"),
        (b"a." * 15_000 + b"a = 1", 1, "the file", "a key too long"),
    ],
)
def test_every_complaint_has_a_line_a_field_and_the_remedy(data, line: int, field: str, told: str):
    """Syntax and meaning alike."""
    with pytest.raises(BadRules) as refused:
        checked(_Model, "some.toml", data, remedy="mend it")
    (fault,) = refused.value.faults

    assert (fault.line, fault.field) == (line, field)
    assert told in fault.message
    assert str(refused.value).startswith(f"some.toml: line {line}: {field}: ")
    assert str(refused.value).endswith("\nmend it")


def test_a_good_file_is_what_it_says():
    assert checked(_Model, "some.toml", b"count = 7", remedy="").count == 7
