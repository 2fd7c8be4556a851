"""What the front door answers, as models for the OpenAPI document alone. No answer is made here."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, RootModel

from actors.frontdoor.trying import DryRunShown
from payrail.domain.declines import DeclineClass
from payrail.domain.payment_view import PaymentState


class PaymentMethod(BaseModel):
    token: str
    brand: str
    bin: str
    last4: str


class Attempt(BaseModel):
    """`class`, `payer_message`: of a decline; `cost`: of a capture of all of it, in minor units."""

    number: int
    provider: str
    outcome: str
    code: str | None
    decline_class: Annotated[DeclineClass | None, Field(alias="class")]
    payer_message: str | None
    cost: int | None
    latency_ms: int | None
    at: str


class Capture(BaseModel):
    id: str
    amount: int
    provider_reference: str
    settled_at: str | None


class PendingOperation(BaseModel):
    operation: str
    reference: str
    since: str


class NextAction(BaseModel):
    """Send the customer to `url` of this listener; no key is needed there."""

    type: Literal["redirect_to_url"]
    url: str
    expires_at: str


class PaymentIntent(BaseModel):
    id: str
    object: Literal["payment_intent"]
    state: PaymentState
    amount: int
    amount_authorized: int
    amount_capturable: int
    amount_captured: int
    amount_settled: int
    amount_refunded: int
    amount_disputed: int
    amount_charged_back: int
    currency: str
    merchant_id: str
    idempotency_key: str | None
    payment_method: PaymentMethod
    customer: dict[str, Any] | None
    capture_method: str
    provider: str | None
    attempts: list[Attempt]
    captures: list[Capture]
    decline_code: str | None
    reversal_reason: str | None
    capture_before: str | None
    pending_operation: PendingOperation | None
    next_action: NextAction | None
    metadata: dict[str, str]
    created_at: str
    updated_at: str


class PaymentOrDryRun(RootModel[PaymentIntent | DryRunShown]):
    """The payment, or with `dry_run=true` what the order would do."""


class _Page(BaseModel):
    object: Literal["list"]
    has_more: bool
    next_cursor: str | None


class PaymentIntents(_Page):
    data: list[PaymentIntent]


class Event(BaseModel):
    id: str
    type: str
    timestamp: str
    seq: int
    object_seq: int
    merchant_id: str | None
    correlation_id: str
    data: dict[str, Any]


class Events(_Page):
    data: list[Event]


class Balance(BaseModel):
    account: str
    currency: str
    amount: int


class Balances(_Page):
    data: list[Balance]


class Ledger(BaseModel):
    object: Literal["ledger"]
    id: str
    payment_intent: str
    state: str  # of the payment, refund or dispute that was asked for
    entries: list[dict[str, Any]]


class BreakerWindow(BaseModel):
    """What the breaker counted when it moved last."""

    seconds: int
    calls: int
    failures: int
    failures_in_a_row: int


class Breaker(BaseModel):
    state: Literal["CLOSED", "OPEN", "HALF_OPEN"]
    opened_at: str | None = None
    window: BreakerWindow | None = None
    next_probe_at: str | None = None


class ProviderCanary(BaseModel):
    """The share of payments that tries this provider; 0 since it did worse than the others."""

    percent: int
    percent_asked: int
    answers_min: int
    points_max: int
    rolled_back_at: str | None


class Provider(BaseModel):
    id: str
    object: Literal["provider"]
    actor: str
    state: str
    health: str
    breaker: Breaker
    canary: ProviderCanary | None = None


class Providers(_Page):
    data: list[Provider]


class ActorHealth(BaseModel):
    name: str
    state: str
    epoch: int
    restarts: int
    backlog: int


class Health(BaseModel):
    status: Literal["ok", "degraded"]
    actors: list[ActorHealth]


class Alive(BaseModel):
    status: Literal["ok"]


class Ready(BaseModel):
    status: Literal["ready"]


class Mailbox(BaseModel):
    object: Literal["mailbox"]
    actor: str
    spools: list[dict[str, Any]]


class Order(BaseModel):
    object: Literal["order"]
    actor: str
    verb: str
    at: str


class AnyObject(BaseModel):
    """What the actor that was asked answers."""
