"""`events`: what the house tells the outside, as it is told. Needs no running actor.

A damaged book ends it with 70, and names the line.
"""

import os
import sys
from typing import Annotated

import typer

from actors.cli.common import AsJson, files, forget_stdout, put, settings
from actors.cli.exits import usage

events = typer.Typer(help="The events of the house.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(events, name="events")


@events.command("tail")
def tail(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as events come.")] = False,
    kind: Annotated[
        list[str] | None,
        typer.Option("--type", help="payment.captured, or a family: payment. May be repeated."),
    ] = None,
    payment: Annotated[str | None, typer.Option(help="Only events of this payment.")] = None,
    count: Annotated[int, typer.Option("-n", min=0, help="How many to begin with.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Show the newest events. A line: time, type, object, amount, state, correlation id."""
    from actors.cli.event_lines import as_it_goes_out, event_lines, for_people, wanted_events

    try:
        wanted = wanted_events(kind or [], payment)
    except ValueError as error:
        raise usage(f"--type {error}", "payrail events tail --type payment.captured") from None
    shown = as_it_goes_out if as_json else for_people(in_colour=_is_colourful())
    try:
        for line in event_lines(files(settings()), wanted, count, follow=follow):
            put(shown(line))
    except BrokenPipeError:
        forget_stdout()
    except KeyboardInterrupt:
        return


def _is_colourful() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")
