"""What the issuer of a test card suspects: a charge of it is reported as fraud after its capture.

No money moves and nothing is disputed. It is true, and told by notice, once for each charge.
Never: touches a card that is not documented to be reported.
"""

from actors.provider import injected, notices
from actors.provider.calls import Desk
from actors.provider.owed import Notice
from actors.provider.state import Operation, ProviderState
from actors.provider.truth import Truth
from payrail.domain.testcards import Later
from payrail.domain.timestamps import iso
from payrail.domain.words.disputes import WARNED, DisputeFact, IssuerWarns
from payrail.runtime.actor import Message, Moment, Post, SetTimer, Step

#: How long after the first capture its issuer reports it, in business time.
WARNED_MS = 60_000
#: What was done, by the words that issuers report it in.
FRAUD_TYPE = "unauthorized_use_of_card"
#: What it is called in the truth; no statement has a line for it.
OPERATION = "fraud_warning"


def warned_later(hold: Operation, authorization: str, moment: Moment) -> list[SetTimer]:
    """The timer that a first capture sets, if the card is documented to be reported."""
    if hold.later != Later.EARLY_FRAUD_WARNING:
        return []
    body, due_ms = IssuerWarns(authorization), moment.business_ms + WARNED_MS
    return [SetTimer(f"warned:{authorization}", "fraud.warned", body, due_ms, business=True)]


def warned(desk: Desk, state: ProviderState, message: Message, moment: Moment) -> Step:
    """The issuer reports what was captured of this charge by now, and a notice says so."""
    timer: IssuerWarns = message.body
    fact = _fact(desk, state.operations[timer.authorization], timer.authorization, moment)
    notice = Notice(
        id=moment.new_id("evt"),
        reference=fact.provider_reference,
        operation_id=fact.provider_reference,
        at_ms=moment.business_ms,
        correlation_id=message.correlation_id,
        authorization=timer.authorization,
        fact=fact,
    )
    step = Step(posts=[_truth(fact, state.operations[timer.authorization].merchant_id)])
    injected.by_card(step, Later.EARLY_FRAUD_WARNING.value, OPERATION, timer.authorization)
    return notices.owed(desk, state, notice, step, moment)


def _fact(desk: Desk, hold: Operation, authorization: str, moment: Moment) -> DisputeFact:
    return DisputeFact(
        provider=desk.provider,
        payment_id=hold.payment_id,
        authorization=authorization,
        provider_reference=moment.new_id("issfr"),
        fact=WARNED,
        stage="",
        reason=FRAUD_TYPE,
        amount=hold.captured,
        currency=hold.currency,
        occurred_at=iso(moment.business_ms),
    )


def _truth(fact: DisputeFact, merchant_id: str) -> Post:
    return Post(
        "truth",
        Truth(
            at=fact.occurred_at or "",
            reference=fact.authorization,
            operation=OPERATION,
            operation_id=fact.provider_reference,
            amount=fact.amount,
            currency=fact.currency,
            outcome=WARNED,
            provider_reference=fact.provider_reference,
            merchant_id=merchant_id,
        ),
    )
