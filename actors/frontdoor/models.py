"""What people may send to the front door: one model per body, with the bounds of the rules.

Never: changes a value. A default that is not sent is added by the receiver's message, not here.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field

from payrail.domain.money import AMOUNT_MINOR_MAX, currency_codes, known_currency
from payrail.web.bodies import Body

#: A body of a command stands several times in one journal line of 64 KiB.
COMMAND_BYTES_MAX = 8 * 1024
METADATA_MAX = 50
_TEXT_MAX = 500
_NAME_MAX = 40


Amount = Annotated[
    int, Field(ge=1, le=AMOUNT_MINOR_MAX, description="Whole minor units: 10.99 USD is 1099.")
]
Currency = Annotated[
    str,
    AfterValidator(known_currency),
    Field(
        min_length=3,
        max_length=3,
        examples=["USD"],
        description="ISO 4217, upper case.",
        json_schema_extra={"enum": [*currency_codes()]},
    ),
]
Token = Annotated[str, Field(pattern=r"^tok_[A-Za-z0-9_-]{1,64}$", examples=["tok_" + "0" * 32])]
CaptureMethod = Literal["manual", "automatic"]
Text = Annotated[str, Field(max_length=_TEXT_MAX)]
Name = Annotated[str, Field(min_length=1, max_length=_NAME_MAX)]


class Customer(Body):
    """Who buys; nothing of it is needed."""

    id: Text | None = None
    name: Text | None = None
    email: Text | None = None
    ip: Text | None = None
    country: Annotated[str, Field(max_length=2, description="ISO 3166-1 alpha-2.")] | None = None


class CreatePaymentIntent(Body):
    amount: Amount
    currency: Currency
    payment_method: Token
    capture_method: CaptureMethod = "manual"
    confirm: bool = False
    customer: Customer | None = None
    metadata: Annotated[dict[Name, Text], Field(max_length=METADATA_MAX)] = Field(
        default_factory=dict
    )


class CapturePaymentIntent(Body):
    amount: Annotated[Amount | None, Field(description="Less than what is held, or all of it.")] = (
        None
    )
    final_capture: bool = True


class NoFields(Body):
    """A body that says nothing, or none at all."""


#: What may go wrong with what: for the document, which the provider's own table stands behind.
_MONEY = ["authorize", "capture", "refund", "reverse", "*"]
_DEEDS = (
    ([*_MONEY, "status"], "down|error|http:(?:500|502|504)|reset|garbage|hang"),
    (_MONEY, "approve_then_hang|slow:[1-9][0-9]{0,5}|decline:[a-z][a-z0-9_]{0,39}|wrong_amount"),
    (["webhook", "*"], "(?:duplicate|early)_webhook|reorder_webhooks|late_webhook:[1-9][0-9]{0,4}"),
    (
        ["statement", "*"],
        "settlement_mismatch:(?:missing_ours|missing_theirs|amount|currency|fee|fx|duplicate|late"
        "|wrong_batch|wrong_state|refund|chargeback)",
    ),
)
_DRILLS: dict[str, Any] = {
    "examples": [{"operation": "authorize", "do": "error", "count": 1}],
    "anyOf": [
        {"properties": {"operation": {"enum": [*what]}, "do": {"pattern": f"^(?:{deed})$"}}}
        for what, deed in _DEEDS
    ],
}


class FaultMatch(Body):
    merchant: Annotated[str, Field(pattern=r"^m_[A-Za-z0-9_-]{1,60}$")] | None = None
    payment: Annotated[str, Field(pattern=r"^pi_[A-Za-z0-9_-]{1,60}$")] | None = None
    token: Annotated[str, Field(pattern=r"^tok_[A-Za-z0-9_-]{1,64}$")] | None = None
    amount: Amount | None = None


class FaultRule(Body):
    """What goes wrong at a provider on purpose. The provider itself checks how the parts fit."""

    model_config = ConfigDict(json_schema_extra=_DRILLS)

    operation: Text
    do: Text
    count: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    probability: Annotated[float, Field(ge=0, le=1)] | Annotated[int, Field(ge=0, le=1)] | None = (
        None
    )
    match: FaultMatch | None = None
    fence: bool = True
