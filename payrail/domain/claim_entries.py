"""What an entry tells of a refund, a dispute, a payout or the end of a case: `data`, by type.

A refund's entries stand in `refunds.jsonl`, a dispute's in `disputes.jsonl`; `payment_id` joins
them to their payment. The amount of each is that of the refund or the dispute, whole.
`occurred_at` is business time, which decides the batch that the money of an entry is due in.
"""

from msgspec import Struct


class RefundRequested(Struct, frozen=True, omit_defaults=True):
    """Somebody wants to pay back. From here on the amount is reserved."""

    payment_id: str
    provider: str  # who captured it, and pays it back
    reason: str
    requested_by: str  # user id
    expires_at: str  # ISO, business time: nobody approved until then
    tier: str  # automatic | approver | admin: who has to say yes
    idempotency_key: str | None = None


class RefundApproved(Struct, frozen=True):
    payment_id: str
    approved_by: str | None  # None: small enough to need nobody


class RefundRejected(Struct, frozen=True):
    payment_id: str
    rejected_by: str
    reason: str


class RefundExpired(Struct, frozen=True):
    payment_id: str


class RefundSubmitted(Struct, frozen=True):
    """In the book before the order leaves; again, under a new reference, after a safe refusal."""

    payment_id: str
    provider: str
    reference: str  # <payment>.<k>


class RefundSucceeded(Struct, frozen=True):
    """`succeeded_at` is business time, which decides the batch that the refund is due in."""

    payment_id: str
    provider: str
    reference: str
    provider_reference: str
    succeeded_at: str


class RefundFailed(Struct, frozen=True):
    """The money did not arrive. `was_succeeded`: the provider had said that it would."""

    payment_id: str
    provider: str
    reference: str | None  # None: it never left
    code: str
    was_succeeded: bool = False
    occurred_at: str | None = None


class DisputeOpened(Struct, frozen=True, omit_defaults=True):
    """A cardholder disputes the payment. An inquiry moves no money; when it becomes a chargeback,
    it is opened again under the same id. `fee` is what the provider asks for it."""

    payment_id: str
    provider: str
    reference: str  # ours, of the disputed charge
    provider_reference: str  # dp_…
    stage: str  # inquiry | chargeback | pre_arbitration
    reason: str
    due_by: str  # ISO, business time
    fee: int
    prefilled: dict[str, str]  # evidence out of our own books
    network_code: str | None = None
    occurred_at: str | None = None


class EvidenceAdded(Struct, frozen=True):
    payment_id: str
    evidence: dict[str, str]  # item -> text
    user_id: str


class DisputeSubmitted(Struct, frozen=True):
    """The one answer of this stage. `submitted_by` None: the provider answered by itself, or the
    cardholder gave up before we did."""

    payment_id: str
    provider: str
    stage: str
    submitted_by: str | None
    fee: int
    occurred_at: str | None = None


class DisputeWon(Struct, frozen=True):
    payment_id: str
    provider: str
    closed_reason: str  # defended | withdrawn
    fee_returned: int
    occurred_at: str | None = None


class DisputeLost(Struct, frozen=True):
    """`second`: it had been won, and the issuer charged back once more; that is final."""

    payment_id: str
    provider: str
    closed_reason: str  # accepted | expired | defended
    second: bool = False
    occurred_at: str | None = None


class DisputeClosed(Struct, frozen=True):
    """An inquiry ended without a chargeback."""

    payment_id: str
    provider: str
    closed_reason: str  # accepted | expired | defended | withdrawn


class PaymentChargedBack(Struct, frozen=True):
    """The dispute about it was lost. Amount of the entry: what was lost, in part or in whole."""

    dispute_id: str
    provider: str


class PayoutCreated(Struct, frozen=True, omit_defaults=True):
    """What we owe a merchant is on its way to the merchant's bank."""

    value_date: str  # YYYY-MM-DD
    created_by: str | None = None  # None: by the schedule
    date: str | None = None  # the business day of its making; `value_date` is that of the bank


class PayoutPaid(Struct, frozen=True):
    bank_reference: str
    paid_at: str  # ISO, business time


class PayoutFailed(Struct, frozen=True):
    """The bank sent it back. `was_paid`: after it had told us that it was paid."""

    code: str
    was_paid: bool = False


class CaseClosed(Struct, frozen=True):
    payment_id: str
    closed_by: str
    resolution: str


CLAIM_DATA: dict[str, type[Struct]] = {
    "refund.requested": RefundRequested,
    "refund.approved": RefundApproved,
    "refund.rejected": RefundRejected,
    "refund.expired": RefundExpired,
    "refund.submitted": RefundSubmitted,
    "refund.succeeded": RefundSucceeded,
    "refund.failed": RefundFailed,
    "dispute.opened": DisputeOpened,
    "dispute.evidence_added": EvidenceAdded,
    "dispute.submitted": DisputeSubmitted,
    "dispute.won": DisputeWon,
    "dispute.lost": DisputeLost,
    "dispute.closed": DisputeClosed,
    "payment.charged_back": PaymentChargedBack,
    "payout.created": PayoutCreated,
    "payout.paid": PayoutPaid,
    "payout.failed": PayoutFailed,
    "case.closed": CaseClosed,
}
