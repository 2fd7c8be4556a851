"""Who moves a dispute, and who is told: the gateway by order, people at the inner door, and time.

An order is answered by mailbox in the same step; the same order about the same stage is answered
with the same fact, and done once. A dispute goes by any of its names: the one it was opened under,
the provider's own, the gateway's. What the gateway did not ask for it hears by notice.
"""

from msgspec import structs

from actors.provider import dispute_rulings as rulings
from actors.provider import disputes, injected, notices
from actors.provider.calls import Desk
from actors.provider.dispute_rulings import Moved
from actors.provider.disputes import Dispute, DisputeMoved, DisputeOpened
from actors.provider.owed import Notice
from actors.provider.state import Operation, ProviderState
from payrail.domain.words.disputes import (
    CardholderDisputes,
    DisputeCall,
    DisputeFact,
    IssuerRules,
)
from payrail.domain.words.kinds import GATEWAY
from payrail.domain.words.providers import OpenDispute, ResolveDispute
from payrail.errors import RequestError
from payrail.runtime.actor import Message, Moment, Send, Step, answer

#: Disputes that a provider keeps; more are no drill.
DISPUTES_MAX = 10_000


class Refused(Exception):
    """An order that cannot be done; `code` says why, and nothing has moved."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def called(desk: Desk, state: ProviderState, message: Message, moment: Moment) -> Step:
    """The gateway's order: done, or refused with a code; answered in the same step."""
    order: DisputeCall = message.body
    known = _named(state, order.provider_reference) or _named(state, order.dispute_id)
    before = known.answers.get(_key(order, known)) if known else None
    if before is not None:
        return Step(out=[_told(order, before)])
    try:
        moved = _done(state, order, known, moment)
    except Refused as refused:
        return Step(out=[_told(order, _refusal(desk, order, refused.code))])
    dispute = structs.replace(moved.dispute, dispute_id=order.dispute_id)
    fact = disputes.fact_of(dispute, moved.fact, desk.provider, moment)
    fact.action = order.action
    key = _key(order, known)
    dispute = structs.replace(dispute, answers={**dispute.answers, key: fact})
    moved.step.events[0] = _with(moved, dispute)
    moved.step.out.append(_told(order, fact))
    return moved.step


def _with(moved: Moved, dispute: Dispute) -> DisputeOpened | DisputeMoved:
    """The event of the move, about the dispute with its answer in it."""
    is_new = isinstance(moved.step.events[0], DisputeOpened)
    return DisputeOpened(dispute) if is_new else DisputeMoved(dispute)


def _key(order: DisputeCall, known: Dispute | None) -> str:
    return order.action if order.action == "open" or not known else f"{order.action}:{known.stage}"


def _named(state: ProviderState, name: str) -> Dispute | None:
    return state.disputes.get(state.dispute_names.get(name, name))


def _told(order: DisputeCall, fact: DisputeFact) -> Send:
    return Send(GATEWAY, "dispute.fact", fact, key=order.payment_id)


def _refusal(desk: Desk, order: DisputeCall, code: str) -> DisputeFact:
    return DisputeFact(
        provider=desk.provider,
        payment_id=order.payment_id,
        authorization=order.authorization,
        provider_reference=order.provider_reference,
        fact="refused",
        stage=order.stage,
        reason=order.reason,
        amount=order.amount,
        currency=order.currency,
        dispute_id=order.dispute_id,
        code=code,
        action=order.action,
    )


def _done(state: ProviderState, order: DisputeCall, known: Dispute | None, moment: Moment) -> Moved:
    """The move that is ordered. Raises Refused."""
    if order.action == "open":
        return _opened(state, order, moment)
    if known is None:
        raise Refused("unknown_dispute")
    if known.state not in disputes.OPEN:
        raise Refused(f"already_{known.state}")
    if order.action == "resolve" and order.outcome in (disputes.WON, disputes.LOST):
        return rulings.ended(known, order.outcome, moment)
    if order.action == "submit" and not known.is_answered:
        return rulings.answered(known, order.evidence, moment)
    if order.action == "accept" and known.state == disputes.OPENED:
        return rulings.ended(known, disputes.LOST, moment, reason="accepted")
    raise Refused("already_answered" if known.is_answered else "unknown_action")


def _opened(state: ProviderState, order: DisputeCall, moment: Moment) -> Moved:
    hold = _captured(state, order.authorization)
    if hold is None:
        raise Refused("not_captured")
    left = rulings.disputable(state, order.authorization)
    if not 1 <= (order.amount or left) <= left:
        raise Refused("amount_exceeds_captured")
    if len(state.disputes) >= DISPUTES_MAX:
        raise Refused("too_many_disputes")
    dispute = rulings.made(
        hold,
        order.authorization,
        moment.new_id("dp"),
        order.dispute_id,
        order.amount or left,
        order.reason,
        order.stage or disputes.CHARGEBACK,
    )
    return rulings.opened(dispute, moment)


def _captured(state: ProviderState, authorization: str) -> Operation | None:
    hold = state.operations.get(authorization)
    return hold if hold and hold.operation == "authorize" and hold.captured > 0 else None


def opened_at_the_door(desk: Desk, state: ProviderState, message: Message, moment: Moment) -> Step:
    """A cardholder, played by people: a new dispute, an inquiry that becomes a chargeback, or a
    second chargeback about what was won. Raises RequestError."""
    given: OpenDispute = message.body
    known = _named(state, given.reference)
    moved = _again(state, known, given, moment) if known else _new(state, given, moment)
    if moved is None:
        return Step(replies=answer(message, 201, disputes.shown(known))) if known else Step()
    moved.step.replies.extend(answer(message, 201, disputes.shown(moved.dispute)))
    return told_by_notice(desk, state, moved, message, moment)


def _again(
    state: ProviderState, known: Dispute, given: OpenDispute, moment: Moment
) -> Moved | None:
    """What a known reference means now; None: the same opening once more."""
    if given.authorization == known.authorization and given.stage != known.stage:
        amount = given.amount or known.amount
        if (known.stage, known.state) == (disputes.INQUIRY, disputes.OPENED):
            left = rulings.disputable(state, known.authorization) + known.amount
            _must_fit(amount, left)
            return rulings.escalated(known, amount, given.reason, moment)
        is_second = given.stage == disputes.PRE_ARBITRATION and amount == known.amount
        if is_second and known.state == disputes.WON:
            return rulings.charged_back_again(known, moment)
    _must_be_same(known, given)
    return None


def _must_be_same(known: Dispute, given: OpenDispute) -> None:
    """Raises RequestError 422 when one reference is used for two disputes."""
    amount = known.amount if given.amount is None else given.amount
    pairs = (
        ("authorization", known.authorization, given.authorization),
        ("amount", known.amount, amount),
        ("reason", known.reason, given.reason),
        ("stage", known.stage, given.stage),
    )
    differs([(field, first, now) for field, first, now in pairs if first != now])


def differs(found: list[tuple[str, object, object]]) -> None:
    """Raises RequestError 422 with these fields, if there are any."""
    if found:
        diff = [{"field": field, "first": first, "now": now} for field, first, now in found]
        detail = "This reference is taken by another request; use a new one."
        raise RequestError(422, "reference-reused", detail, extra={"diff": diff})


def _new(state: ProviderState, given: OpenDispute, moment: Moment) -> Moved:
    hold = _captured(state, given.authorization)
    if hold is None:
        raise unknown("captured charge")
    if len(state.disputes) >= DISPUTES_MAX:
        raise RequestError(422, "validation-error", f"There are {DISPUTES_MAX} disputes already.")
    left = rulings.disputable(state, given.authorization)
    amount = left if given.amount is None else given.amount
    _must_fit(amount, left)
    ident = moment.new_id("dp")
    return rulings.opened(
        rulings.made(
            hold, given.authorization, ident, given.reference, amount, given.reason, given.stage
        ),
        moment,
    )


def _must_fit(amount: int, left: int) -> None:
    """Raises RequestError 422."""
    if not 1 <= amount <= left:
        detail = "Disputed is at most what was captured and is not in dispute."
        raise RequestError(422, "amount-exceeds", detail, extra={"disputable": max(0, left)})


def unknown(what: str) -> RequestError:
    """What nobody here has heard of."""
    return RequestError(404, "not-found", f"This provider knows no such {what}.")


def resolved_at_the_door(
    desk: Desk, state: ProviderState, message: Message, moment: Moment
) -> Step:
    """An issuer, played by people. The same ruling twice is one. Raises RequestError."""
    given: ResolveDispute = message.body
    known = _named(state, given.reference)
    if known is None:
        raise unknown("dispute")
    if known.state in disputes.OPEN:
        moved = rulings.ended(known, given.outcome, moment)
        moved.step.replies.extend(answer(message, 200, disputes.shown(moved.dispute)))
        return told_by_notice(desk, state, moved, message, moment)
    if known.state not in (given.outcome, disputes.CLOSED):
        raise RequestError(
            409, "illegal-transition", f"This dispute is {known.state}.", extra={"legal": []}
        )
    return Step(replies=answer(message, 200, disputes.shown(known)))


def in_time(desk: Desk, state: ProviderState, message: Message, moment: Moment) -> Step:
    """A timer of a dispute: a cardholder or an issuer has made up their mind."""
    timer: CardholderDisputes | IssuerRules = message.body
    if isinstance(timer, CardholderDisputes):
        moved = rulings.born(state, timer, moment)
        if moved is not None:
            about = timer.authorization
            injected.by_card(moved.step, f"dispute:{moved.dispute.reason}", "dispute", about)
    else:
        moved = rulings.ruled(state, timer, moment)
    return Step() if moved is None else told_by_notice(desk, state, moved, message, moment)


def told_by_notice(
    desk: Desk, state: ProviderState, moved: Moved, message: Message, moment: Moment
) -> Step:
    """The move, and the notice that is owed for it."""
    fact = disputes.fact_of(moved.dispute, moved.fact, desk.provider, moment)
    notice = Notice(
        id=moment.new_id("evt"),
        reference=moved.dispute.reference,
        operation_id=moved.dispute.id,
        at_ms=moment.business_ms,
        correlation_id=message.correlation_id,
        authorization=moved.dispute.authorization,
        fact=fact,
    )
    return notices.owed(desk, state, notice, moved.step, moment)
