"""`payments`: list and show them, and give the orders a merchant gives, at a running house.

A card comes as a token of the vault; `test-card` gets one for a documented card. Never: takes a
card number, which would stay in the history of the shell.
"""

from typing import Annotated

import typer

from actors.cli.asked import Body, first_merchant, order, pairs, said
from actors.cli.common import AsJson, put, put_json, settings
from actors.cli.exits import NO_SUCH, Stop
from actors.cli.resources import Merchant, Resource, fetched, group_of

PAYMENTS = Resource(
    "payments",
    "payment",
    "/payment-intents",
    "Payments. A decline is an answer: exit 0, with the state printed.",
    (
        *("id", "state", "amount", "currency", "amount_captured", "amount_refunded", "provider"),
        *("decline_code", "merchant_id", "created_at"),
    ),
    {
        "state": "In this state, such as captured.",
        "provider": "At this provider.",
        "currency": "In this currency.",
        "amount_min": "Of so many minor units or more.",
        "amount_max": "Of so many minor units or fewer.",
        "last4": "By the last four digits of the card.",
        "email": "Of the customer with this address.",
        "created_from": "Made then or later: 2026-02-09T12:00:00Z.",
        "created_to": "Made then or before.",
        "q": "A part of the id, the customer's name or email, or the metadata.",
    },
    dated=True,
)

Amount = Annotated[int, typer.Option(help="Whole minor units: 10.99 USD is 1099.")]
Part = Annotated[int | None, typer.Option("--amount", help="A part, in minor units.")]

_LAST4, _YEAR = 4, 4  # Digits of both.
_GOOD_YEARS = 4

payments = group_of(PAYMENTS)


def register(app: typer.Typer) -> None:
    app.add_typer(payments, name=PAYMENTS.name)


@order(payments, PAYMENTS, "create", new=True, dry=True)
def create(
    amount: Amount,
    currency: Annotated[str, typer.Option(help="ISO 4217, upper case.")],
    token: Annotated[str, typer.Option(help="The card: tok_…; `payments test-card` makes one.")],
    capture_method: Annotated[str, typer.Option(help="manual or automatic.")] = "manual",
    confirm: Annotated[bool, typer.Option("--confirm", help="Charge it at once.")] = False,
    customer: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="id, name, email, ip, country.")
    ] = None,
    metadata: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Words of your own.")
    ] = None,
) -> Body:
    """Make a payment; with --confirm it is charged at once. A decline exits 0."""
    return said(
        amount=amount,
        currency=currency,
        payment_method=token,
        capture_method=capture_method,
        confirm=confirm,
        customer=pairs(customer or [], "--customer country=NL"),
        metadata=pairs(metadata or [], "--metadata order=1043"),
    )


@order(payments, PAYMENTS, "authorize", dry=True)
def authorize() -> Body:
    """Hold the money. A decline exits 0, with the payment's state printed."""
    return {}


@order(payments, PAYMENTS, "capture", dry=True)
def capture(
    amount: Part = None,
    final: Annotated[
        bool, typer.Option("--final/--more-later", help="Give the rest back, or keep it held.")
    ] = True,
) -> Body:
    """Claim held money, or a part of it."""
    return said(amount=amount, final_capture=final)


@order(payments, PAYMENTS, "cancel", dry=True)
def cancel() -> Body:
    """Give held money back."""
    return {}


@payments.command("test-card")
def documented_card(
    last4: Annotated[str, typer.Argument(metavar="LAST4", help="Its last four digits.")] = "4242",
    merchant: Merchant = "",
    as_json: AsJson = False,
) -> None:
    """Put a documented test card into the vault, and print its token."""
    from actors.cli.doors import ask, must
    from actors.cli.providers import service_key_text

    url, whose = f"{settings().vault_url}/tokenize", merchant or first_merchant()
    card = documented_form(last4, int(fetched("/clock")["business_time"][:_YEAR]))
    stored = must(*ask("POST", url, card, key=service_key_text(), merchant=whose))
    if as_json:
        put_json(stored)
    else:
        put(str(stored["token"]))


def documented_form(last4: str, year: int) -> dict[str, object]:
    """A test card, good for years, as a browser would send it. Raises Stop 66."""
    from payrail.domain.cards import brand_of
    from payrail.domain.testcards import TEST_CARDS

    numbers = [number for number in TEST_CARDS if number.endswith(last4) and len(last4) == _LAST4]
    if not numbers:
        known = ", ".join(dict.fromkeys(number[-_LAST4:] for number in TEST_CARDS))
        raise Stop(NO_SUCH, "there is no such test card", f"There are: {known}.")
    cvc = "1234" if brand_of(numbers[0]) == "amex" else "123"
    return {"number": numbers[0], "exp_month": 12, "exp_year": year + _GOOD_YEARS, "cvc": cvc}
