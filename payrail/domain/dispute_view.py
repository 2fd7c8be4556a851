"""How a dispute looks: stage and state, evidence, answers, fees, and its public shape.

The view is filled by `payrail.domain.disputes.fold` alone.
"""

from enum import StrEnum
from typing import Any

from msgspec import Struct

from payrail.domain.dispute_reasons import EVIDENCE, GENERAL, REASONS


class DisputeState(StrEnum):
    """How far it is; what it is about is its stage."""

    INQUIRY = "inquiry"
    OPENED = "opened"
    UNDER_REVIEW = "under_review"
    WON = "won"
    LOST = "lost"
    CLOSED = "closed"


class Stage(StrEnum):
    """Money moves from the chargeback on."""

    INQUIRY = "inquiry"
    CHARGEBACK = "chargeback"
    PRE_ARBITRATION = "pre_arbitration"


class Submission(Struct):
    """The answer of one stage."""

    stage: str
    at: str
    submitted_by: str | None  # None: the provider answered by itself


class DisputeFee(Struct):
    kind: str  # received | countered
    amount: int
    returned: bool = False


class DisputeView(Struct, kw_only=True):
    """A dispute as its entries tell it. Mutable: `fold` changes it in place."""

    id: str  # dp_…
    merchant_id: str | None
    payment_id: str
    amount: int
    currency: str
    provider: str
    reference: str  # ours, of the disputed charge
    provider_reference: str
    stage: Stage
    state: DisputeState
    reason: str
    network_code: str | None
    due_by: str
    created_at: str
    updated_at: str
    prefilled: dict[str, str] = {}  # evidence out of our own books
    evidence: dict[str, str] = {}  # the merchant's
    submissions: list[Submission] = []
    fees: list[DisputeFee] = []
    closed_reason: str | None = None
    object_seq: int = 1  # entries folded

    @property
    def is_open(self) -> bool:
        """Whether somebody may still do something about it."""
        return self.state in (DisputeState.INQUIRY, DisputeState.OPENED, DisputeState.UNDER_REVIEW)

    @property
    def is_answered(self) -> bool:
        """Whether this stage has had its one submission."""
        return any(made.stage == self.stage for made in self.submissions)

    @property
    def countered_fee(self) -> int:
        """What was asked for answers and can be given back, in minor units."""
        return sum(f.amount for f in self.fees if f.kind == "countered" and not f.returned)


def checklist(view: DisputeView) -> list[dict[str, Any]]:
    """What helps against this reason, and who has given it: records, merchant or nobody yet."""
    reason = REASONS.get(view.reason, REASONS[GENERAL])
    return [
        {"item": item, "asked": EVIDENCE[item].asked, "given_by": _given_by(view, item)}
        for item in reason.checklist
    ]


def _given_by(view: DisputeView, item: str) -> str | None:
    if item in view.evidence:
        return "merchant"
    return "records" if item in view.prefilled else None


def render(view: DisputeView) -> dict[str, Any]:
    """The dispute as the API shows it, ready for JSON."""
    return {
        "id": view.id,
        "object": "dispute",
        "stage": view.stage.value,
        "state": view.state.value,
        "reason": view.reason,
        "network_code": view.network_code,
        "amount": view.amount,
        "currency": view.currency,
        "payment_intent": view.payment_id,
        "merchant_id": view.merchant_id,
        "provider": view.provider,
        "provider_reference": view.provider_reference,
        "due_by": view.due_by,
        "closed_reason": view.closed_reason,
        "evidence": {**view.prefilled, **view.evidence},
        "checklist": checklist(view),
        "submissions": [
            {"stage": made.stage, "at": made.at, "submitted_by": made.submitted_by}
            for made in view.submissions
        ],
        "fees": [
            {"kind": fee.kind, "amount": fee.amount, "returned": fee.returned} for fee in view.fees
        ],
        "created_at": view.created_at,
        "updated_at": view.updated_at,
    }
