"""`clock show|advance|freeze|follow`: business time, as the front door moves it."""

from typing import Annotated, Any

import typer

from actors.cli.common import AsJson, put_json, put_table, settings
from actors.cli.exits import usage

clock = typer.Typer(
    help="Business time: moved forward by people, never back.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    app.add_typer(clock, name="clock")


@clock.command("show")
def show(as_json: AsJson = False) -> None:
    """What time it is for business, and on the wire."""
    _tell("GET", None, as_json=as_json)


@clock.command("advance")
def advance(
    duration: Annotated[str, typer.Argument(help="90s, 5m, 2h, 3d, 1h30m.")],
    as_json: AsJson = False,
) -> None:
    """Move business time forward; timers that come due by it fire within a moment."""
    from payrail.domain.durations import duration_ms

    try:
        duration_ms(duration)
    except ValueError as error:
        raise usage(f"DURATION {error}", "For example: payrail clock advance 1h30m") from None
    _tell("POST", {"advance": duration}, as_json=as_json)


@clock.command("freeze")
def freeze(as_json: AsJson = False) -> None:
    """Let business time stand. Wire time, and with it every timeout, goes on."""
    _tell("POST", {"mode": "freeze"}, as_json=as_json)


@clock.command("follow")
def follow(as_json: AsJson = False) -> None:
    """Let business time go on at the pace of wire time, from where it is."""
    _tell("POST", {"mode": "follow"}, as_json=as_json)


def _tell(method: str, body: dict[str, Any] | None, *, as_json: bool) -> None:
    from actors.cli.doors import ask, must
    from actors.cli.providers import service_key_text
    from payrail.domain.durations import spelled

    url = f"{settings().api_url}/clock"
    shown = must(*ask(method, url, body, key=service_key_text()))
    if as_json:
        put_json(shown)
        return
    columns = ("mode", "business_time", "wire_time", "ahead")
    row = [*(shown[name] for name in columns[:-1]), spelled(shown["ahead_ms"])]
    put_table(columns, [row])
