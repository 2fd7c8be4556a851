"""What each ledger entry changes about its payment, beside the state.

An effect changes the view in place; it comes after the move was found legal (`payments.fold`).
Never: moves the state, or reads a clock.
"""

from collections.abc import Callable

from payrail.domain.challenges import REQUIRES_ACTION, ActionRequired, Challenge
from payrail.domain.ledger import (
    AttemptEnd,
    AttemptStarted,
    CaptureRequested,
    FeeCharged,
    LateApprovalReversed,
    LedgerEntry,
    OperationFailed,
    OutcomeUnknown,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentCreated,
    PaymentDeclined,
    PaymentReleased,
    PaymentReversed,
    PaymentSettled,
    ReversalRequested,
)
from payrail.domain.payment_view import Attempt, Capture, OpenOperation, PaymentState, PaymentView

#: Why a fenced payment is declined, and how a fenced capture or reversal failed.
FENCED_DECLINE = "processing_error"
FENCED = "fenced"


def created(entry: LedgerEntry) -> PaymentView:
    """The payment as its first entry makes it."""
    data: PaymentCreated = entry.data
    return PaymentView(
        id=entry.ref,
        merchant_id=entry.merchant_id,
        amount=entry.amount,
        currency=entry.currency,
        payment_method=data.payment_method,
        capture_method=data.capture_method,
        customer=data.customer,
        metadata=data.metadata,
        idempotency_key=data.idempotency_key,
        created_at=entry.timestamp,
        updated_at=entry.timestamp,
        object_seq=1,
    )


def _called(view: PaymentView, reference: str | None) -> None:
    """Remember how far our references have been counted."""
    _payment, _dot, k = (reference or "").rpartition(".")
    if k.isdigit():
        view.calls = max(view.calls, int(k))


def _attempt(view: PaymentView, reference: str) -> Attempt | None:
    return next((a for a in view.attempts if a.reference == reference), None)


def _close(view: PaymentView, reference: str | None) -> OpenOperation | None:
    """End the open operation if it is this one. Result: what it was."""
    was = view.open
    if was is None or was.reference != reference:
        return None
    view.open = None
    return was


def _attempt_started(view: PaymentView, entry: LedgerEntry) -> None:
    data: AttemptStarted = entry.data
    for earlier in view.attempts:
        if earlier.outcome == "started":
            _ended(earlier, data.before)
    attempt = Attempt(data.number, data.provider, data.reference, entry.timestamp)
    attempt.cost = _cost(data)
    view.attempts.append(attempt)
    _answered(view, "approved")
    view.provider = data.provider
    view.open = OpenOperation(data.operation, data.reference, entry.timestamp, data.provider)
    _called(view, data.reference)


def _ended(attempt: Attempt, end: AttemptEnd | None) -> None:
    """Another attempt follows. Older lines tell no more than that it was safely refused."""
    if end is None:
        attempt.outcome = attempt.code = "not_accepted"
        return
    attempt.outcome, attempt.code, attempt.latency_ms = end.outcome, end.code, end.latency_ms
    attempt.decline_class, attempt.payer_message = end.decline_class, end.payer_message


def _cost(data: AttemptStarted) -> int | None:
    found = data.routing.candidates if data.routing else []
    return next((one.cost for one in found if one.provider == data.provider), None)


def _requires_action(view: PaymentView, entry: LedgerEntry) -> None:
    data: ActionRequired = entry.data
    attempt = _attempt(view, data.reference)
    if attempt is not None:
        attempt.outcome = attempt.code = REQUIRES_ACTION
        attempt.latency_ms = data.latency_ms
    _close(view, data.reference)
    view.challenges.append(
        Challenge(
            data.challenge_id,
            data.provider,
            data.reference,
            data.action,
            data.url,
            data.expires_at,
        )
    )


def _answered(view: PaymentView, outcome: str) -> None:
    """The challenge is over, if one was open."""
    if view.challenge is not None:
        view.challenge.outcome = outcome


def _authorized(view: PaymentView, entry: LedgerEntry) -> None:
    data: PaymentAuthorized = entry.data
    attempt = _attempt(view, data.reference)
    if attempt is not None:
        attempt.outcome = attempt.code = "approved"
        attempt.latency_ms = data.latency_ms
    _close(view, data.reference)
    view.provider = data.provider
    view.amount_authorized = data.amount_authorized
    view.capture_before = data.capture_before
    view.authorization = data.reference
    view.provider_reference = data.provider_reference


def _declined(view: PaymentView, entry: LedgerEntry) -> None:
    data: PaymentDeclined = entry.data
    attempt = _attempt(view, data.reference)
    # A safe refusal stays one: the payment is declined because nobody took it.
    if attempt is not None and attempt.outcome in ("started", "unknown", REQUIRES_ACTION):
        attempt.outcome = "declined" if data.refusal is None else "not_accepted"
        attempt.code = data.refusal or data.decline_code
        attempt.latency_ms = data.latency_ms
        attempt.decline_class, attempt.payer_message = data.decline_class, data.payer_message
    if view.state is PaymentState.UNKNOWN and data.decline_code == FENCED_DECLINE:
        view.fenced.append(data.reference)
    _answered(view, "failed")
    view.open = None
    view.decline_code = data.decline_code


def _unknown(view: PaymentView, entry: LedgerEntry) -> None:
    data: OutcomeUnknown = entry.data
    if view.open is not None and view.open.reference == data.reference:
        view.open.in_doubt = True
    attempt = _attempt(view, data.reference)
    if attempt is not None:
        attempt.outcome = attempt.code = "unknown"


def _capture_requested(view: PaymentView, entry: LedgerEntry) -> None:
    data: CaptureRequested = entry.data
    _must_fit(view, entry.amount)
    view.open = OpenOperation(
        "capture",
        data.reference,
        entry.timestamp,
        data.provider,
        capture_id=data.capture_id,
        amount=entry.amount,
        final_capture=data.final_capture,
    )
    _called(view, data.reference)


def _must_fit(view: PaymentView, amount: int) -> None:
    if view.capture_closed or amount > view.amount_authorized - view.amount_captured:
        raise ValueError(f"{view.id}: more would be captured than is held")


def _captured(view: PaymentView, entry: LedgerEntry) -> None:
    data: PaymentCaptured = entry.data
    if view.authorization is None:  # approved and captured in one call
        view.amount_authorized = entry.amount
        view.authorization, view.provider_reference = data.reference, data.provider_reference
        attempt = _attempt(view, data.reference)
        if attempt is not None:
            attempt.outcome = attempt.code = "approved"
    _must_fit(view, entry.amount)
    _close(view, data.reference)
    _called(view, data.reference)
    view.captures.append(
        Capture(data.capture_id, entry.amount, data.reference, data.provider_reference)
    )
    view.amount_captured += entry.amount
    view.capture_closed = data.final_capture


def _reversal_requested(view: PaymentView, entry: LedgerEntry) -> None:
    data: ReversalRequested = entry.data
    view.open = OpenOperation(
        "reverse", data.reference, entry.timestamp, data.provider, reason=data.reason
    )
    _called(view, data.reference)


def _operation_failed(view: PaymentView, entry: LedgerEntry) -> None:
    data: OperationFailed = entry.data
    _close(view, data.reference)
    if data.code == FENCED:
        view.fenced.append(data.reference)
    attempt = _attempt(view, data.reference)
    if attempt is not None:
        attempt.outcome, attempt.code = "not_accepted", data.code


def _released(view: PaymentView, entry: LedgerEntry) -> None:
    data: PaymentReleased = entry.data
    _close(view, data.reference)
    _called(view, data.reference)
    view.capture_closed = True


def _reversed(view: PaymentView, entry: LedgerEntry) -> None:
    data: PaymentReversed = entry.data
    view.open = None
    _called(view, data.reference)
    view.reversal_reason = data.reversal_reason
    _answered(view, data.reversal_reason)
    if data.reversal_reason == "late_approval":
        for attempt in view.attempts:
            if attempt.outcome == "unknown":
                attempt.outcome, attempt.code = "approved", "late_approval_reversed"
    view.capture_closed = True


def _late_approval(view: PaymentView, entry: LedgerEntry) -> None:
    data: LateApprovalReversed = entry.data
    attempt = _attempt(view, data.reference)
    if attempt is not None:
        attempt.outcome, attempt.code = "approved", "late_approval_reversed"
    _called(view, data.reversal_reference)


def _fee_charged(view: PaymentView, entry: LedgerEntry) -> None:
    data: FeeCharged = entry.data
    view.merchant_fees += data.merchant_fee
    view.provider_fees += data.provider_fee
    capture = view.capture(data.capture_id)
    if capture is not None:
        capture.merchant_fee, capture.provider_fee = data.merchant_fee, data.provider_fee


def _settled(view: PaymentView, entry: LedgerEntry) -> None:
    data: PaymentSettled = entry.data
    if data.capture_id is None:
        return  # The posting of a break about no capture of ours.
    capture = view.capture(data.capture_id)
    if capture is None or capture.settled_at is not None or entry.amount != capture.amount:
        raise ValueError(f"{view.id}: {data.capture_id} cannot be settled by this")
    capture.settled_at = entry.timestamp
    view.amount_settled += capture.amount


#: By type of entry; one that is missing has a move and no shape in the ledger yet.
EFFECTS: dict[str, Callable[[PaymentView, LedgerEntry], None]] = {
    "payment.attempt_started": _attempt_started,
    "payment.requires_action": _requires_action,
    "payment.authorized": _authorized,
    "payment.declined": _declined,
    "payment.unknown": _unknown,
    "payment.capture_requested": _capture_requested,
    "payment.captured": _captured,
    "payment.reversal_requested": _reversal_requested,
    "payment.operation_failed": _operation_failed,
    "payment.released": _released,
    "payment.reversed": _reversed,
    "payment.late_approval_reversed": _late_approval,
    "payment.settled": _settled,
    "fee.charged": _fee_charged,
}
