"""A captured payment with its refunds and disputes, booked as a gateway would, for walks."""

from typing import Any

import msgspec
from msgspec import Struct, structs

from payrail.domain import disputes, refunds
from payrail.domain import ledger as book
from payrail.domain.claim_entries import (
    DisputeClosed,
    DisputeLost,
    DisputeOpened,
    DisputeSubmitted,
    DisputeWon,
    EvidenceAdded,
    PaymentChargedBack,
    RefundApproved,
    RefundExpired,
    RefundFailed,
    RefundRejected,
    RefundRequested,
    RefundSubmitted,
    RefundSucceeded,
)
from payrail.domain.ledger import ENTRY_DATA, LedgerEntry, PaymentMethod, Posting, must_balance
from payrail.domain.payments import PaymentView, fold, next_reference
from payrail.domain.postings import balances

NOON = "2026-02-09T12:00:00.123Z"
DUE = "2026-02-27T12:00:00.123Z"
A, M, PAY = "providerA", "m_001", "pi_1"
CAPTURED = 5000
FEE = 1500
TYPE_OF = {shape: name for name, shape in ENTRY_DATA.items()}


def entry(data: Struct, amount: int, ref: str = PAY, **more: Any) -> LedgerEntry:
    fields: dict[str, Any] = {
        "event_id": "evt_1",
        "type": TYPE_OF[type(data)],
        "ref": ref,
        "merchant_id": M,
        "timestamp": NOON,
        "amount": amount,
        "currency": "USD",
        "data": data,
        "postings": [],
        "correlation_id": "cor_1",
        "causation_id": "frontdoor>gateway:1",
    }
    return LedgerEntry(**{**fields, **more})


def captured_payment(amount: int = CAPTURED) -> PaymentView:
    method = PaymentMethod("tok_1", "visa", "400000", "0259")
    customer = {"id": "cus_001", "name": "Ada Kite", "email": "ada@shop.example"}
    view: PaymentView | None = None
    for data in (
        book.PaymentCreated(method, "manual", customer, {}, "abc123", "usr_op"),
        book.AttemptStarted(1, A, "pi_1.1"),
        book.PaymentAuthorized(1, A, "pi_1.1", "pa_9", amount, DUE, 41),
        book.CaptureRequested("cap_1", A, "pi_1.2", True),
        book.PaymentCaptured("cap_1", A, "pi_1.2", "pc_9", True),
    ):
        view = fold(view, entry(data, amount))
    assert view is not None
    return view


def requested(amount: int, ref: str = "re_1", **more: Any) -> LedgerEntry:
    data = RefundRequested(PAY, A, "too large", "usr_op", DUE, "approver", **more)
    return entry(data, amount, ref)


def opened(amount: int = CAPTURED, stage: str = "chargeback", ref: str = "dp_1") -> LedgerEntry:
    fee = 0 if stage == "inquiry" else FEE
    prefilled = {"payment_record": "pi_1"}
    data = DisputeOpened(PAY, A, "pi_1.1", "dsp_9", stage, "fraudulent", DUE, fee, prefilled)
    return entry(data, amount, ref)


class Family:
    """A payment and its claims; `book` folds an entry into all it is about, or into nothing."""

    def __init__(self) -> None:
        self.payment = captured_payment()
        self.refunds: dict[str, refunds.RefundView] = {}
        self.disputes: dict[str, disputes.DisputeView] = {}
        self.entries: list[LedgerEntry] = []

    def book(self, made: LedgerEntry) -> None:
        """Raises ValueError, with nothing changed, for an entry that cannot follow."""
        payment = _copy(self.payment)
        fold(payment, made)
        ref = made.ref
        if made.type.startswith("refund."):
            known = _copy(self.refunds.get(ref))
            money = refunds.money(self.refunds.get(ref), made)
            self.refunds[ref] = refunds.fold(known, made)
            made = structs.replace(made, postings=money)
        if made.type.startswith("dispute."):
            had = _copy(self.disputes.get(ref))
            money = disputes.money(self.disputes.get(ref), made)
            self.disputes[ref] = disputes.fold(had, made)
            made = structs.replace(made, postings=money)
        must_balance(made.postings)
        self.payment = payment
        self.entries.append(made)

    def bytes(self) -> bytes:
        return msgspec.json.encode((self.payment, self.refunds, self.disputes))

    def balance(self, account: str) -> int:
        return balances(self.entries).get(account, {}).get("USD", 0)

    def postings(self) -> list[Posting]:
        """Of the last entry."""
        return self.entries[-1].postings


def _copy(view: Any) -> Any:
    return None if view is None else msgspec.json.decode(msgspec.json.encode(view), type=type(view))


def refund_entries(family: Family, ref: str) -> list[LedgerEntry]:
    """One entry of each type about this refund, as it would be booked now, legal or not."""
    view = family.refunds.get(ref)
    amount = view.amount if view else 1
    reference = next_reference(family.payment)
    sent = (view.reference if view else None) or reference
    was_succeeded = view is not None and view.state == "succeeded"
    shapes: tuple[Struct, ...] = (
        RefundApproved(PAY, "usr_two"),
        RefundRejected(PAY, "usr_two", "no"),
        RefundExpired(PAY),
        RefundSubmitted(PAY, A, reference),
        RefundSucceeded(PAY, A, sent, "pr_9", NOON),
        RefundFailed(PAY, A, sent, "bank_closed", was_succeeded),
    )
    return [requested(amount, ref), *(entry(data, amount, ref) for data in shapes)]


def dispute_entries(family: Family, ref: str, amount: int) -> list[LedgerEntry]:
    """Likewise about this dispute."""
    view = family.disputes.get(ref)
    stage = str(view.stage) if view else "chargeback"
    back = view.countered_fee if view else 0
    same = view.amount if view else amount
    shapes: tuple[Struct, ...] = (
        EvidenceAdded(PAY, {"order_details": "two books"}, "usr_op"),
        DisputeSubmitted(PAY, A, stage, "usr_op", 0 if stage == "inquiry" else FEE),
        DisputeWon(PAY, A, "defended", back),
        DisputeLost(PAY, A, "defended", view is not None and view.state == "won"),
        DisputeClosed(PAY, A, "withdrawn"),
    )
    begun = [opened(amount, stage, ref) for stage in ("inquiry", "chargeback")]
    return [*begun, *(entry(data, same, ref) for data in shapes)]


def charged_back(amount: int, ref: str = "dp_1") -> LedgerEntry:
    return entry(PaymentChargedBack(ref, A), amount)
