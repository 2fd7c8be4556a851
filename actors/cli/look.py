"""`ps` and `tail`: the house as its files show it. Neither needs a running actor."""

from typing import Annotated, Any

import typer

from actors.cli.common import ActorName, AsJson, home, must_be_actor, put_json, put_table, say
from actors.cli.exits import NO_SUCH, NOT_RUNNING, Stop

_SEALED = (
    "its log says why; `payrail vault unlock` if it waits for operators, else `payrail doctor`"
    " names what to put right before `payrail restart vault`"
)
_COLUMNS = ("name", "pid", "state", "epoch", "restarts", "backlog")


def register(app: typer.Typer) -> None:
    app.command()(ps)
    app.command()(tail)


def ps(
    check: Annotated[
        str | None, typer.Option(help="Exit 0 when this one serves, 69 when it does not.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show who runs: state, epoch, restarts, unread bytes."""
    from payrail.runtime.house import status

    rows = status(home())
    if check is not None:
        _check(rows, check)
    elif as_json:
        put_json(rows)
    else:
        put_table(_COLUMNS, [[_shown(row[name]) for name in _COLUMNS] for row in rows])
    for row in rows:
        if row["state"] == "held":
            say(f"{row['name']} is held: {_why_held(row['name'])}")
        if row["state"] == "sealed":
            say(f"{row['name']} is sealed: {_SEALED}")
    if any(_without_fsync(row["pid"]) for row in rows):
        say("durability is `process`: answers do not wait for the disk")


def tail(
    actor: ActorName,
    lines: Annotated[int, typer.Option("-n", min=0, help="How many lines to begin with.")] = 20,
    follow: Annotated[bool, typer.Option("-f", help="Go on as lines come.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show an actor's mailbox: what was sent to it, merged by time."""
    from actors.cli.mailbox import Mailbox

    where = home()
    mailbox = Mailbox(where, must_be_actor(where, actor))
    for line in mailbox.last(lines):
        line.put(as_json)
    while follow:
        for line in mailbox.more():
            line.put(as_json)
        mailbox.pause()


def _check(rows: list[dict[str, Any]], name: str) -> None:
    from payrail.domain.providers import actor_of

    try:
        name = actor_of(name)
    except KeyError:
        pass
    found = [row for row in rows if row["name"] == name]
    if not found:
        raise Stop(NO_SUCH, "no such actor ever ran on this home", "See `payrail ps`.")
    if found[0]["state"] != "serving":
        raise Stop(NOT_RUNNING, f"{name} is {found[0]['state']}")


def _why_held(actor: str) -> str:
    """What its supervisor wrote down, and the way out."""
    from msgspec import DecodeError
    from msgspec.json import decode

    from payrail.runtime.house import LockText, lock_path
    from payrail.runtime.locks import first_line

    try:
        why = decode(first_line(lock_path(home(), actor)), type=LockText).why
    except DecodeError:
        why = ""
    if why == "exit 78":  # Its environment is the supervisor's: a release would not change that.
        out = f"mend a rules file and `payrail release {actor}`, or .env and start the house again"
        return f"{why} (a setting); `payrail doctor` names it; {out}"
    meant = {"exit 70": "corrupt or behind", "exit 74": "a file could not be written"}.get(why, "")
    told = f"{why} ({meant})" if meant else why
    return f"{told}; see `payrail verify`, then `payrail release {actor}`"


def _shown(value: object) -> str:
    return "-" if value is None else str(value)


def _without_fsync(pid: int | None) -> bool:
    """Whether a process was told not to wait for the disk; False when it cannot be asked."""
    if pid is None:
        return False
    import psutil

    try:
        return psutil.Process(pid).environ().get("PAYRAIL_DURABILITY") == "process"
    except (psutil.Error, OSError):
        return False
