"""Every legal move of a payment, a refund, a dispute, a payout and a case, as a witness knows it.

Written down from the rules' page and not taken from `payrail.domain`, so that a mistake in the
product's tables is not repeated here.
"""

#: Where each entry leads a payment, and from which states it may.
LEADS_TO = {
    "payment.attempt_started": ("processing", {"created", "requires_action"}),
    "payment.requires_action": ("requires_action", {"processing"}),
    "payment.authorized": ("authorized", {"processing", "unknown"}),
    "payment.captured": ("captured", {"processing", "unknown", "authorized"}),
    "payment.declined": ("declined", {"processing", "requires_action", "unknown"}),
    "payment.unknown": ("unknown", {"processing"}),
    "payment.reversed": ("reversed", {"created", "requires_action", "unknown", "authorized"}),
    "payment.settled": ("settled", {"captured"}),
    "payment.charged_back": ("chargeback", {"captured", "settled"}),
}
#: In which states an entry moves nothing: again, or about an operation. Doubt belongs to the
#: operation, and what was under way when a dispute was lost comes to its end.
STAYS = {
    "payment.attempt_started": {"processing"},
    "payment.captured": {"captured", "chargeback"},
    "payment.unknown": {"authorized", "captured", "settled", "chargeback"},
    "payment.settled": {"settled", "chargeback"},
    "payment.charged_back": {"chargeback"},
    "payment.capture_requested": {"authorized", "captured"},
    "payment.reversal_requested": {"unknown", "authorized", "captured", "chargeback"},
    "payment.operation_failed": {"processing", "unknown", "authorized", "captured", "chargeback"},
    "payment.released": {"captured", "settled", "chargeback"},
    "payment.late_approval_reversed": {
        *("processing", "requires_action", "unknown", "authorized", "captured", "settled"),
        *("declined", "reversed", "chargeback"),
    },
    "fee.charged": {"captured", "settled", "chargeback"},
}
ONCE = frozenset(f"payment.{w}" for w in ("authorized", "declined", "reversed", "released"))
#: (state before, entry) -> state after, of refunds, disputes, payouts and cases.
MOVES: dict[tuple[str, str], str] = {
    ("", "refund.requested"): "pending_approval",
    ("pending_approval", "refund.approved"): "approved",
    ("pending_approval", "refund.rejected"): "rejected",
    ("pending_approval", "refund.expired"): "expired",
    ("approved", "refund.submitted"): "processing",
    ("approved", "refund.failed"): "failed",
    ("processing", "refund.submitted"): "processing",
    ("processing", "refund.succeeded"): "succeeded",
    ("processing", "refund.failed"): "failed",
    ("succeeded", "refund.failed"): "failed",
    ("", "dispute.opened"): "opened",  # or an inquiry, by its stage
    ("inquiry", "dispute.opened"): "opened",
    ("inquiry", "dispute.evidence_added"): "inquiry",
    ("inquiry", "dispute.submitted"): "inquiry",
    ("inquiry", "dispute.closed"): "closed",
    ("opened", "dispute.evidence_added"): "opened",
    ("opened", "dispute.submitted"): "under_review",
    ("opened", "dispute.lost"): "lost",
    ("under_review", "dispute.won"): "won",
    ("under_review", "dispute.lost"): "lost",
    ("won", "dispute.lost"): "lost",
    ("", "payout.created"): "in_transit",
    ("in_transit", "payout.paid"): "paid",
    ("in_transit", "payout.failed"): "failed",
    ("paid", "payout.failed"): "failed",
    ("", "case.opened"): "open",
    ("open", "case.closed"): "closed",
}
