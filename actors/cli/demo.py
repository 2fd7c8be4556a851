"""`demo`: the tour of the README, and the stories, each in a house of its own."""

from typing import Annotated

import typer

from actors.cli.common import put, say
from actors.cli.exits import FAILED, usage


def register(app: typer.Typer) -> None:
    app.command()(demo)


def demo(
    story: Annotated[
        str | None,
        typer.Argument(
            help="chargeback, duplicate, kill, late-approval, mismatch, outage, token-audit, "
            "or all; none: the tour."
        ),
    ] = None,
    leave: Annotated[bool, typer.Option("--exit", help="End the house after the tour.")] = False,
    payments: Annotated[int, typer.Option(min=1, max=100_000, help="Of the tour.")] = 200,
) -> None:
    """Start a house, pay, show where to look; or check a story."""
    import asyncio

    if story is None:
        from actors.cli.tour import tour

        good = asyncio.run(tour(payments, leave=leave))
    else:
        good = _play(story)
    if not good:
        raise typer.Exit(FAILED)


def _play(story: str) -> bool:
    """Play one story or all of them. Raises Stop 64 for one that nobody wrote."""
    import asyncio

    from actors.cli.stories import NAMES, Checks, play

    if story != "all" and story not in NAMES:
        raise usage("there is no such story", f"There are: {', '.join(NAMES)}, all.")
    failed: list[str] = []
    for name in NAMES if story == "all" else (story,):
        put(f"{name}")
        checks = Checks(put)
        asyncio.run(play(name, checks))
        if not checks.good:
            failed.append(name)
    say(f"failed: {', '.join(failed)}" if failed else "every check holds")
    return not failed
