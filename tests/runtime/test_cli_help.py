"""What `--help` says of each verb: whole sentences."""

from collections.abc import Iterator
from typing import Any

import typer.main
from typer.core import TyperGroup

from actors.cli.main import app

#: As wide as the parser prints a list of verbs, and its indents.
_COLUMNS, _INDENTS = 80, 6


def groups(command: Any) -> Iterator[TyperGroup]:
    """The command and all groups below it, if it is one."""
    if isinstance(command, TyperGroup):
        yield command
        for one in command.commands.values():
            yield from groups(one)


def test_no_summary_of_a_verb_is_cut_off():
    """A list of verbs that ends in dots hides what matters: the first sentence has to fit."""
    listed = [
        (name, one.get_short_help_str(_COLUMNS - _INDENTS - max(map(len, group.commands))))
        for group in groups(typer.main.get_command(app))
        for name, one in group.commands.items()
    ]
    assert len(listed) > 50
    assert [one for one in listed if one[1].endswith("...")] == []
