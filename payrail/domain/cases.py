"""A case: something that no rule may decide. It is opened by a fact and closed by people."""

from enum import StrEnum
from typing import Any

from msgspec import Struct

from payrail.domain.claim_entries import CaseClosed
from payrail.domain.ledger import CaseOpened, LedgerEntry
from payrail.domain.moves import advance, moved

#: What a case may be about, and what to look at.
REASONS = {
    "late_approval": "A closed payment was approved after all; it is being given back",
    "late_reversal_refused": "An approval that came too late could not be given back",
    "fence_broken": "A provider did what it had refused for good: look at its next statement",
    "amount_mismatch": "A provider approved another amount than was asked for",
    "overdrawn": "A chargeback crossed a refund: more went back than was captured",
    "refund_failed": "A refund that had succeeded was sent back by the cardholder's bank",
    "ruling_contradicts": "A provider ruled otherwise on a dispute than it had before",
    "unresolved": "Nobody could tell what became of a call to a provider; it is asked about daily",
    "hold_not_released": "A hold that has expired could not be given back",
    "dispute_overdue": "A dispute is past its last day, and its provider has not said how it ended",
    "early_fraud_warning": "An issuer suspects fraud: pay it back, or be ready for a chargeback",
    "payout_returned": "A payout that was paid was sent back by the merchant's bank",
}


class CaseState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


CASE_TRANSITIONS: dict[tuple[CaseState | None, str], CaseState] = {
    (None, "case.opened"): CaseState.OPEN,
    (CaseState.OPEN, "case.closed"): CaseState.CLOSED,
}


class CaseView(Struct, kw_only=True):
    """A case as its entries tell it. Mutable: `fold` changes it in place."""

    id: str  # case_…
    merchant_id: str | None
    payment_id: str
    reason: str
    exposure: int  # minor units: what may be lost
    currency: str
    created_at: str
    updated_at: str
    state: CaseState = CaseState.OPEN
    provider: str | None = None
    references: list[str] = []
    operation: str | None = None
    asks: int = 0
    since: str | None = None
    closed_by: str | None = None
    resolution: str | None = None
    object_seq: int = 1  # entries folded


def may(view: CaseView | None, entry_type: str) -> bool:
    """Whether an entry of this type is a legal move now."""
    return ((view.state if view else None), entry_type) in CASE_TRANSITIONS


def legal_verbs(view: CaseView) -> tuple[str, ...]:
    """What may be asked now, for the `legal` of a 409."""
    return ("close",) if view.state is CaseState.OPEN else ()


def fold(view: CaseView | None, entry: LedgerEntry) -> CaseView:
    """The case after `entry`, changed in place. Raises ValueError, with the view untouched, for an
    entry that cannot follow: the book is damaged."""
    state = moved(CASE_TRANSITIONS, view.state if view else None, entry)
    if view is None:
        return _opened(entry)
    data: CaseClosed = entry.data
    told = (entry.ref, entry.merchant_id, data.payment_id)
    if told != (view.id, view.merchant_id, view.payment_id):
        raise ValueError(f"{entry.ref}: {entry.type} does not fit {view.id}")
    view.closed_by, view.resolution = data.closed_by, data.resolution
    advance(view, state, entry)
    return view


def render(view: CaseView) -> dict[str, Any]:
    """The case as the API shows it, ready for JSON; `evidence` is where to look further."""
    return {
        "id": view.id,
        "object": "case",
        "state": view.state.value,
        "payment_intent": view.payment_id,
        "payment_id": view.payment_id,
        "reason": view.reason,
        "about": REASONS.get(view.reason),
        "exposure": view.exposure,
        "currency": view.currency,
        "merchant_id": view.merchant_id,
        "provider": view.provider,
        "references": view.references,
        "operation": view.operation,
        "asks": view.asks,
        "since": view.since,
        "closed_by": view.closed_by,
        "resolution": view.resolution,
        "opened_at": view.created_at,
        "closed_at": view.updated_at if view.state is CaseState.CLOSED else None,
        "evidence": [f"payrail why {view.payment_id}", f"GET /ledger/{view.payment_id}"],
        "created_at": view.created_at,
        "updated_at": view.updated_at,
    }


def _opened(entry: LedgerEntry) -> CaseView:
    data: CaseOpened = entry.data
    return CaseView(
        id=entry.ref,
        merchant_id=entry.merchant_id,
        payment_id=data.payment_id,
        reason=data.reason,
        exposure=data.exposure,
        currency=entry.currency,
        provider=data.provider,
        references=list(data.references),
        operation=data.operation,
        asks=data.asks,
        since=data.since,
        created_at=entry.timestamp,
        updated_at=entry.timestamp,
    )
