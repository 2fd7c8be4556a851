"""How a payment looks: its state, its attempts and captures, what is held, and its public shape.

The view is filled by `payrail.domain.payments.fold` alone. Never: a card number, a decision.
"""

from enum import StrEnum
from typing import Any

from msgspec import Struct

from payrail.domain.challenges import Challenge, next_action
from payrail.domain.ledger import PaymentMethod


class PaymentState(StrEnum):
    """`unknown` is doubt about an authorization: neither success nor failure, never a failure."""

    CREATED = "created"
    PROCESSING = "processing"
    REQUIRES_ACTION = "requires_action"
    UNKNOWN = "unknown"
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    SETTLED = "settled"
    DECLINED = "declined"
    REVERSED = "reversed"
    CHARGEBACK = "chargeback"


_HOLDING = (PaymentState.AUTHORIZED, PaymentState.CAPTURED, PaymentState.CHARGEBACK)


class Attempt(Struct):
    """One charge at one provider. `outcome`: started | approved | declined | unknown |
    requires_action | not_accepted, the last for a safe refusal: nothing was processed there."""

    number: int
    provider: str
    reference: str
    at: str
    outcome: str = "started"
    code: str | None = None
    latency_ms: int | None = None  # in wire time, from its start to its outcome
    decline_class: str | None = None
    payer_message: str | None = None
    cost: int | None = None  # minor units: what capturing all of it would cost us there


class Capture(Struct):
    id: str
    amount: int
    reference: str
    provider_reference: str
    settled_at: str | None = None
    merchant_fee: int = 0
    provider_fee: int = 0


class OpenOperation(Struct):
    """The one call to a provider that has no outcome yet."""

    operation: str  # authorize | capture | reverse | refund
    reference: str
    since: str
    provider: str
    in_doubt: bool = False
    capture_id: str | None = None
    amount: int = 0
    final_capture: bool = True
    reason: str | None = None  # of a reversal
    refund_id: str | None = None


class PaymentView(Struct, kw_only=True):
    """A payment as its entries tell it. Mutable: `fold` changes it in place."""

    id: str
    merchant_id: str | None
    amount: int
    currency: str
    payment_method: PaymentMethod
    capture_method: str
    customer: dict[str, Any] | None
    metadata: dict[str, Any]
    idempotency_key: str | None
    created_at: str
    updated_at: str
    state: PaymentState = PaymentState.CREATED
    provider: str | None = None
    decline_code: str | None = None
    reversal_reason: str | None = None
    capture_before: str | None = None
    amount_authorized: int = 0
    amount_captured: int = 0
    amount_settled: int = 0
    amount_refunding: int = 0  # asked for, and neither given back nor given up
    amount_refunded: int = 0
    amount_disputed: int = 0
    amount_charged_back: int = 0
    open_disputes: list[str] = []  # chargebacks that nobody has ruled on
    merchant_fees: int = 0
    provider_fees: int = 0
    attempts: list[Attempt] = []
    captures: list[Capture] = []
    challenges: list[Challenge] = []
    open: OpenOperation | None = None
    capture_closed: bool = False  # a final capture, a release or a reversal: no more to claim
    authorization: str | None = None  # our reference of the approved charge
    provider_reference: str | None = None  # the provider's own name for it
    fenced: list[str] = []  # references that a provider never saw and now refuses for good
    calls: int = 0  # the highest k of our references <payment>.<k> in the book
    object_seq: int = 0  # entries folded

    @property
    def amount_held(self) -> int:
        """What the provider still holds. A lost dispute forbids to claim it, and it is still to be
        given back."""
        if self.capture_closed or self.state not in _HOLDING:
            return 0
        return self.amount_authorized - self.amount_captured

    @property
    def amount_capturable(self) -> int:
        """What is still held and may be claimed."""
        return 0 if self.state is PaymentState.CHARGEBACK else self.amount_held

    @property
    def challenge(self) -> Challenge | None:
        """The challenge that waits for the cardholder."""
        last = self.challenges[-1] if self.challenges else None
        return last if last is not None and last.outcome is None else None

    @property
    def is_settled(self) -> bool:
        """Whether every capture was found in a statement and nothing may be captured any more."""
        held = 0 if self.capture_closed else self.amount_authorized - self.amount_captured
        return not held and all(capture.settled_at for capture in self.captures)

    def capture(self, capture_id: str) -> Capture | None:
        """The capture of that id."""
        return next((capture for capture in self.captures if capture.id == capture_id), None)

    @property
    def amount_refundable(self) -> int:
        """Captured, and neither given back, reserved for that, disputed nor lost."""
        return max(0, self.amount_captured - self._claimed)

    @property
    def amount_overdrawn(self) -> int:
        """What was claimed beyond what was captured: a chargeback crossed a refund."""
        return max(0, self._claimed - self.amount_captured)

    @property
    def amount_overpaid(self) -> int:
        """What went back, or is on its way, beyond what was captured. A refund that still waits for
        a second person is not sent while this stands."""
        is_under_way = self.open is not None and self.open.operation == "refund"
        refunds = self.amount_refunded + (self.open.amount if self.open and is_under_way else 0)
        gone = refunds + self.amount_disputed + self.amount_charged_back
        return max(0, gone - self.amount_captured)

    @property
    def _claimed(self) -> int:
        refunds = self.amount_refunding + self.amount_refunded
        return refunds + self.amount_disputed + self.amount_charged_back


def render(view: PaymentView) -> dict[str, Any]:
    """The payment as the API shows it: the shape of the contract, ready for JSON."""
    method = view.payment_method
    return {
        "id": view.id,
        "object": "payment_intent",
        "state": view.state.value,
        "amount": view.amount,
        "amount_authorized": view.amount_authorized,
        "amount_capturable": view.amount_capturable,
        "amount_captured": view.amount_captured,
        "amount_settled": view.amount_settled,
        "amount_refunded": view.amount_refunded,
        "amount_disputed": view.amount_disputed,
        "amount_charged_back": view.amount_charged_back,
        "currency": view.currency,
        "merchant_id": view.merchant_id,
        "idempotency_key": view.idempotency_key,
        "payment_method": {
            "token": method.token,
            "brand": method.brand,
            "bin": method.bin,
            "last4": method.last4,
        },
        "customer": view.customer,
        "capture_method": view.capture_method,
        "provider": view.provider,
        "attempts": [_attempt(attempt) for attempt in view.attempts],
        "captures": [_capture(capture) for capture in view.captures],
        "decline_code": view.decline_code,
        "reversal_reason": view.reversal_reason,
        "capture_before": view.capture_before,
        "pending_operation": _pending(view.open),
        "next_action": next_action(view.challenge),
        "metadata": view.metadata,
        "created_at": view.created_at,
        "updated_at": view.updated_at,
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "provider": attempt.provider,
        "outcome": attempt.outcome,
        "code": attempt.code,
        "class": attempt.decline_class,
        "payer_message": attempt.payer_message,
        "cost": attempt.cost,
        "latency_ms": attempt.latency_ms,
        "at": attempt.at,
    }


def _capture(capture: Capture) -> dict[str, Any]:
    return {
        "id": capture.id,
        "amount": capture.amount,
        "provider_reference": capture.provider_reference,
        "settled_at": capture.settled_at,
    }


def _pending(operation: OpenOperation | None) -> dict[str, Any] | None:
    """An open capture, reversal or refund. An open authorization is the state itself."""
    if operation is None or operation.operation == "authorize":
        return None
    return {
        "operation": operation.operation,
        "reference": operation.reference,
        "since": operation.since,
    }
