"""What a payment may do: every move of its state, and the fold of its ledger entries.

Every move is in `PAYMENT_TRANSITIONS`; a pair that is missing is refused before it is booked
(`may`), and is damage when it stands in the book (`fold` raises). What an entry changes besides the
state is in `payment_effects`; entries about its refunds and disputes, which stand in files of
their own, are folded too and are in `payment_claims`.
Never: reads a clock, knows a provider's words, or sees a card number.
"""

from payrail.domain.ledger import LedgerEntry
from payrail.domain.moves import moved
from payrail.domain.payment_claims import CLAIM_EFFECTS, CLAIMS, payment_of
from payrail.domain.payment_effects import EFFECTS, FENCED, FENCED_DECLINE, created
from payrail.domain.payment_view import (
    Attempt,
    Capture,
    OpenOperation,
    PaymentState,
    PaymentView,
    render,
)

__all__ = [
    "DONE",
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

# (state, entry) -> state.
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
    (_S.REQUIRES_ACTION, "payment.late_approval_reversed"): _S.REQUIRES_ACTION,
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
    # Doubt about a refund.
    (_S.SETTLED, "payment.unknown"): _S.SETTLED,
    (_S.SETTLED, "payment.late_approval_reversed"): _S.SETTLED,
    (_S.SETTLED, "payment.charged_back"): _S.CHARGEBACK,
    (_S.DECLINED, "payment.late_approval_reversed"): _S.DECLINED,
    (_S.REVERSED, "payment.late_approval_reversed"): _S.REVERSED,
    (_S.CHARGEBACK, "payment.late_approval_reversed"): _S.CHARGEBACK,
    # Another dispute about the same payment, or the same one in part.
    (_S.CHARGEBACK, "payment.charged_back"): _S.CHARGEBACK,
    # What was under way, held or unsettled when the dispute was lost comes to its end.
    (_S.CHARGEBACK, "payment.unknown"): _S.CHARGEBACK,
    (_S.CHARGEBACK, "payment.operation_failed"): _S.CHARGEBACK,
    (_S.CHARGEBACK, "payment.captured"): _S.CHARGEBACK,
    (_S.CHARGEBACK, "fee.charged"): _S.CHARGEBACK,
    (_S.CHARGEBACK, "payment.reversal_requested"): _S.CHARGEBACK,
    (_S.CHARGEBACK, "payment.released"): _S.CHARGEBACK,
    (_S.CHARGEBACK, "payment.settled"): _S.CHARGEBACK,
}

# An entry about a refund or a dispute moves no payment, and needs one that has been captured.
PAYMENT_TRANSITIONS |= {
    (state, claim): state for state in (_S.CAPTURED, _S.SETTLED, _S.CHARGEBACK) for claim in CLAIMS
}

_EFFECTS = {**EFFECTS, **CLAIM_EFFECTS}

#: Entries after which a payment may be settled, or may not be yet.
_MAY_SETTLE = frozenset({"payment.settled", "payment.released"})

#: States that no entry of ours leaves.
TERMINAL = frozenset({_S.DECLINED, _S.REVERSED, _S.CHARGEBACK})
#: Of these, the ones without money: no refund and no dispute can follow.
DONE = frozenset({_S.DECLINED, _S.REVERSED})


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
    may_refund = view.amount_refundable and not view.open_disputes
    return (*held, "refund") if may_refund else held


def next_reference(view: PaymentView) -> str:
    """Our name for the next call to a provider about this payment."""
    return f"{view.id}.{view.calls + 1}"


def fold(view: PaymentView | None, entry: LedgerEntry) -> PaymentView:
    """The payment after `entry`, changed in place. Raises ValueError, with the view untouched, for
    an entry that cannot follow: the book is damaged."""
    state = moved(PAYMENT_TRANSITIONS, view.state if view else None, entry)
    if view is None:
        return created(entry)
    _must_belong(view, entry)
    effect = _EFFECTS.get(entry.type)
    if effect is None:
        raise ValueError(f"{entry.ref}: {entry.type} has no effect yet")
    effect(view, entry)
    view.state = _settled_or_not(view, state, entry.type)
    view.updated_at = entry.timestamp
    view.object_seq += entry.ref == view.id  # events of a claim count with the claim
    return view


def _settled_or_not(view: PaymentView, state: PaymentState, entry_type: str) -> PaymentState:
    """Settled is what has every capture settled and nothing left to capture: a partial capture
    stays captured, and the release of the rest settles it."""
    if state not in (_S.CAPTURED, _S.SETTLED) or entry_type not in _MAY_SETTLE:
        return state
    return _S.SETTLED if view.is_settled else _S.CAPTURED


def _must_belong(view: PaymentView, entry: LedgerEntry) -> None:
    same = (payment_of(entry), entry.merchant_id, entry.currency)
    if same != (view.id, view.merchant_id, view.currency):
        raise ValueError(f"{entry.ref}: {entry.type} is about another payment than {view.id}")
