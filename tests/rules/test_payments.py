"""A payment is the fold of its entries."""

import msgspec

from payrail.domain import ledger
from payrail.domain.payments import (
    PaymentState,
    PaymentView,
    fold,
    legal_verbs,
    may,
    next_reference,
    render,
)
from tests.rules.entries import (
    HELD,
    HOLD,
    NOON,
    R1,
    R2,
    R3,
    A,
    B,
    attempt,
    authorized,
    capture_requested,
    captured,
    declined,
    entry,
    failed,
    folded,
    reversal_requested,
    reversed_,
    unknown,
)


def test_created_payment_shows_what_was_asked_for():
    """A new payment has the whole public shape, with nothing held and nothing tried."""
    assert render(folded()) == {
        "id": "pi_1",
        "object": "payment_intent",
        "state": "created",
        "amount": 1099,
        "amount_authorized": 0,
        "amount_capturable": 0,
        "amount_captured": 0,
        "amount_settled": 0,
        "amount_refunded": 0,
        "amount_disputed": 0,
        "amount_charged_back": 0,
        "currency": "USD",
        "merchant_id": "m_001",
        "idempotency_key": "abc123",
        "payment_method": {"token": "tok_1", "brand": "visa", "bin": "424242", "last4": "4242"},
        "customer": {"id": "cus_001"},
        "capture_method": "manual",
        "provider": None,
        "attempts": [],
        "captures": [],
        "decline_code": None,
        "reversal_reason": None,
        "capture_before": None,
        "pending_operation": None,
        "next_action": None,
        "metadata": {"order": "7"},
        "created_at": NOON,
        "updated_at": NOON,
    }


def test_authorized_payment_holds_the_amount():
    """An approval says who approved, how long it took and until when it can be captured."""
    shown = render(folded(*HOLD))

    assert (shown["state"], shown["provider"]) == ("authorized", A)
    assert shown["amount_authorized"] == shown["amount_capturable"] == HELD
    assert shown["capture_before"] == "2026-02-16T12:00:00.123Z"
    assert shown["attempts"] == [
        {
            "number": 1,
            "provider": A,
            "outcome": "approved",
            "code": "approved",
            "class": None,
            "payer_message": None,
            "cost": None,
            "latency_ms": 41,
            "at": NOON,
        }
    ]


def test_decline_keeps_its_code():
    """A declined payment is closed, and its attempt says why."""
    view = folded(attempt(), declined("insufficient_funds"))

    assert (view.state, view.decline_code) == ("declined", "insufficient_funds")
    assert (view.attempts[0].outcome, view.attempts[0].code) == ("declined", "insufficient_funds")
    assert view.open is None
    assert legal_verbs(view) == ()


def test_second_attempt_means_the_first_was_not_accepted():
    """After a safe refusal another provider is tried, and the payment shows both attempts."""
    refused = entry(ledger.OperationFailed("authorize", A, R1, "not_accepted"))
    for entries in ([attempt()], [attempt(), refused]):
        view = folded(*entries, attempt(2, B, R2), authorized(R2, 2, B))

        assert [(a.provider, a.outcome) for a in view.attempts] == [
            (A, "not_accepted"),
            (B, "approved"),
        ]
        assert (view.provider, view.authorization) == (B, R2)


def test_nobody_took_it():
    """A payment that every provider refused is declined, its attempts stay not accepted."""
    view = folded(
        attempt(), failed("authorize", "not_accepted", R1), declined("processing_error", R1)
    )

    assert view.state is PaymentState.DECLINED
    assert [a.outcome for a in view.attempts] == ["not_accepted"]


def test_timeout_is_doubt_and_not_failure():
    """A timed-out charge makes the payment unknown: no verb is legal, nobody else is tried."""
    view = folded(attempt(), unknown())

    assert view.state is PaymentState.UNKNOWN
    assert view.attempts[0].outcome == "unknown"
    assert view.open is not None
    assert view.open.in_doubt
    assert render(view)["pending_operation"] is None
    assert legal_verbs(view) == ()
    assert not may(view, "payment.attempt_started")


def test_doubt_can_end_well():
    """Asked later, the provider says approved: the payment is authorized as if nothing happened."""
    view = folded(attempt(), unknown(), authorized())

    assert view.state is PaymentState.AUTHORIZED
    assert view.attempts[0].outcome == "approved"
    assert view.open is None


def test_fenced_payment_is_declined_and_remembers_the_fence():
    """A charge that the provider never saw can no longer happen: declined, its reference fenced."""
    view = folded(attempt(), unknown(), declined("processing_error"))

    assert (view.state, view.fenced) == (PaymentState.DECLINED, [R1])


def test_late_approval_changes_only_its_attempt():
    """An approval after the close is given back; apart from its attempt the payment stays."""
    closed = render(folded(attempt(), unknown(), declined("processing_error")))
    late = entry(ledger.LateApprovalReversed(A, R1, R2))
    view = folded(attempt(), unknown(), declined("processing_error"), late)
    shown = render(view)

    assert shown.pop("attempts")[0]["outcome"] == "approved"
    assert closed.pop("attempts")[0]["outcome"] == "declined"
    assert shown == closed
    assert next_reference(view) == R3


def test_open_capture_is_a_pending_operation():
    """While a capture is under way the payment stays authorized and no other verb is legal."""
    for entries in ([], [unknown(R2, "capture")]):
        view = folded(*HOLD, capture_requested(1099), *entries)

        assert view.state is PaymentState.AUTHORIZED
        assert render(view)["pending_operation"] == {
            "operation": "capture",
            "reference": R2,
            "since": NOON,
        }
        assert legal_verbs(view) == ()
        assert view.open is not None
        assert view.open.in_doubt is bool(entries)


def test_failed_capture_leaves_the_payment_as_before():
    """A capture that certainly did not happen can be asked for again, under a new reference."""
    before = folded(*HOLD)
    view = folded(*HOLD, capture_requested(1099), failed("capture", "fenced"))

    assert render(view) == render(before)
    assert legal_verbs(view) == ("capture", "cancel")
    assert (view.fenced, next_reference(view)) == ([R2], R3)


def test_full_capture():
    """Captured in full: nothing is capturable, refunding is all that is left."""
    view = folded(*HOLD, capture_requested(1099), captured(1099))

    assert view.state is PaymentState.CAPTURED
    assert (view.amount_captured, view.amount_capturable) == (1099, 0)
    assert render(view)["captures"] == [
        {"id": "cap_1", "amount": 1099, "provider_reference": "pc_9", "settled_at": None}
    ]
    assert legal_verbs(view) == ("refund",)


def test_partial_capture_that_is_not_final_keeps_the_rest():
    """The rest of a partial capture can be captured, or given up by cancelling."""
    view = folded(*HOLD, capture_requested(400, final=False), captured(400, final=False))

    assert view.amount_capturable == 699
    assert legal_verbs(view) == ("capture", "cancel", "refund")

    fold(view, reversal_requested(R3))
    fold(view, entry(ledger.PaymentReleased(A, R3), 699))
    assert (view.state, view.amount_captured, view.amount_capturable) == ("captured", 400, 0)
    assert render(view)["pending_operation"] is None


def test_final_partial_capture_gives_up_the_rest():
    """After a final capture nothing more can be claimed, even before the rest is released."""
    view = folded(*HOLD, capture_requested(400), captured(400))
    assert view.amount_capturable == 0

    fold(view, entry(ledger.PaymentReleased(A, R2), 699))
    assert (view.state, view.amount_captured) == (PaymentState.CAPTURED, 400)


def test_cancel_gives_the_hold_back():
    """A cancelled authorization ends as reversed, with its reason."""
    asked = folded(*HOLD, reversal_requested())
    assert render(asked)["pending_operation"]["operation"] == "reverse"

    view = fold(asked, reversed_())
    assert (view.state, view.reversal_reason) == (PaymentState.REVERSED, "canceled")
    assert (view.amount_capturable, view.open, legal_verbs(view)) == (0, None, ())


def test_cancel_before_anything_was_charged():
    """A payment that nobody charged is cancelled without asking a provider."""
    view = folded(entry(ledger.PaymentReversed("canceled", None, None)))

    assert (view.state, view.calls) == (PaymentState.REVERSED, 0)


def test_late_approval_of_an_unknown_payment():
    """An approval that nobody waits for any more is reversed out of doubt."""
    view = folded(attempt(), unknown(), reversed_("late_approval"))

    assert (view.state, view.reversal_reason) == (PaymentState.REVERSED, "late_approval")
    assert (view.attempts[0].outcome, view.attempts[0].code) == (
        "approved",
        "late_approval_reversed",
    )


def test_approved_and_captured_in_one_call():
    """A provider may approve and capture at once: the payment is captured and was authorized."""
    view = folded(attempt(), captured(1099, R1))

    assert view.state is PaymentState.CAPTURED
    assert view.amount_authorized == view.amount_captured == 1099
    assert (view.attempts[0].outcome, view.authorization) == ("approved", R1)


def test_fees_are_summed():
    """What was kept of a payment is known from its entries."""
    fee = entry(ledger.FeeCharged("cap_1", A, 67, 62), 67)
    view = folded(*HOLD, capture_requested(1099), captured(1099), fee)

    assert (view.merchant_fees, view.provider_fees, view.object_seq) == (67, 62, 6)


def test_view_survives_a_document():
    """A payment written as a document and read back goes on as before."""
    view = folded(*HOLD, capture_requested(400, final=False))
    again = msgspec.json.decode(msgspec.json.encode(view), type=PaymentView)

    assert again == view
    assert fold(again, captured(400)) == fold(view, captured(400))
