"""`rules`: people's rule files as the running house took them, and why it refused one."""

from typing import Any

import typer

from actors.cli.common import AsJson, put_json, put_rows
from actors.cli.resources import fetched

_COLUMNS = ("file", "state", "in_force_since", "line", "field", "message")
_NOTHING = ({"line": None, "field": None, "message": None},)


def register(app: typer.Typer) -> None:
    app.command()(rules)


def rules(as_json: AsJson = False) -> None:
    """Show which rule files are in force. Of a refused one: the lines that are wrong.

    A refused file changes nothing: what was in force before still is.
    """
    page = fetched("/rules")
    if as_json:
        put_json(page)
        return
    put_rows(_COLUMNS, [row for one in page["data"] for row in _lines(one)])


def _lines(of: dict[str, Any]) -> list[dict[str, Any]]:
    """A line for the file, or one for each complaint about it."""
    return [{**of, **complaint} for complaint in of["errors"] or _NOTHING]
