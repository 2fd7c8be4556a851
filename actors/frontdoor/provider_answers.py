"""What the inner door answers, for its document: each provider's objects, one or the other.

Never: made by hand. The provider writes them; tests hold what it wrote against these.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

Name = Annotated[str, Field(examples=["ch_4k2q7w3e5r6t2y4u"])]
PspReference = Annotated[str, Field(examples=["NC6HT3CRT65ZGN32"], max_length=80)]
Reference = Annotated[str, Field(examples=["pi_0000000000000000.1"])]
LowerCurrency = Annotated[str, Field(pattern="^[a-z]{3}$", examples=["usd"])]
Money = Annotated[int, Field(ge=0, examples=[1099])]


def _one_of(schema: dict[str, Any]) -> None:
    """A body is of one provider, never of both."""
    schema["oneOf"] = schema.pop("anyOf")


class Action(BaseModel):
    id: str
    type: Literal["challenge"]
    expires_at: str


class AOutcome(BaseModel):
    """What the network and the risk rules said."""

    network_status: Literal["approved_by_network", "declined_by_network", "not_sent_to_network"]
    reason: str | None
    risk_level: Literal["normal", "highest"]
    seller_message: str
    type: Literal["authorized", "issuer_declined", "blocked", "invalid"]


class ACard(BaseModel):
    brand: str
    country: str | None
    exp_month: int
    exp_year: int
    funding: Literal["credit", "debit", "prepaid", "unknown"]
    last4: str


class ACardDetails(BaseModel):
    type: Literal["card"]
    card: ACard


class AMetadata(BaseModel):
    reference: Reference
    payment_id: str
    merchant_id: str
    operation_id: str


AStatus = Literal["succeeded", "failed", "pending", "requires_action"]


class Charge(BaseModel):
    """providerA: a charge, as it was when this call about it had ended."""

    id: Name | None
    object: Literal["charge"]
    amount: Money
    amount_captured: Money
    amount_refunded: Money
    balance_transaction: str | None
    captured: bool
    created: int
    currency: LowerCurrency
    failure_code: str | None
    livemode: Literal[False]
    metadata: AMetadata
    next_action: Action | None
    outcome: AOutcome | None
    paid: bool
    payment_method_details: ACardDetails | None
    reference: Reference
    refunded: bool
    status: AStatus


class Refund(BaseModel):
    """providerA: money on its way back, or a hold that was let go."""

    id: Name
    object: Literal["refund"]
    amount: Money
    balance_transaction: str | None
    charge: Name
    created: int
    currency: LowerCurrency
    failure_reason: str | None
    metadata: AMetadata
    reason: Literal["requested_by_customer"]
    reference: Reference
    status: AStatus


class BAmount(BaseModel):
    value: Money
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$", examples=["USD"])]


class BAdditional(BaseModel):
    """What stands beside; a field that is not there has nothing to say."""

    model_config = ConfigDict(
        extra="allow", json_schema_extra={"additionalProperties": {"type": "string"}}
    )


class Payment(BaseModel):
    """providerB: a payment. Only one that is refused has a reason, only one that asks an action."""

    pspReference: PspReference
    merchantReference: Reference
    resultCode: Literal["Authorised", "Refused", "Received", "Pending", "ChallengeShopper", "Error"]
    amount: BAmount
    additionalData: BAdditional
    refusalReason: str | None = None
    refusalReasonCode: str | None = None
    decline_code: str | None = None
    action: Action | None = None


class Modification(BaseModel):
    """providerB: what is done to a payment later; a notice tells its end."""

    merchantAccount: str
    paymentPspReference: PspReference
    pspReference: PspReference
    reference: Reference
    merchantReference: Reference
    status: Literal["received", "refused"]
    resultCode: Literal["Received", "Refused"]
    amount: BAmount
    refusalReason: str | None = None
    refusalReasonCode: str | None = None
    decline_code: str | None = None


class ChargeAnswer(RootModel[Charge | Payment]):
    """What came of a charge: at providerA a charge, or 402 with an `error`; at providerB 200 with a
    `resultCode`, also when the issuer refuses."""

    model_config = ConfigDict(json_schema_extra=_one_of)


class CaptureAnswer(RootModel[Charge | Modification]):
    """What came of a capture: the charge as it is then, or a modification that was received."""

    model_config = ConfigDict(json_schema_extra=_one_of)


class RefundAnswer(RootModel[Refund | Modification]):
    """What came of a refund or a cancellation."""

    model_config = ConfigDict(json_schema_extra=_one_of)


class ProviderStatus(BaseModel):
    """What became of a reference in our words, and `answer`: the object that its provider answers.
    One that was only ever asked about is `fenced` and has none."""

    object: Literal["status"]
    provider: str
    reference: Reference
    status: Literal["approved", "declined", "requires_action", "pending", "fenced"]
    answer: Charge | Refund | Payment | Modification | None
    code: str | None = None
    operation: str | None = None
    payment_id: str | None = None
    provider_reference: str | None = None
    amount: int | None = None
    currency: str | None = None
    captured: int | None = None
    reversed: int | None = None
    refunded: int | None = None
