"""`docs states`, `docs events`: what the tables of the code say, for pages and people."""

from typing import Annotated

import typer

from actors.cli.exits import usage

docs = typer.Typer(help="What the code itself says, for pages and people.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(docs, name="docs")


@docs.command("states")
def states(
    about: Annotated[
        str | None, typer.Argument(help="payment, refund, dispute or payout; all without it.")
    ] = None,
    as_mermaid: Annotated[
        bool, typer.Option("--mermaid", help="As Mermaid diagrams for a Markdown page.")
    ] = False,
    as_svg: Annotated[bool, typer.Option("--svg", help="As a picture, of one.")] = False,
) -> None:
    """Every legal move of a state, as the code obeys it."""
    from payrail.domain.state_svg import svg
    from payrail.domain.states import MOVES, mermaid, text

    if about is not None and about not in MOVES:
        raise usage(f"ABOUT must be one of {', '.join(MOVES)}", "payrail docs states refund")
    if as_svg:
        if about is None:
            raise usage("--svg is a picture of one", "payrail docs states payment --svg")
        print(svg(about, alone=True))
        return
    for name in [about] if about else MOVES:
        print(f"```mermaid\n{mermaid(name)}```" if as_mermaid else text(name))


@docs.command("events")
def events() -> None:
    """Every type of event, and what its entry says in its data."""
    from payrail.domain.event_types import TYPES, fields_of, meaning_of

    for name in TYPES:
        print(f"{name}\n  {meaning_of(name)}" if meaning_of(name) else name)
        for field, kind, may_miss in fields_of(name):
            print(f"    {field:<22} {kind}{', may be missing' if may_miss else ''}")
