"""Bugs of the doors: what a client is shown, and what it is told about its request."""

from tests.planted.edits import Edit
from tests.planted.planted import Planted, seen_by

_FOUND = "order.merchant_id not in (None, owner)"

BUGS = (
    Planted(
        "another-merchants-payment-shown",
        "whoever knows an id is shown the payment of another merchant",
        (
            Edit(
                "actors.frontdoor.reads:PaymentsView.row",
                "merchant_id not in (None, row.merchant_id)",
                "row.merchant_id == ''",
            ),
        ),
        (seen_by("actors/test_frontdoor_reads.py"),),
    ),
    Planted(
        "another-merchants-payment-moved",
        "whoever knows an id captures or cancels the payment of another merchant",
        (Edit("actors.gateway.commands:found", _FOUND, "owner == ''"),),
        (seen_by("actors/test_gateway_rules.py", pick="another_merchants_payment"),),
    ),
    Planted(
        "503-although-written",
        "a client whose request lies in a mailbox is told that nothing was written",
        (
            Edit(
                "payrail.runtime.edge:Edge._fail",
                "may_happen=landed or question.is_written",
                "may_happen=False",
            ),
        ),
        (seen_by("runtime/test_attacks_runtime.py"),),
        faults_only=True,
    ),
    Planted(
        "silence-is-503",
        "a client that waited in vain is told that nothing was written",
        (
            Edit(
                "payrail.runtime.edge:Edge.ask",
                "raise _refusal(what, 504) from None",
                "raise _refusal(what) from None",
            ),
        ),
        (seen_by("runtime/test_attacks_runtime.py"), seen_by("actors/test_frontdoor_commands.py")),
        faults_only=True,
    ),
    Planted(
        "question-not-repeated",
        "a question that its receiver took and died over is never asked again",
        (
            Edit(
                "payrail.runtime.edge:Edge.ask_again",
                "if epoch > question.epoch and taken:",
                "if epoch < 0 and taken:",
            ),
        ),
        (seen_by("runtime/test_edge.py", pick="died_over"),),
        faults_only=True,
    ),
)
