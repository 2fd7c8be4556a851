"""Bugs of the state tables: what may follow what, by whom, and how much."""

from tests.planted.edits import Edit, Rows
from tests.planted.planted import Planted, seen_by

_REFUNDS = "actors/test_gateway_refunds.py"
_TABLE = "payrail.domain.payments:PAYMENT_TRANSITIONS"

BUGS = (
    Planted(
        "capture-whatever-the-state",
        "a capture is sent for a payment that holds nothing",
        (
            Edit(
                "actors.gateway.commands:_must_allow",
                "if verb not in legal:",
                "if verb not in (*legal, 'capture'):",
            ),
        ),
        (seen_by("actors/test_gateway_challenges.py", pick="only_cancel"),),
    ),
    Planted(
        "verbs-while-a-call-is-open",
        "a second call leaves while the first has no outcome",
        (Edit("actors.gateway.commands:must_have_no_call", "view.open is None", "True"),),
        (seen_by("actors/test_gateway_doubt.py", pick="doubtful_capture"),),
    ),
    Planted(
        "terminal-state-left",
        "the table lets a declined payment be authorized",
        (Rows(_TABLE, lambda rows: {**rows, ("declined", "payment.authorized"): "authorized"}),),
        (seen_by("rules/test_payment_moves.py", pick="along_the_edges"),),
    ),
    Planted(
        "late-capture-of-an-expired-hold",
        "a hold is captured after its last day",
        (Edit("actors.gateway.holds:is_over", ">= parse_iso", "< 0 * parse_iso"),),
        (seen_by("actors/test_gateway_holds.py"),),
    ),
    Planted(
        "capture-above-the-hold",
        "more is captured than is held",
        (
            Edit(
                "actors.gateway.commands:capture",
                "amount > view.amount_capturable",
                "amount > 10 * view.amount_authorized",
            ),
        ),
        (seen_by("actors/test_gateway_rules.py", pick="more_than_is_held"),),
    ),
    Planted(
        "refund-above-the-capture",
        "two refunds together give back more than was captured",
        (
            Edit(
                "payrail.domain.refunds:must_be_refundable",
                "amount_minor > payment.amount_refundable",
                "amount_minor > payment.amount_captured",
            ),
        ),
        (seen_by("rules/test_refunds.py", pick="reserves"),),
    ),
    Planted(
        "refund-during-a-dispute",
        "a payment that its cardholder disputes is refunded too: the money leaves twice",
        (
            Edit(
                "payrail.domain.refunds:_must_be_undisputed",
                "if payment.open_disputes:",
                "if not payment:",
            ),
        ),
        (seen_by("actors/test_gateway_dispute_edges.py", pick="is_not_refunded"),),
    ),
    Planted(
        "refund-approved-twice",
        "a refund that is on its way is approved once more",
        (
            Edit(
                "actors.gateway.refunds:_waiting",
                "if not legal_verbs(known) or is_expired",
                "if is_expired",
            ),
            Edit("actors.gateway.commands:must_have_no_call", "view.open is None", "True"),
        ),
        (seen_by(_REFUNDS),),
    ),
    Planted(
        "own-approval",
        "who asked for a refund approves it",
        (
            Edit(
                "payrail.domain.refund_approval:must_be_checker",
                "if user_id == view.requested_by:",
                "if user_id == '':",
            ),
        ),
        (seen_by(_REFUNDS, pick="who_asked"),),
    ),
    Planted(
        "own-approval-booked",
        "who asked for a refund approves it, and the book has nothing against it",
        (
            Edit(
                "payrail.domain.refund_approval:must_be_checker",
                "if user_id == view.requested_by:",
                "if user_id == '':",
            ),
            Edit(
                "payrail.domain.refunds:_approved",
                "data.approved_by == view.requested_by",
                "data.approved_by == ''",
            ),
        ),
        (seen_by("scenarios/test_adversary.py", pick="approves"),),
    ),
    Planted(
        "expired-refund-approved",
        "a refund is approved after its 72 hours",
        (
            Edit(
                "payrail.domain.refund_approval:is_expired",
                "waits and business_ms",
                "waits and 0 * business_ms",
            ),
        ),
        (seen_by(_REFUNDS, pick="72"),),
    ),
    Planted(
        "unbalanced-entry",
        "an entry whose postings do not sum to zero is written",
        (Edit("payrail.domain.ledger:must_balance", "raise", "return\n        raise"),),
        (seen_by("rules/test_export.py", pick="no_book_may_hold"),),
    ),
)
