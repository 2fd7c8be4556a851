"""What we pay out to a merchant: every move of a payout, the fold of its entries, and its money.

A payout that was paid may come back for days: paid to failed is a real move, with money of its own.
What a provider pays out to us is another thing: `provider.payout_received`.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from msgspec import Struct

from payrail.domain import postings
from payrail.domain.claim_entries import PayoutCreated, PayoutFailed, PayoutPaid
from payrail.domain.ledger import LedgerEntry, Posting
from payrail.domain.moves import advance, moved, must_be_about


class PayoutState(StrEnum):
    IN_TRANSIT = "in_transit"
    PAID = "paid"
    FAILED = "failed"


_S = PayoutState

PAYOUT_TRANSITIONS: dict[tuple[PayoutState | None, str], PayoutState] = {
    (None, "payout.created"): _S.IN_TRANSIT,
    (_S.IN_TRANSIT, "payout.paid"): _S.PAID,
    (_S.IN_TRANSIT, "payout.failed"): _S.FAILED,
    # The merchant's bank sent it back.
    (_S.PAID, "payout.failed"): _S.FAILED,
}


class PayoutView(Struct, kw_only=True):
    """A payout as its entries tell it. Mutable: `fold` changes it in place."""

    id: str  # po_…
    merchant_id: str | None
    amount: int
    currency: str
    value_date: str
    created_by: str | None
    date: str | None  # the business day of its making
    created_at: str
    updated_at: str
    state: PayoutState = PayoutState.IN_TRANSIT
    bank_reference: str | None = None
    paid_at: str | None = None
    failure_reason: str | None = None
    object_seq: int = 1  # entries folded


def may(view: PayoutView | None, entry_type: str) -> bool:
    """Whether an entry of this type is a legal move now."""
    return ((view.state if view else None), entry_type) in PAYOUT_TRANSITIONS


_TOLD = {"paid": "payout.paid", "failed": "payout.failed"}


def legal_verbs(view: PayoutView) -> tuple[str, ...]:
    """What the bank may still tell of it."""
    return tuple(word for word, entry_type in _TOLD.items() if may(view, entry_type))


def payable_minor(available_minor: int) -> int:
    """What can be paid out of `liability:M:available`, whose balance is below zero while we owe;
    nothing when refunds and chargebacks took more than there was."""
    return max(0, -available_minor)


def money(view: PayoutView | None, entry: LedgerEntry) -> list[Posting]:
    """What `entry`, booked after `view`, moves."""
    merchant_id, amount, currency = entry.merchant_id or "", entry.amount, entry.currency
    if entry.type == "payout.created":
        return postings.payout_created_postings(merchant_id, amount, currency)
    if entry.type == "payout.paid":
        return postings.payout_paid_postings(merchant_id, amount, currency)
    was_paid = view is not None and view.state is _S.PAID
    return postings.payout_failed_postings(merchant_id, amount, currency, was_paid=was_paid)


def fold(view: PayoutView | None, entry: LedgerEntry) -> PayoutView:
    """The payout after `entry`, changed in place. Raises ValueError, with the view untouched, for
    an entry that cannot follow: the book is damaged."""
    state = moved(PAYOUT_TRANSITIONS, view.state if view else None, entry)
    if view is None:
        return _created(entry)
    must_be_about(entry, view.id, view.merchant_id, view.amount, view.currency)
    _EFFECTS[entry.type](view, entry)
    advance(view, state, entry)
    return view


def render(view: PayoutView) -> dict[str, Any]:
    """The payout as the API shows it, ready for JSON."""
    return {
        "id": view.id,
        "object": "payout",
        "state": view.state.value,
        "amount": view.amount,
        "currency": view.currency,
        "merchant_id": view.merchant_id,
        "date": view.date,
        "value_date": view.value_date,
        "created_by": view.created_by,
        "bank_reference": view.bank_reference,
        "paid_at": view.paid_at,
        "failure_reason": view.failure_reason,
        "created_at": view.created_at,
        "updated_at": view.updated_at,
    }


def _created(entry: LedgerEntry) -> PayoutView:
    data: PayoutCreated = entry.data
    if entry.amount < 1:
        raise ValueError(f"{entry.ref}: a payout is at least one minor unit")
    return PayoutView(
        id=entry.ref,
        merchant_id=entry.merchant_id,
        amount=entry.amount,
        currency=entry.currency,
        value_date=data.value_date,
        created_by=data.created_by,
        date=data.date,
        created_at=entry.timestamp,
        updated_at=entry.timestamp,
    )


def _paid(view: PayoutView, entry: LedgerEntry) -> None:
    data: PayoutPaid = entry.data
    view.bank_reference, view.paid_at = data.bank_reference, data.paid_at


def _failed(view: PayoutView, entry: LedgerEntry) -> None:
    data: PayoutFailed = entry.data
    if data.was_paid is not (view.state is _S.PAID):
        raise ValueError(f"{view.id}: it is {view.state}, and fails as if it were not")
    view.failure_reason = data.code


_EFFECTS: dict[str, Callable[[PayoutView, LedgerEntry], None]] = {
    "payout.paid": _paid,
    "payout.failed": _failed,
}
