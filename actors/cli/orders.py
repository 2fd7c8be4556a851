"""`kill`, `pause`, `resume`, `restart`, `release`: orders to an actor's supervisor, as lines."""

import time
from typing import TYPE_CHECKING

import typer

from actors.cli.common import ActorName, home, must_be_actor, say
from payrail.errors import NotRunning

if TYPE_CHECKING:
    from payrail.runtime.orders import Verb


def register(app: typer.Typer) -> None:
    for verb in (kill, pause, resume, restart, release):
        app.command()(verb)


def kill(actor: ActorName) -> None:
    """End an actor by SIGKILL; its supervisor starts it again."""
    _order(actor, "kill")


def pause(actor: ActorName) -> None:
    """Let an actor take no messages; it still beats."""
    _order(actor, "pause")


def resume(actor: ActorName) -> None:
    """Let a paused actor take messages again."""
    _order(actor, "resume")


def restart(actor: ActorName) -> None:
    """End an actor in order and start it again."""
    _order(actor, "restart")


def release(actor: ActorName) -> None:
    """Start a held actor again, once people have mended the cause."""
    _order(actor, "release")


def _order(actor: str, verb: "Verb") -> None:
    """Orders are for the moment, so there must be a supervisor who reads them."""
    from payrail.domain.timestamps import iso
    from payrail.runtime.house import holders
    from payrail.runtime.orders import give_order

    where = home()
    name = must_be_actor(where, actor)
    if not any(name in holder.actors for holder in holders(where)):
        raise NotRunning(f"no house runs {name} on this home")
    give_order(where, name, verb, iso(time.time_ns() // 1_000_000))
    say(f"told the supervisor to {verb} {name}")
