"""`up` and `down`: a house in the foreground, and its orderly end.

Never: writes anything into a home that another house holds.
"""

import os
import time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from actors.cli.common import files, say, settings
from actors.cli.exits import TRY_LATER, Stop, usage

if TYPE_CHECKING:
    from payrail.settings import Settings

#: How long `down` waits: SIGTERM ends a house within 10 s.
DOWN_S_MAX = 12.0
_LOOK_AGAIN_S = 0.05


class Durability(StrEnum):
    disk = "disk"
    process = "process"


def register(app: typer.Typer) -> None:
    app.command()(up)
    app.command()(down)


def up(
    demo: Annotated[
        bool, typer.Option("--demo", help="With merchants m_001 and m_002, users and keys.")
    ] = False,
    only: Annotated[
        str | None, typer.Option(help="Only these actors, separated by commas.")
    ] = None,
    inline: Annotated[bool, typer.Option("--inline", help="All actors in one process.")] = False,
    durability: Annotated[
        Durability | None, typer.Option(help="process: answer without waiting for the disk.")
    ] = None,
    reload: Annotated[
        bool, typer.Option("--reload", help="Start anew when a source is edited.")
    ] = False,
) -> None:
    """Run the house in the foreground until Ctrl-C or SIGTERM."""
    import asyncio

    from actors.cli.running import run_house, run_in_one_process

    chosen = prepare(durability.value if durability else None)
    names = _chosen_names(only)
    options = options_of(chosen, demo=demo)
    may_start(chosen, names)
    if reload:
        raise typer.Exit(_reloading(_again(demo=demo, only=only, inline=inline)))
    make_secrets(chosen)
    if inline:
        asyncio.run(run_in_one_process(chosen, names, options))
    else:
        asyncio.run(run_house(chosen, names, options))


def down() -> None:
    """End every house that runs on this home. Returns when it is gone."""
    from payrail.errors import NotRunning
    from payrail.runtime.house import holders, request_stop

    where = settings().home
    found = holders(where)
    if not found:
        raise NotRunning(f"no house runs on {where}")
    for holder in found:
        request_stop(where, holder)
        say(f"told process {holder.pid} to end ({', '.join(holder.actors)})")
    ends = time.monotonic() + DOWN_S_MAX
    while holders(where):
        if time.monotonic() > ends:
            raise Stop(TRY_LATER, "the house has not ended yet", "Look again with `payrail ps`.")
        time.sleep(_LOOK_AGAIN_S)
    say("down")


def _reloading(arguments: list[str]) -> int:
    import asyncio

    from actors.cli.reload import run_reloading

    return asyncio.run(run_reloading(arguments))


def _again(*, demo: bool, only: str | None, inline: bool) -> list[str]:
    """The same `up` without `--reload`; how durable it is stands in the environment by now."""
    flags = [("--demo", demo), ("--inline", inline)]
    chosen = [name for name, given in flags if given]
    return ["up", *chosen, *(["--only", only] if only else [])]


def prepare(durability: str | None = None) -> "Settings":
    """The settings, told to the children too: what was asked for here beats their `.env`."""
    if durability:
        os.environ["PAYRAIL_DURABILITY"] = durability
    chosen = settings()
    os.environ["PAYRAIL_HOME"] = str(chosen.home)
    os.environ["PAYRAIL_DURABILITY"] = chosen.durability
    return chosen


def options_of(chosen: "Settings", *, demo: bool) -> dict[str, Any]:
    """What each child is told beside its name and home."""
    return {"demo": demo, "durability": chosen.durability}


def must_be_free(chosen: "Settings", names: list[str]) -> None:
    """Raise HomeHeld before anything is written; the locks themselves are taken by the house."""
    from payrail.errors import HomeHeld
    from payrail.runtime.house import holders

    for holder in holders(chosen.home):
        for name in names:
            if name in holder.actors:
                raise HomeHeld(name, f"process {holder.pid} since {holder.since}")


def may_start(chosen: "Settings", names: list[str]) -> None:
    """Raise HomeHeld, or Stop 78 for a port, before anything is written."""
    from actors.cli.ports import ports_must_be_free

    must_be_free(chosen, names)
    try:
        ports_must_be_free(chosen, names)
    except Stop:
        must_be_free(chosen, names)  # Another house may have begun meanwhile: that is the reason.
        raise


def make_secrets(chosen: "Settings") -> None:
    """The secrets that several parts share, so that the first start is not a race for them."""
    from payrail.runtime.clocks import SystemRng
    from payrail.security.secrets import secret, service_key

    fs, rng = files(chosen), SystemRng()
    secret(fs, "house", rng, given=chosen.house_secret.get_secret_value())
    secret(fs, "internal", rng, given=chosen.internal_secret.get_secret_value())
    service_key(fs, rng)


def _chosen_names(only: str | None) -> list[str]:
    """The actors to run, in start order. Raises Stop 64 for one that is none."""
    from actors.wiring import NAMES

    known = list(NAMES)
    if only is None:
        return known
    wanted = [name.strip() for name in only.split(",") if name.strip()]
    if not wanted or any(name not in known for name in wanted):
        raise usage("--only names actors that do not exist", f"There are: {', '.join(known)}.")
    return [name for name in known if name in wanted]
