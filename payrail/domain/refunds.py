"""What a refund may do: every move of its state, the fold of its entries, and its money.

What is reserved, given back and in dispute of the payment is the payment's own tale
(`payment_claims`); who has to approve is in `refund_approval`.
Never: reads a clock, or asks a provider.
"""

from collections.abc import Callable

from payrail.domain import postings
from payrail.domain.claim_entries import (
    RefundApproved,
    RefundFailed,
    RefundRejected,
    RefundRequested,
    RefundSubmitted,
    RefundSucceeded,
)
from payrail.domain.ledger import LedgerEntry, Posting
from payrail.domain.moves import advance, moved, must_be_about
from payrail.domain.payment_view import PaymentView
from payrail.domain.payments import legal_verbs as verbs_of_payment
from payrail.domain.refund_view import RefundState, RefundView, render
from payrail.errors import RequestError

__all__ = [
    "IN_FLIGHT",
    "REFUND_TRANSITIONS",
    "RefundState",
    "RefundView",
    "fold",
    "legal_verbs",
    "may",
    "money",
    "must_be_refundable",
    "must_be_sendable",
    "render",
]

_S = RefundState

REFUND_TRANSITIONS: dict[tuple[RefundState | None, str], RefundState] = {
    (None, "refund.requested"): _S.PENDING_APPROVAL,
    (_S.PENDING_APPROVAL, "refund.approved"): _S.APPROVED,
    (_S.PENDING_APPROVAL, "refund.rejected"): _S.REJECTED,
    (_S.PENDING_APPROVAL, "refund.expired"): _S.EXPIRED,
    (_S.APPROVED, "refund.submitted"): _S.PROCESSING,
    # Approved and never sent: a chargeback came between.
    (_S.APPROVED, "refund.failed"): _S.FAILED,
    # Safely refused by the provider, and sent once more under a new reference.
    (_S.PROCESSING, "refund.submitted"): _S.PROCESSING,
    (_S.PROCESSING, "refund.succeeded"): _S.SUCCEEDED,
    (_S.PROCESSING, "refund.failed"): _S.FAILED,
    # The cardholder's bank sent it back.
    (_S.SUCCEEDED, "refund.failed"): _S.FAILED,
}

#: States in which the amount is reserved: neither refundable again nor given back.
IN_FLIGHT = frozenset({_S.PENDING_APPROVAL, _S.APPROVED, _S.PROCESSING})

_VERBS = {_S.PENDING_APPROVAL: ("approve", "reject")}


def may(view: RefundView | None, entry_type: str) -> bool:
    """Whether an entry of this type is a legal move now."""
    return ((view.state if view else None), entry_type) in REFUND_TRANSITIONS


def legal_verbs(view: RefundView) -> tuple[str, ...]:
    """What may be asked now, for the `legal` of a 409."""
    return _VERBS.get(view.state, ())


def fold(view: RefundView | None, entry: LedgerEntry) -> RefundView:
    """The refund after `entry`, changed in place. Raises ValueError, with the view untouched, for
    an entry that cannot follow: the book is damaged."""
    state = moved(REFUND_TRANSITIONS, view.state if view else None, entry)
    if view is None:
        return _requested(entry)
    must_be_about(entry, view.id, view.merchant_id, view.amount, view.currency)
    if entry.data.payment_id != view.payment_id:
        raise ValueError(f"{entry.ref}: {entry.type} is about another payment")
    _EFFECTS[entry.type](view, entry)
    advance(view, state, entry)
    return view


def money(view: RefundView | None, entry: LedgerEntry) -> list[Posting]:
    """What `entry`, booked after `view`, moves: nothing for most."""
    merchant_id, amount, currency = entry.merchant_id or "", entry.amount, entry.currency
    if view is None:
        return []
    if entry.type == "refund.approved":
        return postings.refund_approved_postings(merchant_id, amount, currency)
    if entry.type == "refund.succeeded":
        return postings.refund_succeeded_postings(view.provider, amount, currency)
    if entry.type == "refund.failed":
        was_succeeded = view.state is _S.SUCCEEDED
        return postings.refund_failed_postings(
            view.provider, merchant_id, amount, currency, was_succeeded=was_succeeded
        )
    return []


def must_be_refundable(payment: PaymentView, amount_minor: int) -> None:
    """Whether so much may be asked for. Refuses: dispute-open and illegal-transition 409,
    amount-exceeds 422."""
    _must_be_undisputed(payment)
    if not payment.amount_captured:
        legal = list(verbs_of_payment(payment))
        detail = "nothing was captured yet: cancel the payment instead"
        raise RequestError(409, "illegal-transition", detail, extra={"legal": legal})
    if amount_minor > payment.amount_refundable:
        raise _exceeds(payment.amount_refundable)


def must_be_sendable(payment: PaymentView) -> None:
    """Whether a refund whose amount is reserved may be approved and sent now. Refuses:
    dispute-open 409, and amount-exceeds 422 when a chargeback took what had been reserved."""
    _must_be_undisputed(payment)
    if payment.amount_overdrawn:
        raise _exceeds(0)


def _must_be_undisputed(payment: PaymentView) -> None:
    if payment.open_disputes:
        raise RequestError(
            409,
            "dispute-open",
            "the cardholder disputes this payment: accept the dispute instead of refunding twice",
            extra={"disputes": list(payment.open_disputes), "legal": ["accept-dispute"]},
        )


def _exceeds(refundable_minor: int) -> RequestError:
    return RequestError(
        422,
        "amount-exceeds",
        "that is more than can be refunded",
        errors=[{"field": "amount", "message": f"must be at most {refundable_minor}"}],
        extra={"refundable": refundable_minor},
    )


def _requested(entry: LedgerEntry) -> RefundView:
    data: RefundRequested = entry.data
    return RefundView(
        id=entry.ref,
        merchant_id=entry.merchant_id,
        payment_id=data.payment_id,
        amount=entry.amount,
        currency=entry.currency,
        provider=data.provider,
        reason=data.reason,
        requested_by=data.requested_by,
        tier=data.tier,
        expires_at=data.expires_at,
        idempotency_key=data.idempotency_key,
        created_at=entry.timestamp,
        updated_at=entry.timestamp,
    )


def _approved(view: RefundView, entry: LedgerEntry) -> None:
    data: RefundApproved = entry.data
    if data.approved_by == view.requested_by:
        raise ValueError(f"{view.id}: approved by the one who asked for it")
    view.approved_by = data.approved_by


def _rejected(view: RefundView, entry: LedgerEntry) -> None:
    data: RefundRejected = entry.data
    view.rejected_by, view.rejection_reason = data.rejected_by, data.reason


def _expired(view: RefundView, entry: LedgerEntry) -> None:
    """Nobody approved it in time: the state says it all."""


def _submitted(view: RefundView, entry: LedgerEntry) -> None:
    data: RefundSubmitted = entry.data
    view.reference = data.reference


def _succeeded(view: RefundView, entry: LedgerEntry) -> None:
    data: RefundSucceeded = entry.data
    if data.reference != view.reference:
        raise ValueError(f"{view.id}: {data.reference} is not how it was sent")
    view.provider_reference = data.provider_reference


def _failed(view: RefundView, entry: LedgerEntry) -> None:
    data: RefundFailed = entry.data
    if data.was_succeeded is not (view.state is _S.SUCCEEDED):
        raise ValueError(f"{view.id}: it is {view.state}, and fails as if it were not")
    view.failure_reason = data.code


_EFFECTS: dict[str, Callable[[RefundView, LedgerEntry], None]] = {
    "refund.approved": _approved,
    "refund.rejected": _rejected,
    "refund.expired": _expired,
    "refund.submitted": _submitted,
    "refund.succeeded": _succeeded,
    "refund.failed": _failed,
}
