"""Moves of disputes as steps: opened, answered, ruled on, let go by; and when each comes by itself.

The issuer rules by what the evidence says: `winning_evidence` wins and `losing_evidence` loses, as
documented; any other answer loses, and so does none by the due date. An inquiry that is answered
with `losing_evidence` becomes a chargeback; every other one is closed.
Whatever moves by itself is told by notice. Never: hears a person; see `dispute_calls`.
"""

from dataclasses import dataclass

from actors.provider import disputes
from actors.provider.disputes import Dispute, DisputeMoved, DisputeOpened
from actors.provider.state import Operation, ProviderState
from payrail.domain.dispute_terms import due_ms, ruled_by_ms
from payrail.domain.testcards import Later
from payrail.domain.words.disputes import CardholderDisputes, IssuerRules
from payrail.runtime.actor import CancelTimer, Moment, SetTimer, Step

#: How long after the first capture the holder of a test card disputes, in business time.
BORN_MS = 60_000
#: What such a holder says, and what it is at first. A card whose issuer only warns of fraud (5423)
#: has no row: nothing is disputed.
_BORN = {
    Later.DISPUTE_FRAUDULENT: ("fraudulent", disputes.CHARGEBACK),
    Later.DISPUTE_NOT_RECEIVED: ("product_not_received", disputes.CHARGEBACK),
    Later.INQUIRY: ("general", disputes.INQUIRY),
}
_WINNING, _LOSING = "winning_evidence", "losing_evidence"


@dataclass(frozen=True, slots=True)
class Moved:
    """A dispute after a move: what follows, and the word for it (a fact of `DisputeFact`)."""

    dispute: Dispute
    fact: str
    step: Step


def born_later(hold: Operation, authorization: str, moment: Moment) -> list[SetTimer]:
    """The timer that a first capture sets, if the card is documented to be disputed."""
    if hold.later not in _BORN:
        return []
    body = CardholderDisputes(authorization)
    due = moment.business_ms + BORN_MS
    return [SetTimer(f"disputed:{authorization}", "dispute.born", body, due, business=True)]


def born(state: ProviderState, timer: CardholderDisputes, moment: Moment) -> Moved | None:
    """The holder of a test card disputes all that was captured and is not disputed yet."""
    hold = state.operations[timer.authorization]
    left = disputable(state, timer.authorization)
    if hold.later not in _BORN or left <= 0:
        return None
    reason, stage = _BORN[Later(hold.later)]
    ident = moment.new_id("dp")
    found = made(hold, timer.authorization, ident, ident, left, reason, stage)
    return opened(found, moment)


def disputable(state: ProviderState, authorization: str) -> int:
    """What of a charge was captured and is neither disputed nor lost. What was paid back counts:
    a cardholder may ask for it twice."""
    about = [one for one in state.disputes.values() if one.authorization == authorization]
    free = (disputes.WON, disputes.CLOSED)
    taken = sum(one.amount for one in about if one.state not in free)
    return state.operations[authorization].captured - taken


def made(
    hold: Operation,
    authorization: str,
    ident: str,
    reference: str,
    amount: int,
    reason: str,
    stage: str,
) -> Dispute:
    """A dispute about a charge."""
    return Dispute(
        id=ident,
        reference=reference,
        authorization=authorization,
        merchant_id=hold.merchant_id,
        amount=amount,
        currency=hold.currency,
        reason=reason,
        stage=stage,
        payment_id=hold.payment_id,
        brand=hold.brand,
        charge=hold.as_charge,
    )


def opened(dispute: Dispute, moment: Moment) -> Moved:
    """It begins; its due date is by the card's brand."""
    return Moved(
        dispute,
        "opened",
        Step(
            events=[DisputeOpened(dispute)],
            posts=[disputes.truth_of_opening(dispute, moment)],
            timers=[_due(dispute, moment)],
        ),
    )


def escalated(dispute: Dispute, amount: int, reason: str, moment: Moment) -> Moved:
    """The inquiry becomes a chargeback."""
    after = disputes.escalated(dispute, amount, reason)
    return Moved(
        after,
        "opened",
        Step(
            events=[DisputeMoved(after)],
            posts=[disputes.truth_of_opening(after, moment)],
            timers=[_due(after, moment)],
        ),
    )


def answered(dispute: Dispute, evidence: str, moment: Moment) -> Moved:
    """The merchant's one answer to this stage; the issuer takes its time."""
    after = disputes.submitted(dispute, _ruling_on(dispute, evidence))
    return Moved(
        after,
        "submitted",
        Step(
            events=[DisputeMoved(after)],
            posts=disputes.truth_of_answer(after, moment),
            timers=[_timer(after, ruled_by_ms(moment.business_ms))],
        ),
    )


def _ruling_on(dispute: Dispute, evidence: str) -> str:
    if dispute.stage == disputes.INQUIRY:
        return disputes.LOST if _LOSING in evidence else disputes.WON
    return disputes.WON if _WINNING in evidence and _LOSING not in evidence else disputes.LOST


def ended(dispute: Dispute, outcome: str, moment: Moment, *, reason: str | None = None) -> Moved:
    """It is over: ruled on, accepted, or not answered."""
    after = disputes.ended(dispute, outcome, reason=reason)
    return Moved(
        after,
        after.state,
        Step(
            events=[DisputeMoved(after)],
            posts=[disputes.truth_of_end(after, moment)],
            timers=[CancelTimer(_timer_id(after))],
        ),
    )


def charged_back_again(dispute: Dispute, moment: Moment) -> Moved:
    """A second chargeback about what was won: lost, for good."""
    after = disputes.charged_back_again(dispute)
    posts = [disputes.truth_of_second(after, moment)]
    return Moved(after, disputes.LOST, Step(events=[DisputeMoved(after)], posts=posts))


def ruled(state: ProviderState, timer: IssuerRules, moment: Moment) -> Moved | None:
    """A due date or the end of a review has come."""
    known = state.disputes.get(timer.reference)
    if known is None or known.state not in disputes.OPEN:
        return None
    if (known.stage, known.is_answered) != (timer.stage, timer.is_answered):
        return None
    if known.stage == disputes.INQUIRY and known.ruling == disputes.LOST:
        return escalated(known, known.amount, known.reason, moment)
    return ended(known, known.ruling or disputes.LOST, moment)


def _due(dispute: Dispute, moment: Moment) -> SetTimer:
    return _timer(dispute, due_ms(dispute.brand, moment.business_ms))


def _timer_id(dispute: Dispute) -> str:
    return f"dispute:{dispute.reference}"


def _timer(dispute: Dispute, at_ms: int) -> SetTimer:
    body = IssuerRules(dispute.reference, dispute.stage, dispute.is_answered)
    return SetTimer(_timer_id(dispute), "dispute.ruling", body, at_ms, business=True)
