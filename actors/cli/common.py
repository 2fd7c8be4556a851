"""What most verbs need: settings, home, files, and the two streams.

Data goes to stdout, everything else to stderr. Service modules are imported where they are used,
so that `--help` and completion stay fast.
"""

import json
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from actors.cli.exits import NO_SUCH, Stop

if TYPE_CHECKING:
    from payrail.settings import Settings
    from payrail.storage.fs import RealFs

FRONT = "frontdoor"
#: The seed of the tour: the same 200 payments for everybody.
DEMO_SEED = 42

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
ActorName = Annotated[str, typer.Argument(help="An actor, as `payrail ps` names it.")]

_ACTOR = re.compile(r"[a-z][a-z0-9.-]{0,31}")


def settings() -> "Settings":
    """The settings of this home: PAYRAIL_HOME or the working folder. Raises BadSettings."""
    from payrail.settings import load_settings

    return load_settings()


def home() -> Path:
    return settings().home


def files(of: "Settings") -> "RealFs":
    """The home's files, as durable as the settings say."""
    from payrail.storage.fs import RealFs

    return RealFs(str(of.home), durable=of.fsync)


def say(text: str = "") -> None:
    """A line for people, on stderr."""
    print(text, file=sys.stderr, flush=True)


def put(text: str) -> None:
    """A line of data, on stdout."""
    print(text, flush=True)


def forget_stdout() -> None:
    """Nobody reads any more: what Python still wants to flush at its end goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def put_json(value: Any) -> None:
    put(json.dumps(value, indent=2, ensure_ascii=False))


def put_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table on stdout, without a frame, so that `awk` reads it as well as people do."""
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *texts, strict=True)]
    for row in ([name.upper() for name in columns], *texts):
        put("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def put_rows(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """A table of these fields of objects of the API."""
    put_table(columns, [[cell(row.get(name)) for name in columns] for row in rows])


def put_object(value: Mapping[str, Any]) -> None:
    """All of an object: a line for each field, then a table for each list of objects."""
    lines: list[tuple[str, str]] = []
    lists: dict[str, list[dict[str, Any]]] = {}
    _spread(value, "", lines, lists)
    put_table(("field", "value"), lines)
    for title, rows in lists.items():
        put(f"\n{title}:")
        put_rows(list(rows[0]), rows)


def cell(value: Any) -> str:
    """A value of JSON in a table: on one line, and nothing in it that a terminal obeys."""
    if value is None:
        return "-"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return "".join(one if one.isprintable() else "\ufffd" for one in text)


def _spread(
    value: Mapping[str, Any],
    prefix: str,
    lines: list[tuple[str, str]],
    lists: dict[str, list[dict[str, Any]]],
) -> None:
    for name, part in value.items():
        where = f"{prefix}{name}"
        if isinstance(part, dict) and part:
            _spread(part, f"{where}.", lines, lists)
        elif isinstance(part, list) and part and isinstance(part[0], dict):
            lists[where] = part
        else:
            lines.append((where, cell(part)))


def actor_names(where: Path) -> list[str]:
    """Every actor of a house, also those that only once ran on this home."""
    from actors.wiring import NAMES

    ran = sorted(path.parent.name for path in (where / "data" / "actors").glob("*/lock"))
    return list(dict.fromkeys([*NAMES, *ran]))


def must_be_actor(where: Path, name: str) -> str:
    """The actor's name; `providerA` is taken too. Raises Stop 66 for one that is none."""
    from payrail.domain.providers import actor_of

    known = actor_names(where)
    try:
        name = actor_of(name)
    except KeyError:
        pass
    if not _ACTOR.fullmatch(name) or name not in known:
        raise Stop(NO_SUCH, "there is no such actor", f"There are: {', '.join(known)}.")
    return name
