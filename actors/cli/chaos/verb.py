"""`chaos run`: break a house of its own in every way for some minutes, and have it judged.

Touches no home but the one that it makes: a temporary folder, kept when something was wrong.
"""

import json
import shutil
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from actors.cli.common import AsJson, put, put_json, say
from actors.cli.exits import FAILED, IO_FAILED, Stop, usage

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from actors.cli.chaos.order import Order
    from actors.cli.chaos.outcome import Outcome

chaos = typer.Typer(
    help="Kill, stop and starve a house of its own.",
    no_args_is_help=True,
)


class Victims(StrEnum):
    in_turn = "in-turn"
    random = "random"


def register(app: typer.Typer) -> None:
    app.add_typer(chaos, name="chaos")


@chaos.callback()
def group() -> None:
    """Keep `run` a verb of the group although it is the only one."""


@chaos.command("run")
def run(
    *,
    minutes: Annotated[float, typer.Option(min=0.1, max=1440, help="How long.")] = 1.0,
    kills_per_minute: Annotated[
        float, typer.Option(min=0, max=600, help="SIGKILLs; the supervisor's come beside them.")
    ] = 60.0,
    pause: Annotated[
        bool, typer.Option("--pause", help="Stop actors, for moments and for too long.")
    ] = False,
    disk_full: Annotated[
        bool, typer.Option("--disk-full", help="Fill its disk now and then; needs root.")
    ] = False,
    clock: Annotated[
        bool, typer.Option("--clock", help="Set its machine's clock, and move business time.")
    ] = False,
    victims: Annotated[Victims, typer.Option(help="Whom to kill next.")] = Victims.in_turn,
    seed: Annotated[int, typer.Option(min=0, help="Draws payments, victims, faults.")] = 42,
    clients: Annotated[int, typer.Option(min=1, max=1_000, help="Who pay at once.")] = 16,
    payments: Annotated[int, typer.Option(min=1, help="At least so many.")] = 1,
    payments_per_minute: Annotated[
        int, typer.Option(min=0, help="At most so many; 0: as many as come to be.")
    ] = 0,
    home: Annotated[
        Path | None, typer.Option(help="An empty folder that keeps home and witness files.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run a house under faults and judge it.

    Exit code 0 when nothing was lost, doubled or left undone.
    """
    from actors.cli.chaos.order import Order

    order = Order(
        minutes=minutes,
        kills_per_minute=kills_per_minute,
        pause=pause,
        disk_full=disk_full,
        clock=clock,
        in_turn=victims is Victims.in_turn,
        clients=clients,
        payments=payments,
        payments_per_minute=payments_per_minute,
        seed=seed,
    )
    folder = _folder(home)
    try:
        outcome = _played(order, folder)
    except KeyboardInterrupt:
        say(f"interrupted, not judged; kept in {folder}")
        raise
    _put(outcome, as_json=as_json)
    if outcome.wrong():
        say(f"kept in {folder}")
        raise typer.Exit(FAILED)
    if home is None:
        shutil.rmtree(folder)


def _folder(home: Path | None) -> Path:
    """Where it takes place. Raises Stop 64 for a folder that has something in it, 74 for one that
    cannot be."""
    if home is None:
        return Path(tempfile.mkdtemp(prefix="payrail-chaos-"))
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = f"--home {home}: {error.strerror}"
        raise Stop(IO_FAILED, what, "Choose a --home that can be written.") from error
    if any(home.iterdir()):
        raise usage("--home has something in it", "Name a folder that is empty or not there yet.")
    return home.resolve()


def _played(order: "Order", folder: Path) -> "Outcome":
    """Run it; what happens is told on stderr. Raises Stop 1 for a house that does not work."""
    import asyncio

    from actors.cli.chaos.house import HouseFailed
    from actors.cli.chaos.live import Screen
    from actors.cli.chaos.storm import run as play

    say(f"the house, its log and the witness files: {folder}")
    try:
        with Screen() as screen:
            return asyncio.run(_until_told(play(order, folder, screen.tell)))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    except HouseFailed as error:
        raise Stop(FAILED, f"the house {error}", f"Look into {folder}.") from error


async def _until_told(run: "Coroutine[None, None, Outcome]") -> "Outcome":
    """By SIGTERM it ends as by Ctrl-C: its house is stopped, its small disk taken away."""
    import asyncio
    import signal

    task = asyncio.ensure_future(run)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task


def _put(outcome: "Outcome", *, as_json: bool) -> None:
    from actors.cli.chaos.report import as_json as object_of
    from actors.cli.chaos.report import as_text

    found = object_of(outcome)
    told = json.dumps(found, indent=2)
    (outcome.cast.stage.folder / "outcome.json").write_text(told + "\n")
    if as_json:
        put_json(found)
    else:
        put(as_text(outcome))
