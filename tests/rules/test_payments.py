"""A payment is the fold of its entries."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payrail.domain import ledger
from payrail.domain.ledger import ENTRY_DATA, LedgerEntry, PaymentMethod
from payrail.domain.payments import (
    PAYMENT_TRANSITIONS,
    TERMINAL,
    PaymentState,
    PaymentView,
    fold,
    legal_verbs,
    may,
    next_reference,
    render,
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
        "capture_before": None,
        "pending_operation": None,
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


@pytest.mark.parametrize(
    ("entries", "wrong"),
    [
        ([], entry(CREATED)),
        ([], authorized()),
        ([*HOLD], authorized()),
        ([*HOLD], captured(1100)),
        ([*HOLD], capture_requested(1100)),
        ([*HOLD, capture_requested(400), captured(400)], captured(1)),
        ([*HOLD, reversed_()], captured(1)),
        ([attempt(), unknown()], attempt(2, B, R2)),
        ([], entry(ledger.AttemptStarted(1, A, R1), ref="pi_2")),
        ([], entry(ledger.AttemptStarted(1, A, R1), currency="EUR")),
        ([], entry(ledger.AttemptStarted(1, A, R1), merchant_id="m_002")),
        ([*HOLD, captured(1)], entry(ledger.FeeCharged("cap_1", A, 1, 1), type="payment.settled")),
    ],
)
def test_entry_that_cannot_follow_is_damage(entries, wrong):
    """An entry that was never legal is reported, and the view stays as it was."""
    view = folded(*entries)
    before = msgspec.json.encode(view)

    with pytest.raises(ValueError, match="pi_"):
        fold(view, wrong)
    assert msgspec.json.encode(view) == before


def test_nothing_comes_before_the_creation():
    """A payment begins with its creation."""
    with pytest.raises(ValueError, match="cannot follow nothing"):
        fold(None, authorized())


def test_states_move_only_along_the_edges():
    """The table has exactly the moves between states that the rules have."""
    edges = {(str(a), str(b)) for (a, _type), b in PAYMENT_TRANSITIONS.items() if a and a is not b}
    rules = {
        "created": "processing reversed",
        "processing": "requires_action authorized captured declined unknown",
        "requires_action": "processing declined reversed",
        "unknown": "authorized captured declined reversed",
        "authorized": "captured reversed",
        "captured": "settled chargeback",
        "settled": "chargeback",
    }
    assert edges == {(a, b) for a, targets in rules.items() for b in targets.split()}
    assert {state for state in PaymentState if all(a != state for a, _b in edges)} == TERMINAL


def test_view_survives_a_document():
    """A payment written as a document and read back goes on as before."""
    view = folded(*HOLD, capture_requested(400, final=False))
    again = msgspec.json.decode(msgspec.json.encode(view), type=PaymentView)

    assert again == view
    assert fold(again, captured(400)) == fold(view, captured(400))


def _choices(view: PaymentView) -> list[LedgerEntry]:
    """Every entry that a gateway could book now, as it would book it."""
    reference = next_reference(view)
    operation = view.open.operation if view.open else None
    waiting = view.open.reference if view.open else reference
    rest = max(1, view.amount_capturable)
    number = len(view.attempts) + 1
    made = [entry(ledger.LateApprovalReversed(A, R1, reference))]
    if operation == "authorize":
        made += [authorized(waiting), declined("generic_decline", waiting), unknown(waiting)]
        made += [failed("authorize", "not_accepted", waiting), captured(HELD, waiting)]
        made += [declined("processing_error", waiting), reversed_("late_approval", waiting)]
    if operation == "capture" and view.open:
        made += [captured(view.open.amount, waiting, final=final) for final in (True, False)]
        made += [unknown(waiting, "capture"), failed("capture", "fenced", waiting)]
    if operation == "reverse":
        made += [unknown(waiting, "reverse"), failed("reverse", "not_accepted", waiting)]
        made += [reversed_(reference=waiting), entry(ledger.PaymentReleased(A, waiting), rest)]
    if operation is None:
        made += [attempt(number, B, reference)]
        if not view.attempts:
            made += [reversed_(reference=None)]
        if view.amount_capturable:
            made += [capture_requested(part, reference) for part in (1, rest // 2 or 1, rest)]
            made += [reversal_requested(reference)]
        if view.amount_captured:
            made += [entry(ledger.FeeCharged("cap_1", A, 1, 1), 1)]
    return [one for one in made if may(view, one.type)]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_walk_leaves_the_bounds(data):
    """However a payment goes, no more is captured than was held, references only count up, at
    most one operation is open, closed stays closed, and folding again gives the same payment."""
    walk = [entry(CREATED)]
    view = fold(None, walk[0])
    for _ in range(25):
        was, calls = view.state, view.calls
        choices = _choices(view)
        if not choices:
            break
        walk.append(data.draw(st.sampled_from(choices)))
        view = fold(view, walk[-1])

        assert 0 <= view.amount_captured <= view.amount_authorized <= view.amount
        assert 0 <= view.amount_capturable <= view.amount_authorized - view.amount_captured
        assert view.amount_captured == sum(capture.amount for capture in view.captures)
        assert view.calls >= calls
        assert was not in TERMINAL or view.state is was
        assert view.state not in TERMINAL or (view.open is None and legal_verbs(view) == ())
        assert sum(a.code == "approved" for a in view.attempts) <= 1
        assert view.object_seq == len(walk)
    assert render(folded(*walk[1:])) == render(view)
