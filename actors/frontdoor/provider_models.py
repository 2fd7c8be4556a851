"""What may be sent to the inner door of a provider: one model per body, cards only sealed.

Never: changes a value. What is left out is filled in by the provider, from the charge it is about.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from actors.frontdoor.models import Amount, Currency, Token
from actors.frontdoor.shown import Breaker, ProviderCanary
from payrail.web.bodies import Body

#: An HPKE seal over a card is about 300 characters.
_SEALED_MAX = 2_048
_PATTERN = r"^[A-Za-z0-9_.:-]{1,64}$"
#: Our name for a call or a dispute: the same one is the same thing.
Reference = Annotated[str, Field(pattern=_PATTERN, examples=["pi_0000000000000000.1"])]
Id = Annotated[str, Field(pattern=_PATTERN)]
Date = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]


class AuthorizeCall(Body):
    reference: Reference
    amount: Amount
    currency: Currency
    sealed: Annotated[str, Field(min_length=1, max_length=_SEALED_MAX, pattern=r"^[!-~]+$")]
    payment_id: Id | None = None
    merchant_id: Id | None = None
    operation_id: Id | None = None
    token: Token | None = None
    capture: bool = False
    authenticated: Annotated[
        Id | None, Field(description="The action that the cardholder passed, of an earlier charge.")
    ] = None


class ChargeCall(Body):
    """A call about a charge, named by its own reference or by that of a capture of it."""

    reference: Reference
    amount: Amount
    authorization: Reference | None = None
    capture: Reference | None = None
    operation_id: Id | None = None

    @model_validator(mode="after")
    def _about_one_charge(self) -> "ChargeCall":
        if (self.authorization is None) == (self.capture is None):
            raise ValueError("name the charge by either authorization or capture")
        return self


class OpenDisputeCall(Body):
    reference: Reference
    authorization: Reference
    reason: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")] = "general"
    amount: Amount | None = None
    stage: Literal["inquiry", "chargeback", "pre_arbitration"] = "chargeback"


class ResolveDisputeCall(Body):
    outcome: Literal["won", "lost"]


class Shown(BaseModel):
    """An answer of a provider, for the document alone."""

    model_config = ConfigDict(extra="allow")


class ProviderState(BaseModel):
    """`health` is `up` while it serves and its breaker is closed; the counts are its own."""

    object: Literal["provider_state"]
    id: str
    provider: str
    actor: str
    state: str
    health: str
    breaker: Breaker
    canary: ProviderCanary | None
    operations: int
    waiting: int
    fenced: int
    faults: int
    notices_owed: int
    disputes: int
    batches: int
    open_since: str | None
    next_cut_off: str


class ShownFault(BaseModel):
    object: Literal["fault"]
    id: str
    rule: dict[str, Any]
    uses_left: int | None


class Faults(BaseModel):
    object: Literal["list"]
    data: list[ShownFault]
    has_more: bool
    next_cursor: str | None


class ShownDispute(BaseModel):
    object: Literal["dispute"]
    id: str
    reference: str
    authorization: str
    merchant_id: str
    amount: int
    currency: str
    reason: str
    stage: str
    state: Literal["opened", "under_review", "won", "lost", "closed"]
    closed_reason: Literal["accepted", "expired", "defended", "withdrawn"] | None


class StatementRow(BaseModel):
    """A line of a batch, in minor units, signed from our side."""

    file: str
    line: int
    provider: str
    batch_id: str
    provider_reference: str
    reference: str
    operation_id: str
    merchant_id: str
    type: str
    currency: str
    gross: int
    fee: int
    net: int
    occurred_at: str
    value_date: str
    rate: str


class BSigned(BaseModel):
    value: int
    currency: str


class APayout(BaseModel):
    """providerA: what a batch leaves for the bank."""

    id: str
    object: Literal["payout"]
    amount: int
    currency: str
    arrival_date: int
    automatic: bool
    status: Literal["paid"]
    metadata: dict[str, str]


class BPayout(BaseModel):
    """providerB: what a batch leaves for the bank."""

    type: Literal["MerchantPayout"]
    batchNumber: str
    pspReference: str
    amount: BSigned
    valueDate: str


class SettledBatch(BaseModel):
    id: str
    path: str
    sha256: str
    lines: int
    opened_at: str
    closed_at: str
    payouts: list[APayout | BPayout]
    data: list[StatementRow]


class Settlement(BaseModel):
    object: Literal["settlement"]
    provider: str
    date: str
    batches: list[SettledBatch]
