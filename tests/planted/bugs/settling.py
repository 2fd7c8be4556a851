"""Bugs of settlement and reconciliation: money that is counted twice, or not at all."""

from tests.planted.edits import Edit
from tests.planted.planted import Planted, seen_by

_MATCHER = "payrail.domain.settlement.matching:Matcher"
_MATCHING = "rules/test_recon_matching.py"
_DESK = "actors.gateway.settled:_Desk"
_SETTLED = "actors/test_gateway_settled.py"

BUGS = (
    Planted(
        "capture-settled-twice",
        "a capture that a statement names again is settled again",
        (
            Edit(
                f"{_DESK}._match",
                "if capture.settled_at is not None:",
                "if capture.settled_at == '':",
            ),
        ),
        (seen_by(_SETTLED, pick="said_again"),),
    ),
    Planted(
        "payout-received-twice",
        "a payout that is told of again is booked again",
        (
            Edit(
                f"{_DESK}.receive",
                "if key in self._done or key in self._state.payouts:",
                "if key in self._done:",
            ),
        ),
        (seen_by(_SETTLED, pick="said_again"),),
    ),
    Planted(
        "line-without-a-charge-accepted",
        "a statement's line about a capture that we never made is passed over",
        (
            Edit(
                f"{_MATCHER}._judge",
                "self.found.strange.append((batch, line))",
                "assert line",
            ),
        ),
        (seen_by(_MATCHING, pick="one_spoiled_line"),),
    ),
    Planted(
        "same-line-matched-twice",
        "a line that stood in an earlier statement is matched once more",
        (
            Edit(
                "payrail.domain.settlement.matching:_wrong",
                "if before is not None:",
                'if before == "":',
            ),
        ),
        (seen_by(_MATCHING, pick="one_spoiled_line"),),
    ),
    Planted(
        "missing-capture-not-reported",
        "a capture that no statement ever names is not missed",
        (
            Edit(
                f"{_MATCHER}.missing",
                "elif overdue > self._window.before_ms:",
                "elif overdue < 0:",
            ),
        ),
        (seen_by(_MATCHING, pick="missing"),),
    ),
    Planted(
        "fee-of-a-line-not-compared",
        "a provider keeps more than was agreed, and nobody says so",
        (
            Edit(
                "payrail.domain.settlement.matching:_difference",
                "if line.fee != ours.fee:",
                "if line.fee is None:",
            ),
        ),
        (seen_by(_MATCHING, pick="one_spoiled_line"),),
    ),
    Planted(
        "fee-rounded-down",
        "a fee loses its half unit",
        (
            Edit(
                "payrail.domain.money:half_even",
                "2 * rest > BASIS_POINTS or",
                "rest > BASIS_POINTS or",
            ),
        ),
        (seen_by("rules/test_fees.py", "rules/test_money.py"),),
    ),
    Planted(
        "break-posted-by-its-proposer",
        "who proposed the posting of a break approves it",
        (
            Edit(
                "actors.reconciler.approvals:_approve",
                "if known.proposed_by == question.user_id:",
                "if known.proposed_by == '':",
            ),
        ),
        (seen_by("scenarios/test_settlement.py", pick="mismatch_story"),),
    ),
    Planted(
        "break-booked-twice",
        "a posting that two people approved is booked each time it is told",
        (Edit(f"{_DESK}.book", "self._done | self._state.adjusted.keys()", "self._done"),),
        (seen_by(_SETTLED, pick="approved_break"),),
        faults_only=True,
    ),
    Planted(
        "statement-forgotten-at-restart",
        "a provider that dies while it writes a statement never finishes it",
        (
            Edit(
                "actors.provider.batches:opened",
                "step.errands.append(_errand(clerk, batching, head, batching.plan,",
                "list().append(_errand(clerk, batching, head, batching.plan,",
            ),
        ),
        (seen_by("scenarios/test_settlement.py", pick="was_under_way"),),
        faults_only=True,
    ),
    Planted(
        "posted-line-matched-too",
        "a line that two people have posted goes into transit again when its entry comes",
        (
            Edit(
                f"{_DESK}._claimed",
                "is_posted = self._line(row) is True",
                "is_posted = row is None",
            ),
        ),
        (seen_by(_SETTLED, pick="late_entry"),),
        faults_only=True,
    ),
    Planted(
        "payout-not-in-the-truth",
        "a provider pays out and keeps no line of it",
        (
            Edit(
                "actors.provider.batches:finished",
                "for row in written.bank]",
                "for row in written.bank[:0]]",
            ),
        ),
        (seen_by("actors/test_provider_manners.py", pick="payouts_of_a_batch"),),
    ),
    Planted(
        "statement-without-its-payout",
        "a statement ends before the line that says what it pays out",
        (
            Edit(
                "payrail.domain.settlement.statements:rendered",
                "for row in paid)",
                "for row in paid[:0])",
            ),
        ),
        (seen_by("rules/test_statements.py", pick="read_as_the_money"),),
    ),
    Planted(
        "answer-follows-its-charge",
        "a charge that is asked for again is answered as it is by now",
        (
            Edit(
                "actors.provider.manners_a:_charge",
                "after, code = call.after, call.currency",
                "after, code = charge, call.currency",
            ),
        ),
        (seen_by("actors/test_provider_manners.py", pick="same_bytes_for_ever"),),
    ),
)
