"""`docs states`: the moves of payments, refunds, disputes and payouts, drawn from their tables."""

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
) -> None:
    """Every legal move of a state, as the code obeys it."""
    from payrail.domain.states import MOVES, mermaid, text

    if about is not None and about not in MOVES:
        raise usage(f"ABOUT must be one of {', '.join(MOVES)}", "payrail docs states refund")
    for name in [about] if about else MOVES:
        print(f"```mermaid\n{mermaid(name)}```" if as_mermaid else text(name))
