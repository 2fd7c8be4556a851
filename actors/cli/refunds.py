"""`refunds`: asked for by one user, approved or rejected by another, at a running house."""

from typing import Annotated

import typer

from actors.cli.asked import Body, order
from actors.cli.pay import Amount
from actors.cli.resources import Resource, group_of

OF_PAYMENT = {"payment_intent": "Of this payment, pi_….", "state": "In this state."}
REFUNDS = Resource(
    "refunds",
    "refund",
    "/refunds",
    "Refunds: one user asks, another decides (--as, --role).",
    (
        *("id", "state", "amount", "currency", "payment_intent", "requested_by", "approved_by"),
        *("merchant_id", "created_at"),
    ),
    OF_PAYMENT,
    dated=True,
)

Payment = Annotated[str, typer.Argument(metavar="PAYMENT", help="A payment's id, pi_….")]
Reason = Annotated[str, typer.Option(help="Why, in your words.")]

refunds = group_of(REFUNDS)


def register(app: typer.Typer) -> None:
    app.add_typer(refunds, name=REFUNDS.name)


@order(refunds, REFUNDS, "create", new=True, dry=True)
def create(payment: Payment, amount: Amount, reason: Reason) -> Body:
    """Ask for a refund of a payment, or of a part."""
    return {"payment_intent": payment, "amount": amount, "reason": reason}


@order(refunds, REFUNDS, "approve", dry=True)
def approve() -> Body:
    """Approve what another user asked for; the money goes back."""
    return {}


@order(refunds, REFUNDS, "reject")
def reject(reason: Reason) -> Body:
    """Reject what another user asked for."""
    return {"reason": reason}
