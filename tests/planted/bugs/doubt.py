"""Bugs of doubt: an answer that is missing, taken for one that it is not."""

from tests.planted.edits import Edit
from tests.planted.planted import Planted, seen_by

_DOUBT = "actors/test_gateway_doubt.py"
_LATE = "scenarios/test_late_approval.py"

BUGS = (
    Planted(
        "failover-on-doubt",
        "a charge that may have happened is tried at the other provider",
        (
            Edit(
                "actors.gateway.outcomes:outcome",
                'if told.result == "ambiguous":',
                'if told.result == "ambiguous" and view.open.operation != "authorize":',
            ),
            Edit(
                "actors.gateway.routing:_is_free",
                '(told.result, told.code) == ("refused", NOT_ACCEPTED)',
                'told.result in ("refused", "ambiguous")',
            ),
        ),
        (seen_by(_DOUBT, pick="ambiguous"),),
        faults_only=True,
    ),
    Planted(
        "failover-after-the-answer",
        "a charge that its client was told to wait for is made elsewhere behind its back",
        (
            Edit(
                "actors.gateway.routing:may_go_elsewhere",
                "and view.state is PaymentState.PROCESSING\n"
                "        and view.open is not None\n"
                "        and not view.open.in_doubt",
                "and view.open is not None",
            ),
        ),
        (seen_by(_DOUBT, "actors/test_gateway_routing.py"),),
        faults_only=True,
    ),
    Planted(
        "reply-lost-is-a-decline",
        "a timeout is booked as a decline",
        (
            Edit(
                "actors.gateway.outcomes:timed_out",
                'return _doubt(state, view, message, moment, "timeout")',
                "booking = Booking(view, message, moment)\n"
                '    entries.decline(booking, view.open, "processing_error", moment, Rules())\n'
                "    return _final(state, booking, view.open.reference, moment, 402)",
            ),
        ),
        (seen_by(_DOUBT, pick="timeout_books"),),
        faults_only=True,
    ),
    Planted(
        "asked-once",
        "a call in doubt is asked about once, and then never again",
        (
            Edit(
                "actors.gateway.calls:ask",
                "moment.wire_ms + ask_wait_ms(number)",
                "moment.wire_ms + 10**13",
            ),
        ),
        (seen_by(_DOUBT, pick="never_stop"),),
        faults_only=True,
    ),
    Planted(
        "ask-without-fence",
        "a provider answers that it never saw a charge, and takes it when it comes",
        (
            Edit(
                "actors.provider.asks:answer_ask",
                "events=[ReferenceFenced(ask.reference)],",
                "",
            ),
        ),
        (seen_by("actors/test_provider_core.py", pick="fence or ask"),),
        faults_only=True,
    ),
    Planted(
        "fence-not-looked-at",
        "a reference that was refused for good is charged when its line turns up",
        (
            Edit(
                "actors.provider.calls:_refusal",
                "if order.reference in state.fenced:",
                "if not order.reference:",
            ),
        ),
        (seen_by("actors/test_provider_core.py", pick="fence or ask"),),
        faults_only=True,
    ),
    Planted(
        "ask-answered-without-looking",
        "a provider says that it never saw a charge that it has made",
        (
            Edit(
                "actors.provider.asks:answer_ask",
                "if known is not None:",
                "if known is not None and not ask.payment_id:",
            ),
        ),
        (seen_by("actors/test_provider_core.py", pick="ask"),),
        faults_only=True,
    ),
    Planted(
        "charged-past-its-deadline",
        "a provider takes up a card message whose time is over",
        (
            Edit(
                "actors.provider.calls:_refusal",
                "moment.wire_ms > order.deadline_ms",
                "moment.wire_ms > 2 * order.deadline_ms",
            ),
        ),
        (seen_by("actors/test_provider_core.py", pick="late_or_broken"),),
        faults_only=True,
    ),
    Planted(
        "same-reference-charged-twice",
        "a provider does not know its own reference again: a repeated call is a second charge",
        (
            Edit(
                "actors.provider.calls:take",
                "if known is not None:",
                "if known is not None and not order.reference:",
            ),
        ),
        (seen_by("actors/test_provider_core.py", pick="approved_charge_is_one"),),
        faults_only=True,
    ),
    Planted(
        "late-approval-kept",
        "an approval of a payment that was given up is passed over: the cardholder has paid",
        (
            Edit(
                "actors.gateway.late:consider",
                'if told.result != "approved":',
                'if told.result == "approved":',
            ),
        ),
        (seen_by(_DOUBT, pick="late_approval_is"),),
        faults_only=True,
    ),
    Planted(
        "late-approval-given-back-twice",
        "the same late approval, told again, is reversed again",
        (
            Edit(
                "actors.gateway.late:consider",
                "told.reference in known | _dealt_with(payment)",
                "not told.reference",
            ),
        ),
        (seen_by(_DOUBT, pick="told_again or same_outcome"),),
        faults_only=True,
    ),
    Planted(
        "reversal-under-the-same-reference",
        "a reversal goes out under the reference of its charge, which the provider knows already",
        (
            Edit(
                "actors.gateway.late:give_back",
                'f"{told.payment_id}.{call_number}"',
                "told.reference",
            ),
        ),
        (seen_by(_DOUBT, pick="late"), seen_by(_LATE)),
        faults_only=True,
    ),
    Planted(
        "wrong-amount-accepted",
        "a provider approves another amount than was asked for, and that is booked",
        (
            Edit(
                "actors.gateway.outcomes:_authorized_or_not",
                "told.amount != view.amount or told.currency != view.currency",
                "told.amount is None",
            ),
        ),
        (seen_by(_DOUBT, pick="something_else"),),
        faults_only=True,
    ),
    Planted(
        "one-speaks-for-another",
        "a provider's word about a call to another provider is believed",
        (
            Edit(
                "actors.gateway.outcomes:_must_speak_for_itself",
                "about not in (None, told.provider):",
                "about == '':",
            ),
        ),
        (seen_by(_DOUBT, pick="speaks_for_itself"),),
        faults_only=True,
    ),
    Planted(
        "notice-is-another-outcome",
        "a notice about a call of another provider or operation ends the open one",
        (
            Edit(
                "actors.gateway.notices:_speaks_for_its_own",
                "return ours == (told.provider, told.operation, told.operation_id)",
                "return ours is not None",
            ),
        ),
        (seen_by("actors/test_gateway_notices.py", pick="another_call or its_id"),),
        faults_only=True,
    ),
    Planted(
        "refund-in-doubt-has-failed",
        "a refund without an answer counts as failed: it is asked for, and paid, once more",
        (
            Edit(
                "actors.gateway.outcomes:outcome",
                'if told.result == "ambiguous":',
                'if told.result == "ambiguous" and view.open.operation != "refund":',
            ),
        ),
        (seen_by("actors/test_gateway_refunds.py", pick="broken_answer"),),
        faults_only=True,
    ),
    Planted(
        "return-told-first-is-a-failure",
        "a refund that was sent back, told before its success, counts as never paid",
        (
            Edit(
                "actors.gateway.refund_outcomes:ended",
                'if told.result == "approved" or told.is_sent_back:',
                'if told.result == "approved":',
            ),
        ),
        (seen_by("actors/test_gateway_refunds.py", pick="sent_back_before"),),
        faults_only=True,
    ),
)
