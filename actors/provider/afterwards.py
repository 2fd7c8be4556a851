"""What documented test cards do later: their holder disputes, their issuer warns of fraud, or their
bank sends a refund back.

A call that went well sets a timer, in business time; when it fires, it is as if the world outside
had moved. Never: touches a card that is not documented to do so.
"""

from actors.provider import injected, notices
from actors.provider.answers import APPROVED
from actors.provider.calls import Desk
from actors.provider.dispute_rulings import born_later
from actors.provider.fraud_warnings import warned_later
from actors.provider.owed import Notice
from actors.provider.state import Operation, OperationFinished, ProviderState, RefundSentBack
from actors.provider.truth import Truth
from payrail.domain.testcards import Later
from payrail.domain.timestamps import iso
from payrail.domain.words.providers import SENT_BACK, SentBackDue
from payrail.runtime.actor import Message, Moment, Post, SetTimer, Step

#: How long after its success such a refund is sent back, in business time.
SENT_BACK_MS = 60_000


def set_off(state: ProviderState, step: Step, moment: Moment) -> Step:
    """`step`, which may have ended a call, with what its card does later."""
    for event in step.events:
        if isinstance(event, OperationFinished) and event.done.result == APPROVED:
            step.timers.extend(_timers(state, event, moment))
    return step


def _timers(state: ProviderState, ended: OperationFinished, moment: Moment) -> list[SetTimer]:
    done = ended.done
    if done.operation == "authorize":
        return _after_capture(done, ended.reference, moment) if done.captured else []
    authorization = ended.authorization or ""
    hold = state.operations.get(authorization)
    if hold is None:
        return []
    if done.operation == "capture" and not hold.captured:
        return _after_capture(hold, authorization, moment)
    if done.operation == "refund" and hold.later == Later.REFUND_FAILS:
        body, due_ms = SentBackDue(ended.reference), moment.business_ms + SENT_BACK_MS
        timer_id = f"sent_back:{ended.reference}"
        return [SetTimer(timer_id, "refund.sent_back", body, due_ms, business=True)]
    return []


def _after_capture(hold: Operation, authorization: str, moment: Moment) -> list[SetTimer]:
    about = (hold, authorization, moment)
    return born_later(*about) + warned_later(*about)


def sent_back(desk: Desk, state: ProviderState, message: Message, moment: Moment) -> Step:
    """The cardholder's bank did not take a refund: the money is with us again, and a notice says
    so."""
    timer: SentBackDue = message.body
    refund = state.operations.get(timer.reference)
    if refund is None or refund.result != APPROVED:
        return Step()
    back = RefundSentBack(timer.reference, SENT_BACK)
    charge = state.operations.get(refund.authorization or "")
    step = Step(events=[back], posts=[_truth(refund, charge, timer.reference, moment)])
    notice = Notice(
        id=moment.new_id("evt"),
        reference=timer.reference,
        operation_id=refund.operation_id or timer.reference,
        at_ms=moment.business_ms,
        correlation_id=message.correlation_id,
        authorization=refund.authorization,
        outcome=SENT_BACK,
    )
    injected.by_card(step, SENT_BACK, "refund", timer.reference)
    return notices.owed(desk, state, notice, step, moment)


def _truth(refund: Operation, charge: Operation | None, reference: str, moment: Moment) -> Post:
    return Post(
        "truth",
        Truth(
            at=iso(moment.business_ms),
            reference=reference,
            operation="refund_failed",
            operation_id=refund.operation_id or reference,
            amount=refund.amount,
            currency=refund.currency,
            outcome=SENT_BACK,
            provider_reference=refund.provider_reference,
            merchant_id=refund.merchant_id,
            charge=charge.as_charge if charge is not None else None,
        ),
    )
