"""How a refund looks: who asked, who approved, how far it came, and its public shape.

The view is filled by `payrail.domain.refunds.fold` alone.
"""

from enum import StrEnum
from typing import Any

from msgspec import Struct


class RefundState(StrEnum):
    """`processing` is also a refund in doubt: asked for, and the provider has not said."""

    PENDING_APPROVAL = "pending_approval"
    APPROVED = "approved"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REJECTED = "rejected"
    EXPIRED = "expired"


class RefundView(Struct, kw_only=True):
    """A refund as its entries tell it. Mutable: `fold` changes it in place."""

    id: str  # re_…
    merchant_id: str | None
    payment_id: str
    amount: int
    currency: str
    provider: str
    reason: str
    requested_by: str
    tier: str
    expires_at: str  # of the wait for an approval
    created_at: str
    updated_at: str
    idempotency_key: str | None = None
    state: RefundState = RefundState.PENDING_APPROVAL
    approved_by: str | None = None
    rejected_by: str | None = None
    rejection_reason: str | None = None
    failure_reason: str | None = None
    reference: str | None = None  # ours, of the last order to the provider
    provider_reference: str | None = None
    object_seq: int = 1  # entries folded


def render(view: RefundView) -> dict[str, Any]:
    """The refund as the API shows it, ready for JSON."""
    return {
        "id": view.id,
        "object": "refund",
        "state": view.state.value,
        "amount": view.amount,
        "currency": view.currency,
        "payment_intent": view.payment_id,
        "merchant_id": view.merchant_id,
        "provider": view.provider,
        "reason": view.reason,
        "approval": view.tier,
        "requested_by": view.requested_by,
        "approved_by": view.approved_by,
        "rejected_by": view.rejected_by,
        "rejection_reason": view.rejection_reason,
        "failure_reason": view.failure_reason,
        "expires_at": view.expires_at,
        "reference": view.reference,
        "provider_reference": view.provider_reference,
        "idempotency_key": view.idempotency_key,
        "created_at": view.created_at,
        "updated_at": view.updated_at,
    }
