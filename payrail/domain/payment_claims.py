"""What refunds and disputes change about their payment: what is reserved, given back, disputed
and lost.

Our own refunds must fit into what is refundable; facts from outside need not, and may leave the
payment overdrawn. Entries come here after the move was found legal (`payments.fold`).
Never: moves the state; only `payment.charged_back` does, by the payment's own table.
"""

from collections.abc import Callable

from payrail.domain.claim_entries import (
    DisputeLost,
    DisputeOpened,
    RefundFailed,
    RefundSubmitted,
    RefundSucceeded,
)
from payrail.domain.ledger import LedgerEntry
from payrail.domain.payment_effects import FENCED
from payrail.domain.payment_view import OpenOperation, PaymentView

INQUIRY = "inquiry"


def _refund_requested(view: PaymentView, entry: LedgerEntry) -> None:
    if entry.amount > view.amount_refundable:
        raise ValueError(f"{view.id}: more would be refunded than can be")
    view.amount_refunding += entry.amount


def _refund_released(view: PaymentView, entry: LedgerEntry) -> None:
    view.amount_refunding -= entry.amount


def _refund_submitted(view: PaymentView, entry: LedgerEntry) -> None:
    data: RefundSubmitted = entry.data
    if view.open is not None and view.open.refund_id != entry.ref:
        raise ValueError(f"{view.id}: {view.open.operation} has no outcome yet")
    call_number = int(data.reference.rpartition(".")[2])
    view.open = OpenOperation(
        "refund",
        data.reference,
        entry.timestamp,
        data.provider,
        amount=entry.amount,
        refund_id=entry.ref,
    )
    view.calls = max(view.calls, call_number)


def _refund_succeeded(view: PaymentView, entry: LedgerEntry) -> None:
    data: RefundSucceeded = entry.data
    _close(view, data.reference)
    view.amount_refunding -= entry.amount
    view.amount_refunded += entry.amount


def _refund_failed(view: PaymentView, entry: LedgerEntry) -> None:
    data: RefundFailed = entry.data
    _close(view, data.reference)
    if data.code == FENCED and data.reference is not None:
        view.fenced.append(data.reference)
    if data.was_succeeded:
        view.amount_refunded -= entry.amount
    else:
        view.amount_refunding -= entry.amount


def _close(view: PaymentView, reference: str | None) -> None:
    if view.open is not None and view.open.reference == reference:
        view.open = None


def _dispute_opened(view: PaymentView, entry: LedgerEntry) -> None:
    data: DisputeOpened = entry.data
    if data.stage == INQUIRY:
        return
    view.amount_disputed += entry.amount
    view.open_disputes.append(entry.ref)


def _dispute_won(view: PaymentView, entry: LedgerEntry) -> None:
    view.open_disputes.remove(entry.ref)
    view.amount_disputed -= entry.amount


def _dispute_lost(view: PaymentView, entry: LedgerEntry) -> None:
    data: DisputeLost = entry.data
    if not data.second:
        _dispute_won(view, entry)


def _charged_back(view: PaymentView, entry: LedgerEntry) -> None:
    view.amount_charged_back += entry.amount


def _nothing(view: PaymentView, entry: LedgerEntry) -> None:
    """A fact about the refund or the dispute alone."""


#: By type of entry.
CLAIM_EFFECTS: dict[str, Callable[[PaymentView, LedgerEntry], None]] = {
    "refund.requested": _refund_requested,
    "refund.approved": _nothing,
    "refund.rejected": _refund_released,
    "refund.expired": _refund_released,
    "refund.submitted": _refund_submitted,
    "refund.succeeded": _refund_succeeded,
    "refund.failed": _refund_failed,
    "dispute.opened": _dispute_opened,
    "dispute.evidence_added": _nothing,
    "dispute.submitted": _nothing,
    "dispute.won": _dispute_won,
    "dispute.lost": _dispute_lost,
    "dispute.closed": _nothing,
    "payment.charged_back": _charged_back,
}
#: Of these, the ones that stand in a file of their own, under an id of their own.
CLAIMS = frozenset(name for name in CLAIM_EFFECTS if not name.startswith("payment."))


def payment_of(entry: LedgerEntry) -> str:
    """The payment that an entry is about, also when it stands under a refund's or dispute's id."""
    about: str = entry.data.payment_id if entry.type in CLAIMS else entry.ref
    return about
