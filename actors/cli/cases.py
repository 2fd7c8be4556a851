"""`cases`: what no rule may decide, at a running house; who has looked closes one."""

from typing import Annotated

import typer

from actors.cli.asked import Body, order
from actors.cli.refunds import OF_PAYMENT
from actors.cli.resources import Resource, group_of

CASES = Resource(
    "cases",
    "case",
    "/cases",
    "Cases: what people must look into.",
    (
        *("id", "state", "reason", "exposure", "currency", "payment_intent", "merchant_id"),
        *("opened_at", "resolution"),
    ),
    OF_PAYMENT,
)

cases = group_of(CASES)


def register(app: typer.Typer) -> None:
    app.add_typer(cases, name=CASES.name)


@order(cases, CASES, "close")
def close(
    resolution: Annotated[str, typer.Option(help="How it ended, in your words.")],
) -> Body:
    """Close a case that you have looked into."""
    return {"resolution": resolution}
