"""Bugs of webhooks, in and out."""

from tests.planted.edits import Edit
from tests.planted.planted import Planted, seen_by

_NOTICES = "payrail.security.notices"
_ATTEMPTS = "actors.dispatcher.attempts"
_POST = "actors/test_dispatcher_core.py"

BUGS = (
    Planted(
        "signature-not-checked",
        "anybody may tell that a payment was approved",
        (
            Edit(
                f"{_NOTICES}:_read_event",
                "if not _is_among(stripe_signature(key, time_s, body), given):",
                "if not given:",
            ),
        ),
        (seen_by("rules/test_notices.py", pick="changed_byte"),),
    ),
    Planted(
        "tolerance-one-sided",
        "a notice that was signed in the future is taken",
        (
            Edit(
                f"{_NOTICES}:_must_be_fresh",
                "abs(wall_ms - time_ms) > TOLERANCE_MS",
                "wall_ms - time_ms > TOLERANCE_MS",
            ),
        ),
        (seen_by("rules/test_notices.py", pick="long_ago"),),
    ),
    Planted(
        "notice-makes-a-payment-up",
        "a notice about a reference that we never gave out is applied at once",
        (
            Edit(
                "actors.gateway.notices:_is_ours",
                "payment is not None and k == str(number) and 1 <= number <= payment.calls",
                "payment is not None",
            ),
        ),
        (seen_by("actors/test_gateway_notices.py", pick="call_that_was_never_made"),),
    ),
    Planted(
        "sent-back-twice",
        "a refund that was sent back is sent back again by the same notice",
        (
            Edit(
                "actors.gateway.folds:_fold_refund",
                "closed.state = REFUND_TRANSITIONS[RefundState(closed.state), entry.type].value\n"
                "        closed.object_seq += 1\n"
                '        state.refund_of.pop(closed.reference or "", None)',
                "closed.object_seq += 1",
            ),
        ),
        (seen_by("scenarios/test_adversary.py", pick="repeats"),),
        faults_only=True,
    ),
    Planted(
        "parked-notice-lost",
        "a notice that came before its reference is dropped",
        (
            Edit(
                "actors.gateway.notices:woken",
                "if told.reference in begun",
                "if told.reference in begun and not begun",
            ),
        ),
        (seen_by("actors/test_gateway_notices.py", pick="turns_up"),),
        faults_only=True,
    ),
    Planted(
        "redirect-counts-as-delivered",
        "an event counts as delivered although its endpoint only sent us elsewhere",
        (Edit("payrail.domain.webhooks:is_received", "status < 300", "status < 400"),),
        (seen_by(_POST, pick="not_2xx"),),
    ),
    Planted(
        "delivery-forgotten-at-restart",
        "an event that was on its way when the dispatcher died is never sent again",
        (
            Edit(
                f"{_ATTEMPTS}:begun_again",
                "step.errands.append(deliver(route, known.event, known.attempt, moment))",
                "assert known",
            ),
        ),
        (seen_by(_POST, pick="new_incarnation"),),
        faults_only=True,
    ),
    Planted(
        "outcome-heard-twice",
        "the end of a delivery, told again, ends the next one",
        (
            Edit(
                f"{_ATTEMPTS}:done",
                "known is None or told.seq not in route.flying:\n        return Step()\n"
                "    if told.attempt != known.attempt:",
                "known is None:",
            ),
        ),
        (seen_by(_POST, pick="heard_already"),),
        faults_only=True,
    ),
    Planted(
        "given-up-without-a-letter",
        "an event that could not be delivered is gone without a dead letter",
        (
            Edit(
                f"{_ATTEMPTS}:_failed",
                "step.posts.append(_given_up(known, told, moment))",
                "assert known",
            ),
        ),
        (seen_by(_POST, pick="dead_letter"),),
    ),
    Planted(
        "rotation-drops-the-old",
        "the old secret of an endpoint stops signing at once",
        (
            Edit(
                f"{_ATTEMPTS}:_versions",
                "[newest, newest - 1] if is_old_live else [newest]",
                "[newest] if is_old_live else [newest]",
            ),
        ),
        (seen_by(_POST, pick="for_a_day"),),
    ),
    Planted(
        "address-inside",
        "a webhook goes to an address of the house's own network",
        (
            Edit(
                "payrail.domain.webhooks:is_public",
                "return not any(address in network for network in _SPECIAL_4)",
                "return True",
            ),
        ),
        (seen_by("rules/test_webhooks_out.py", pick="inside"),),
    ),
    Planted(
        "notice-forgotten-at-restart",
        "a provider that dies before its notice was taken never posts it again",
        (
            Edit(
                "actors.provider.core:Provider.opened",
                "step.errands.extend(notices.under_way(state, self._desk))",
                "assert notices",
            ),
        ),
        (seen_by("actors/test_provider_notices.py", "scenarios/test_notices.py"),),
        faults_only=True,
    ),
)
