"""`payouts`: what merchants were paid, at a running house; the drill of their bank."""

from typing import Annotated

import typer

from actors.cli.asked import Body, order, said
from actors.cli.resources import Resource, group_of

PAYOUTS = Resource(
    "payouts",
    "payout",
    "/payouts",
    "Payouts to merchants.",
    (
        *("id", "state", "amount", "currency", "merchant_id", "value_date", "bank_reference"),
        *("failure_reason", "created_at"),
    ),
    {"state": "in_transit, paid or failed.", "currency": "In this currency."},
)

payouts = group_of(PAYOUTS)


def register(app: typer.Typer) -> None:
    app.add_typer(payouts, name=PAYOUTS.name)


@order(payouts, PAYOUTS, "create", new=True)
def create(currency: Annotated[str, typer.Option(help="ISO 4217, upper case.")]) -> Body:
    """Pay out now what is available."""
    return {"currency": currency}


@order(payouts, PAYOUTS, "resolve")
def resolve(
    outcome: Annotated[str, typer.Argument(metavar="paid|failed")],
    code: Annotated[str, typer.Option(help="Why it failed.")] = "",
) -> Body:
    """Drill: say what the merchant's bank says."""
    return said(outcome=outcome, code=code)
