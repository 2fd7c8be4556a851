"""What a payment is: the fold of its ledger entries, and nothing besides.

Every move of the state is in `PAYMENT_TRANSITIONS`; a pair that is missing is refused before it is
booked (`may`), and is damage when it stands in the book (`fold` raises).
Never: reads a clock, knows a provider's words, or sees a card number.
"""

from collections.abc import Callable

from payrail.domain.ledger import (
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
from payrail.domain.payment_view import (
    Attempt,
    Capture,
    OpenOperation,
    PaymentState,
    PaymentView,
    render,
)

__all__ = [
    "FENCED",
    "FENCED_DECLINE",
    "PAYMENT_TRANSITIONS",
    "TERMINAL",
    "Attempt",
    "Capture",
    "OpenOperation",
    "PaymentState",
    "PaymentView",
    "fold",
    "legal_verbs",
    "may",
    "next_reference",
    "render",
]


_S = PaymentState

# (state, entry) -> state. Settlement, disputes and challenges have their rows; their entries get a
# shape in the ledger, and an effect below, when they are booked.
PAYMENT_TRANSITIONS: dict[tuple[PaymentState | None, str], PaymentState] = {
    (None, "payment.created"): _S.CREATED,
    (_S.CREATED, "payment.attempt_started"): _S.PROCESSING,
    (_S.CREATED, "payment.reversed"): _S.REVERSED,
    # Another attempt while processing: the one before was safely refused.
    (_S.PROCESSING, "payment.attempt_started"): _S.PROCESSING,
    (_S.PROCESSING, "payment.operation_failed"): _S.PROCESSING,
    (_S.PROCESSING, "payment.requires_action"): _S.REQUIRES_ACTION,
    (_S.PROCESSING, "payment.authorized"): _S.AUTHORIZED,
    (_S.PROCESSING, "payment.captured"): _S.CAPTURED,
    (_S.PROCESSING, "payment.declined"): _S.DECLINED,
    (_S.PROCESSING, "payment.unknown"): _S.UNKNOWN,
    (_S.PROCESSING, "payment.late_approval_reversed"): _S.PROCESSING,
    (_S.REQUIRES_ACTION, "payment.attempt_started"): _S.PROCESSING,
    (_S.REQUIRES_ACTION, "payment.declined"): _S.DECLINED,
    (_S.REQUIRES_ACTION, "payment.reversed"): _S.REVERSED,
    # No new attempt from here: who may have charged is asked, nobody else is.
    (_S.UNKNOWN, "payment.authorized"): _S.AUTHORIZED,
    (_S.UNKNOWN, "payment.captured"): _S.CAPTURED,
    (_S.UNKNOWN, "payment.declined"): _S.DECLINED,
    (_S.UNKNOWN, "payment.reversal_requested"): _S.UNKNOWN,
    (_S.UNKNOWN, "payment.operation_failed"): _S.UNKNOWN,
    (_S.UNKNOWN, "payment.reversed"): _S.REVERSED,
    (_S.UNKNOWN, "payment.late_approval_reversed"): _S.UNKNOWN,
    (_S.AUTHORIZED, "payment.capture_requested"): _S.AUTHORIZED,
    (_S.AUTHORIZED, "payment.reversal_requested"): _S.AUTHORIZED,
    # Doubt about a capture or a reversal belongs to that operation, not to the payment.
    (_S.AUTHORIZED, "payment.unknown"): _S.AUTHORIZED,
    (_S.AUTHORIZED, "payment.operation_failed"): _S.AUTHORIZED,
    (_S.AUTHORIZED, "payment.captured"): _S.CAPTURED,
    (_S.AUTHORIZED, "payment.reversed"): _S.REVERSED,
    (_S.AUTHORIZED, "payment.late_approval_reversed"): _S.AUTHORIZED,
    (_S.CAPTURED, "payment.capture_requested"): _S.CAPTURED,
    (_S.CAPTURED, "payment.reversal_requested"): _S.CAPTURED,
    (_S.CAPTURED, "payment.unknown"): _S.CAPTURED,
    (_S.CAPTURED, "payment.operation_failed"): _S.CAPTURED,
    (_S.CAPTURED, "payment.captured"): _S.CAPTURED,
    (_S.CAPTURED, "payment.released"): _S.CAPTURED,
    (_S.CAPTURED, "fee.charged"): _S.CAPTURED,
    (_S.CAPTURED, "payment.late_approval_reversed"): _S.CAPTURED,
    # The last capture to be found in a statement settles it: see `_settled_or_not`.
    (_S.CAPTURED, "payment.settled"): _S.SETTLED,
    (_S.CAPTURED, "payment.charged_back"): _S.CHARGEBACK,
    (_S.SETTLED, "payment.released"): _S.SETTLED,
    # The posting of a break that was found later.
    (_S.SETTLED, "payment.settled"): _S.SETTLED,
    (_S.SETTLED, "payment.late_approval_reversed"): _S.SETTLED,
    (_S.SETTLED, "payment.charged_back"): _S.CHARGEBACK,
    (_S.DECLINED, "payment.late_approval_reversed"): _S.DECLINED,
    (_S.REVERSED, "payment.late_approval_reversed"): _S.REVERSED,
    (_S.CHARGEBACK, "payment.late_approval_reversed"): _S.CHARGEBACK,
}

#: Entries after which a payment may be settled, or may not be yet.
_MAY_SETTLE = frozenset({"payment.settled", "payment.released"})

#: States that no entry of ours leaves.
TERMINAL = frozenset({_S.DECLINED, _S.REVERSED, _S.CHARGEBACK})

#: Why a fenced payment is declined, and how a fenced capture or reversal failed.
FENCED_DECLINE = "processing_error"
FENCED = "fenced"


def may(view: PaymentView | None, entry_type: str) -> bool:
    """Whether an entry of this type is a legal move now."""
    return ((view.state if view else None), entry_type) in PAYMENT_TRANSITIONS


def legal_verbs(view: PaymentView) -> tuple[str, ...]:
    """What may be asked now, for the `legal` of a 409. Nothing while a call is open."""
    if view.open is not None:
        return ()
    if view.state is _S.CREATED:
        return ("authorize", "cancel")
    if view.state is _S.REQUIRES_ACTION:
        return ("cancel",)
    held = ("capture", "cancel") if view.amount_capturable else ()
    return (*held, "refund") if view.amount_refundable else held


def next_reference(view: PaymentView) -> str:
    """Our name for the next call to a provider about this payment."""
    return f"{view.id}.{view.calls + 1}"


def fold(view: PaymentView | None, entry: LedgerEntry) -> PaymentView:
    """The payment after `entry`, changed in place. Raises ValueError, with the view untouched, for
    an entry that cannot follow: the book is damaged."""
    state = PAYMENT_TRANSITIONS.get((view.state if view else None, entry.type))
    if state is None:
        was = view.state if view else "nothing"
        raise ValueError(f"{entry.ref}: {entry.type} cannot follow {was}")
    if view is None:
        return _created(entry)
    _must_belong(view, entry)
    effect = _EFFECTS.get(entry.type)
    if effect is None:
        raise ValueError(f"{entry.ref}: {entry.type} has no effect yet")
    effect(view, entry)
    view.state = _settled_or_not(view, state, entry.type)
    view.updated_at = entry.timestamp
    view.object_seq += 1
    return view


def _settled_or_not(view: PaymentView, state: PaymentState, entry_type: str) -> PaymentState:
    """Settled is what has every capture settled and nothing left to capture: a partial capture
    stays captured, and the release of the rest settles it."""
    if state not in (_S.CAPTURED, _S.SETTLED) or entry_type not in _MAY_SETTLE:
        return state
    return _S.SETTLED if view.is_settled else _S.CAPTURED


def _must_belong(view: PaymentView, entry: LedgerEntry) -> None:
    same = (entry.ref, entry.merchant_id, entry.currency)
    if same != (view.id, view.merchant_id, view.currency):
        raise ValueError(f"{entry.ref}: {entry.type} is about another payment than {view.id}")


def _created(entry: LedgerEntry) -> PaymentView:
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
            earlier.outcome = earlier.code = "not_accepted"
    view.attempts.append(Attempt(data.number, data.provider, data.reference, entry.timestamp))
    view.provider = data.provider
    view.open = OpenOperation(data.operation, data.reference, entry.timestamp, data.provider)
    _called(view, data.reference)


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
    if attempt is not None and attempt.outcome in ("started", "unknown"):
        attempt.outcome = "declined" if data.refusal is None else "not_accepted"
        attempt.code = data.refusal or data.decline_code
        attempt.latency_ms = data.latency_ms
    if view.state is _S.UNKNOWN and data.decline_code == FENCED_DECLINE:
        view.fenced.append(data.reference)
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


_EFFECTS: dict[str, Callable[[PaymentView, LedgerEntry], None]] = {
    "payment.attempt_started": _attempt_started,
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
