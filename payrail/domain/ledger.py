"""Ledger entries: every public fact, one line each, and the money that moves with it.

An entry's `data` has one shape per type (`ENTRY_DATA`); what the API shows of a payment is the
fold of its entries alone (`payrail.domain.payments`). Debits are positive, credits negative, and
an entry sums to zero in each currency: checked when it is made and again when it is read.
"""

from typing import Any

import msgspec
from msgspec import Struct

from payrail.domain.challenges import ActionRequired
from payrail.domain.claim_entries import CLAIM_DATA
from payrail.domain.routing import RoutingDecision
from payrail.errors import LineDamaged


class Posting(Struct, frozen=True):
    """One side of a money movement. `amount` in minor units, debit positive."""

    account: str  # e.g. asset:providerA:receivable
    amount: int
    currency: str


class PaymentMethod(Struct, frozen=True):
    """What may be shown of a card."""

    token: str
    brand: str
    bin: str  # first six digits
    last4: str


class PaymentCreated(Struct, frozen=True):
    payment_method: PaymentMethod
    capture_method: str  # manual | automatic
    customer: dict[str, Any] | None
    metadata: dict[str, Any]
    idempotency_key: str | None
    user_id: str


class AttemptEnd(Struct, frozen=True, omit_defaults=True):
    """How an attempt ended that was followed by another one."""

    outcome: str  # declined | not_accepted
    code: str
    latency_ms: int
    decline_class: str | None = None
    payer_message: str | None = None


class AttemptStarted(Struct, frozen=True):
    """A charge is about to be asked for; in the book before the card message leaves. `before`: how
    the one before it ended, if there was one."""

    number: int  # 1, 2, … within the payment
    provider: str  # providerA
    reference: str  # <payment>.<k>, our key at the provider
    operation: str = "authorize"
    routing: RoutingDecision | None = None  # why this provider; None in lines older than this
    before: AttemptEnd | None = None


class PaymentAuthorized(Struct, frozen=True):
    number: int
    provider: str
    reference: str
    provider_reference: str
    amount_authorized: int
    capture_before: str  # ISO, business time
    latency_ms: int


class PaymentDeclined(Struct, frozen=True, omit_defaults=True):
    """`refusal`: the provider's own word when it did not take the charge in; None: the issuer, or
    whoever was asked about it, said no."""

    number: int
    provider: str
    reference: str
    decline_code: str
    latency_ms: int
    refusal: str | None = None
    decline_class: str | None = None  # of the table in force then
    payer_message: str | None = None


class OutcomeUnknown(Struct, frozen=True):
    """The attempt timed out or its answer was ambiguous. Neither success nor failure."""

    number: int
    provider: str
    reference: str
    operation: str


class CaptureRequested(Struct, frozen=True):
    capture_id: str
    provider: str
    reference: str
    final_capture: bool


class PaymentCaptured(Struct, frozen=True, omit_defaults=True):
    """`captured_at` is business time, which decides the batch that the capture is due in; the
    entry's own timestamp is wire time. None in lines older than settlement."""

    capture_id: str
    provider: str
    reference: str
    provider_reference: str
    final_capture: bool
    captured_at: str | None = None


class ReversalRequested(Struct, frozen=True):
    """Held money is about to be given back."""

    provider: str
    reference: str
    reason: str  # canceled | expired


class OperationFailed(Struct, frozen=True):
    """A capture or reversal certainly did not happen; the payment is as before."""

    operation: str
    provider: str
    reference: str
    code: str


class PaymentReleased(Struct, frozen=True):
    """The rest of the hold is given up after a final capture. `amount` of the entry is the rest."""

    provider: str
    reference: str


class PaymentReversed(Struct, frozen=True):
    reversal_reason: str  # canceled | expired | late_approval
    provider: str | None
    reference: str | None


class LateApprovalReversed(Struct, frozen=True):
    provider: str
    reference: str
    reversal_reference: str


class FeeCharged(Struct, frozen=True):
    capture_id: str
    provider: str
    merchant_fee: int
    provider_fee: int


class CaseOpened(Struct, frozen=True, omit_defaults=True):
    """`exposure`: minor units that may be lost. The rest is where people begin to look."""

    payment_id: str
    reason: str
    exposure: int
    provider: str | None = None
    # Ours, of the calls that it is about; behind that of a warning its name at the provider.
    references: list[str] = []
    operation: str | None = None  # authorize | capture | reverse | refund
    asks: int = 0  # how often the provider was asked in vain
    since: str | None = None  # when the call left


class PaymentSettled(Struct, frozen=True, omit_defaults=True):
    """A capture, a refund or another movement of money was found in a statement, or a break about
    the payment was posted by two.

    `amount` of the entry is the capture's; 0 when the posting is about no capture of ours. The
    fold settles the payment when every capture is settled and nothing is capturable.
    """

    provider: str
    batch_id: str | None  # None: in no statement
    capture_id: str | None = None
    refund_id: str | None = None
    claim_id: str | None = None  # of a dispute, or of a refund that was sent back
    effect: str | None = None  # which of its movements: chargeback, chargeback_reversed, …
    adjusted: bool = False
    break_id: str | None = None
    break_class: str | None = None
    proposed_by: str | None = None
    approved_by: str | None = None
    line: str | None = None  # FILE:LINE of the statement's line, of all but captures that match


class PayoutReceived(Struct, frozen=True):
    """A provider's payout stands on the bank's statement. `amount` of the entry is negative when
    the provider took money instead."""

    provider: str
    batch_id: str
    value_date: str


class BreakAdjusted(Struct, frozen=True, omit_defaults=True):
    """The approved posting of a break that is about no payment of ours."""

    provider: str
    batch_id: str | None
    break_id: str
    break_class: str
    proposed_by: str
    approved_by: str
    line: str | None = None  # FILE:LINE of the statement's line; None: it is about none


class BreakerOpened(Struct, frozen=True):
    """A provider failed too often: new charges go elsewhere until it is tried again."""

    failures_in_a_row: int
    calls: int  # of the last minute, this one included
    failures: int
    opened_at: str  # ISO, business time
    next_probe_at: str


class BreakerHalfOpened(Struct, frozen=True):
    """The pause is over: some charges try the provider again."""

    at: str  # ISO, business time


class BreakerClosed(Struct, frozen=True):
    """The provider works again."""

    at: str  # ISO, business time
    good_calls: int


class CanaryRolledBack(Struct, frozen=True):
    """A canary did worse than the other providers, and gets no payments any more."""

    at: str  # ISO, business time
    percent: int  # what it had
    answered: int  # by issuers, at the canary, since it was set
    authorized: int
    others_answered: int
    others_authorized: int
    points_max: int  # percentage points below the others that people allowed


ENTRY_DATA: dict[str, type[Struct]] = {
    "payment.created": PaymentCreated,
    "payment.attempt_started": AttemptStarted,
    "payment.requires_action": ActionRequired,
    "payment.authorized": PaymentAuthorized,
    "payment.declined": PaymentDeclined,
    "payment.unknown": OutcomeUnknown,
    "payment.capture_requested": CaptureRequested,
    "payment.captured": PaymentCaptured,
    "payment.reversal_requested": ReversalRequested,
    "payment.operation_failed": OperationFailed,
    "payment.released": PaymentReleased,
    "payment.reversed": PaymentReversed,
    "payment.late_approval_reversed": LateApprovalReversed,
    "payment.settled": PaymentSettled,
    "fee.charged": FeeCharged,
    "case.opened": CaseOpened,
    "provider.breaker_opened": BreakerOpened,
    "provider.half_opened": BreakerHalfOpened,
    "provider.closed": BreakerClosed,
    "provider.canary_rolled_back": CanaryRolledBack,
    "provider.payout_received": PayoutReceived,
    "provider.break_adjusted": BreakAdjusted,
    **CLAIM_DATA,
}


class LedgerEntry(Struct, kw_only=True, frozen=True):
    """One fact. In its file it begins with `seq` and ends in `prev` and `hash`."""

    event_id: str  # evt_…, also the id of its event and of its webhook
    type: str
    ref: str  # id of the file's own object; fee.*: payment, case.*: case, provider.*: providerA
    merchant_id: str | None
    timestamp: str
    amount: int  # minor units
    currency: str
    data: Any  # ENTRY_DATA[type]
    postings: list[Posting]
    correlation_id: str
    causation_id: str


class _RawEntry(Struct, kw_only=True):
    seq: int
    event_id: str
    type: str
    ref: str
    merchant_id: str | None
    timestamp: str
    amount: int
    currency: str
    data: msgspec.Raw
    postings: list[Posting]
    correlation_id: str
    causation_id: str


_decode_raw = msgspec.json.Decoder(_RawEntry).decode
_decode_data = {name: msgspec.json.Decoder(shape).decode for name, shape in ENTRY_DATA.items()}


def read_entry(line: bytes) -> tuple[int, LedgerEntry]:
    """(`seq`, entry) of a ledger line. Raises LineDamaged for an unknown type or shape."""
    try:
        raw = _decode_raw(line)
        data = _decode_data[raw.type](raw.data)
    except (msgspec.MsgspecError, KeyError) as error:
        raise LineDamaged(f"not a ledger entry we know: {error}") from error
    fields = {name: getattr(raw, name) for name in LedgerEntry.__struct_fields__ if name != "data"}
    return raw.seq, LedgerEntry(data=data, **fields)


def must_balance(postings: list[Posting]) -> None:
    """Raises ValueError unless the postings sum to zero in each currency."""
    sums: dict[str, int] = {}
    for posting in postings:
        sums[posting.currency] = sums.get(posting.currency, 0) + posting.amount
    if any(sums.values()):
        raise ValueError(f"postings do not balance: {sums}")
