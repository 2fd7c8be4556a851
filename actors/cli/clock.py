"""`clock show|advance|freeze|follow`: business time, as the front door moves it."""

import time
from typing import Annotated, Any

import typer

from actors.cli.common import AsJson, put_json, put_table, settings
from actors.cli.exits import TRY_LATER, Stop, usage

#: How often an advance on its way is looked at, and the units of its bar.
_LOOK_S = 0.1
_BAR_PARTS = 100

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
    """Move business time forward, from timer to timer. Returns when it has arrived."""
    from actors.cli.doors import fresh_key
    from payrail.domain.durations import duration_ms

    try:
        duration_ms(duration)
    except ValueError as error:
        raise usage(f"DURATION {error}", "For example: payrail clock advance 1h30m") from None
    shown = _asked("POST", {"advance": duration}, once=fresh_key())
    _put(_arrived(shown) if shown["hopping"] else shown, as_json=as_json)


@clock.command("freeze")
def freeze(as_json: AsJson = False) -> None:
    """Let business time stand. Wire time, and with it every timeout, goes on."""
    _tell("POST", {"mode": "freeze"}, as_json=as_json)


@clock.command("follow")
def follow(as_json: AsJson = False) -> None:
    """Let business time go on from where it is, as fast as wire time."""
    _tell("POST", {"mode": "follow"}, as_json=as_json)


def _tell(method: str, body: dict[str, Any] | None, *, as_json: bool) -> None:
    _put(_asked(method, body), as_json=as_json)


def _asked(method: str, body: dict[str, Any] | None = None, once: str = "") -> dict[str, Any]:
    from actors.cli.doors import ask, must
    from actors.cli.providers import service_key_text

    url = f"{settings().api_url}/clock"
    shown: dict[str, Any] = must(*ask(method, url, body, key=service_key_text(), once=once))
    return shown


def _arrived(shown: dict[str, Any]) -> dict[str, Any]:
    """Watch an advance until it has arrived. Raises Stop 75 when it ends before."""
    from actors.cli.progress import progress_bar

    with progress_bar("business time", _BAR_PARTS) as part_done:
        parts = 0
        while way := shown["hopping"]:
            for _ in range(parts, _parts(way)):
                part_done()
            parts = max(parts, _parts(way))
            time.sleep(_LOOK_S)
            shown = _asked("GET")
        for _ in range(parts, 0 if shown["stopped"] else _BAR_PARTS):
            part_done()
    if stop := shown["stopped"]:
        waiting = f"; it waits for {', '.join(stop['waiting_for'])}" if stop["waiting_for"] else ""
        what = f"business time stands at {stop['at']}: {stop['why']}{waiting}"
        raise Stop(TRY_LATER, what, "Advance again to go on from there.")
    return shown


def _parts(way: dict[str, Any]) -> int:
    """How much of the way is done, in parts of the bar."""
    from payrail.domain.timestamps import parse_iso

    began_ms, end_ms, now_ms = (parse_iso(way[name]) for name in ("from", "to", "now"))
    return min(_BAR_PARTS, (now_ms - began_ms) * _BAR_PARTS // max(1, end_ms - began_ms))


def _put(shown: dict[str, Any], *, as_json: bool) -> None:
    from payrail.domain.durations import spelled

    if as_json:
        put_json(shown)
        return
    columns = ("mode", "business_time", "wire_time", "ahead")
    row = [*(shown[name] for name in columns[:-1]), spelled(shown["ahead_ms"])]
    put_table(columns, [row])
