"""`disputes`: see what cardholders dispute, and answer for the merchant, at a running house.

The house decides; what it refuses is told with what may be done instead.
"""

from typing import Annotated

import typer

from actors.cli.asked import Body, order, pairs, said
from actors.cli.pay import Part
from actors.cli.refunds import OF_PAYMENT, Payment
from actors.cli.resources import Resource, group_of

DISPUTES = Resource(
    "disputes",
    "dispute",
    "/disputes",
    "Disputes: evidence, the answer, giving in.",
    (
        *("id", "state", "stage", "reason", "amount", "currency", "due_by", "payment_intent"),
        "merchant_id",
    ),
    OF_PAYMENT,
    part="checklist",
)

disputes = group_of(DISPUTES)


def register(app: typer.Typer) -> None:
    app.add_typer(disputes, name=DISPUTES.name)


@order(disputes, DISPUTES, "open", new=True)
def open_(
    payment: Payment,
    reason: Annotated[str, typer.Option(help="fraudulent, product_not_received, …")],
    amount: Part = None,
    stage: Annotated[str, typer.Option(help="inquiry, chargeback or pre_arbitration.")] = "",
) -> Body:
    """Have the provider open a dispute, of all or a part."""
    return said(payment_intent=payment, reason=reason, amount=amount, stage=stage)


@order(disputes, DISPUTES, "evidence")
def evidence(
    items: Annotated[
        list[str], typer.Argument(metavar="ITEM=TEXT…", help="Items of the checklist.")
    ],
) -> Body:
    """Add what speaks for the merchant. A later text replaces the first."""
    return {"evidence": pairs(items, 'order_details="2 books, 3 May"')}


@order(disputes, DISPUTES, "submit")
def submit() -> Body:
    """Send the one answer of this stage."""
    return {}


@order(disputes, DISPUTES, "accept")
def accept() -> Body:
    """Give in: the payment is charged back."""
    return {}


@order(disputes, DISPUTES, "resolve")
def resolve(outcome: Annotated[str, typer.Argument(metavar="won|lost")]) -> Body:
    """Have the provider rule."""
    return {"outcome": outcome}
