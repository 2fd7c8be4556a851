"""Entries of payments as they stand in the ledger, for whoever reads it at the front door."""

from payrail.domain.ledger import (
    AttemptStarted,
    CaptureRequested,
    LedgerEntry,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentCreated,
    PaymentMethod,
    Posting,
)
from tests.actors.doors import AT

TOKEN = "tok_" + "0" * 32


def pi(number):
    return f"pi_{number:016d}"


def entry(about, kind, data, *, amount=1000, merchant="m_001", currency="USD", postings=()):
    return LedgerEntry(
        event_id=f"evt_{about[3:]}{kind[8:12]}",
        type=kind,
        ref=about,
        merchant_id=merchant,
        timestamp=AT,
        amount=amount,
        currency=currency,
        data=data,
        postings=list(postings),
        correlation_id="cor_1",
        causation_id="frontdoor>gateway:1.1",
    )


def created(about, key="k", **more):
    method = PaymentMethod(TOKEN, "visa", "424242", "4242")
    return entry(
        about,
        "payment.created",
        PaymentCreated(method, "manual", None, {}, key, "usr_m001_admin"),
        **more,
    )


def started(about, **more):
    data = AttemptStarted(1, "providerA", f"{about}.1")
    return entry(about, "payment.attempt_started", data, **more)


def captured(about):
    """The entries of a payment from its creation to its capture."""
    return [
        created(about),
        started(about),
        entry(
            about,
            "payment.authorized",
            PaymentAuthorized(1, "providerA", f"{about}.1", "A1", 1000, AT, 5),
        ),
        entry(
            about,
            "payment.capture_requested",
            CaptureRequested("cap_1", "providerA", f"{about}.2", True),
        ),
        entry(
            about,
            "payment.captured",
            PaymentCaptured("cap_1", "providerA", f"{about}.2", "A2", True),
            postings=(
                Posting("asset:providerA:receivable", 1000, "USD"),
                Posting("liability:m_001:pending", -1000, "USD"),
            ),
        ),
    ]
