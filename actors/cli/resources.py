"""What the API lists and shows, at the command line: one row of a table makes `ls` and `show`.

Without `--merchant` a look is over all merchants. `--json` is the API's own JSON.
Never: decides, or knows a field beyond the columns of its row.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import typer

from actors.cli.common import AsJson, put_json, put_object, put_rows, say, settings

LIMIT_DEFAULT = 20

Ident = Annotated[str, typer.Argument(metavar="ID", help="The id, as `ls` shows it.")]
Merchant = Annotated[
    str, typer.Option("--merchant", metavar="ID", help="Of this merchant alone, such as m_001.")
]


@dataclass(frozen=True, slots=True)
class Resource:
    """`one`: a word for one of them. `filters` of `ls`: name, and what it says in `--help`.
    `dated`: whether `show` looks back. `part`: a list that belongs beside the columns."""

    name: str
    one: str
    path: str
    about: str
    columns: tuple[str, ...]
    filters: Mapping[str, str]
    dated: bool = False
    part: str = ""


def group_of(of: Resource) -> typer.Typer:
    """The group of verbs of a resource, with `ls` and `show`."""
    app = typer.Typer(help=of.about, no_args_is_help=True)
    app.command("ls")(_ls(of))
    app.command("show")(_show(of))
    return app


def fetched(path: str, *, merchant: str = "", **query: Any) -> Any:
    """What the house answers to a look; query values that are empty stay out. Raises NotRunning,
    Stop."""
    from actors.cli.doors import ask, must
    from actors.cli.providers import service_key_text

    asked = {name: value for name, value in query.items() if value not in (None, "")}
    url = f"{settings().api_url}{path}"
    if asked:
        url += f"?{urlencode(asked, errors='surrogateescape')}"
    return must(*ask("GET", url, key=service_key_text(), merchant=merchant))


def path_of(of: Resource, ident: str, verb: str = "") -> str:
    """The path of one; whatever was typed as its id is one part of it."""
    path = f"{of.path}/{quote(ident, safe='', errors='surrogateescape')}"
    return f"{path}/{verb}" if verb else path


def put_one(of: Resource, row: dict[str, Any], *, as_json: bool) -> None:
    """What an order led to: JSON, or a line with the columns of `ls`."""
    if as_json:
        put_json(row)
        return
    put_rows(of.columns, [row])
    if part := row.get(of.part):
        put_rows(tuple(part[0]), part)


def parameter(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> Any:
    """An argument or option, as a function that is made from a table has it."""
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, annotation=annotation, default=default)


def as_command(run: Callable[..., None], about: str, parameters: list[Any]) -> Callable[..., None]:
    """`run` as the parser of the command line reads it: with these parameters, and this help."""
    run.__doc__ = about
    run.__dict__["__signature__"] = inspect.Signature(parameters)
    return run


def _ls(of: Resource) -> Callable[..., None]:
    def ls(merchant: str, limit: int, cursor: str, as_json: bool, **filters: str) -> None:
        page = fetched(of.path, merchant=merchant, limit=limit, cursor=cursor, **filters)
        if as_json:
            put_json(page)
            return
        put_rows(of.columns, page["data"])
        if page["has_more"]:
            say(f"there are more: --cursor {page['next_cursor']}")

    filters = [parameter(name, _filter(name, told), "") for name, told in of.filters.items()]
    limit = typer.Option("--limit", help="At most so many.")
    cursor = typer.Option("--cursor", help="Go on where a list ended.")
    return as_command(
        ls,
        f"List {of.name}, newest first.",
        [
            *filters,
            parameter("merchant", Merchant, ""),
            parameter("limit", Annotated[int, limit], LIMIT_DEFAULT),
            parameter("cursor", Annotated[str, cursor], ""),
            parameter("as_json", AsJson, False),
        ],
    )


def _show(of: Resource) -> Callable[..., None]:
    def show(ident: str, merchant: str, as_json: bool, at: str = "") -> None:
        row = fetched(path_of(of, ident), merchant=merchant, at=at)
        if as_json:
            put_json(row)
        else:
            put_object(row)

    at = typer.Option("--at", metavar="TIME", help="As it stood then: 2026-02-09T12:00:00Z.")
    looks_back = [parameter("at", Annotated[str, at], "")] if of.dated else []
    return as_command(
        show,
        f"Show a {of.one}, all of it.",
        [
            parameter("ident", Ident),
            *looks_back,
            parameter("merchant", Merchant, ""),
            parameter("as_json", AsJson, False),
        ],
    )


def _filter(name: str, told: str) -> Any:
    return Annotated[str, typer.Option(f"--{name.replace('_', '-')}", help=told)]
