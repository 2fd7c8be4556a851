"""Entries about one payment, as a gateway books them."""

from typing import Any

from payrail.domain import ledger
from payrail.domain.ledger import ENTRY_DATA, LedgerEntry, PaymentMethod
from payrail.domain.payments import (
    PaymentView,
    fold,
)

NOON = "2026-02-09T12:00:00.123Z"
A, B = "providerA", "providerB"
R1, R2, R3 = "pi_1.1", "pi_1.2", "pi_1.3"
HELD = 1099
CREATED = ledger.PaymentCreated(
    payment_method=PaymentMethod("tok_1", "visa", "424242", "4242"),
    capture_method="manual",
    customer={"id": "cus_001"},
    metadata={"order": "7"},
    idempotency_key="abc123",
    user_id="u_1",
)
TYPE_OF = {shape: name for name, shape in ENTRY_DATA.items()}


def entry(data: Any, amount: int = HELD, **more: Any) -> LedgerEntry:
    """The entry that books `data`, about pi_1."""
    fields = {
        "event_id": "evt_1",
        "type": TYPE_OF[type(data)],
        "ref": "pi_1",
        "merchant_id": "m_001",
        "timestamp": NOON,
        "amount": amount,
        "currency": "USD",
        "data": data,
        "postings": [],
        "correlation_id": "cor_1",
        "causation_id": "frontdoor>gateway:1",
    }
    return LedgerEntry(**{**fields, **more})


def folded(*entries: LedgerEntry) -> PaymentView:
    view = None
    for one in (entry(CREATED), *entries):
        view = fold(view, one)
    assert view is not None
    return view


def attempt(number: int = 1, provider: str = A, reference: str = R1) -> LedgerEntry:
    return entry(ledger.AttemptStarted(number, provider, reference))


def authorized(reference: str = R1, number: int = 1, provider: str = A) -> LedgerEntry:
    data = ledger.PaymentAuthorized(
        number, provider, reference, "pa_9", HELD, "2026-02-16T12:00:00.123Z", 41
    )
    return entry(data)


def declined(code: str, reference: str = R1) -> LedgerEntry:
    return entry(ledger.PaymentDeclined(1, A, reference, code, 33))


def unknown(reference: str = R1, operation: str = "authorize") -> LedgerEntry:
    return entry(ledger.OutcomeUnknown(1, A, reference, operation))


def capture_requested(amount: int, reference: str = R2, *, final: bool = True) -> LedgerEntry:
    return entry(ledger.CaptureRequested("cap_1", A, reference, final), amount)


def captured(amount: int, reference: str = R2, *, final: bool = True) -> LedgerEntry:
    return entry(ledger.PaymentCaptured("cap_1", A, reference, "pc_9", final), amount)


def failed(operation: str, code: str, reference: str = R2) -> LedgerEntry:
    return entry(ledger.OperationFailed(operation, A, reference, code))


def reversal_requested(reference: str = R2) -> LedgerEntry:
    return entry(ledger.ReversalRequested(A, reference, "canceled"))


def reversed_(reason: str = "canceled", reference: str | None = R2) -> LedgerEntry:
    return entry(ledger.PaymentReversed(reason, A, reference))


HOLD = (attempt(), authorized())
