"""What a provider tells of disputes: it is booked, whoever waited is answered, people get a case.
What an issuer only suspects comes the same way, and is decided in `fraud_warnings`.

A fact comes as the answer to an order and as a notice, in any order and more than once: the first
is booked, the others are duplicates. One that comes before its opening opens the dispute too. It
beats our bounds: a chargeback that crosses a refund is booked, and is a case.
Never: rules, or makes a payment out of a notice.
"""

from dataclasses import replace
from typing import Any

from actors.gateway import fraud_warnings, parked_facts
from actors.gateway import idempotency as keys
from actors.gateway.dispute_booking import Desk, due_timer
from actors.gateway.dispute_state import (
    ClosedDispute,
    DisputeAnswered,
    DisputeAsk,
    DisputeDoubted,
    closed_shown,
    name_at,
)
from actors.gateway.disputes import OPEN, over
from actors.gateway.settings import Rules
from actors.gateway.state import GatewayState
from payrail.domain.dispute_view import DisputeState, Stage, render
from payrail.domain.disputes import DisputeView, legal_verbs, may, ruled
from payrail.domain.money import check_amount
from payrail.domain.payments import PaymentView
from payrail.domain.payments import may as payment_may
from payrail.domain.problems import problem_fields
from payrail.domain.providers import public_name
from payrail.domain.words.disputes import WARNED, DisputeDue, DisputeFact, ParkedFactDue
from payrail.runtime.actor import Message, Moment, SetTimer, Step, answer

#: Facts that each order may be answered by, so that it has done what it was for.
_ANSWERS = {
    "open": ("opened",),
    "submit": ("submitted",),
    "accept": ("lost", "closed"),
    "resolve": ("won", "lost", "closed"),
}
_REFUSED = "refused"  # an order that the provider does not carry out: nothing moves
_FACTS = frozenset({"opened", "submitted", "won", "lost", "closed", _REFUSED, WARNED})
_RANK = {Stage.INQUIRY: 0, Stage.CHARGEBACK: 1, Stage.PRE_ARBITRATION: 2}
#: After the last day and one more: how long the provider may take to say what came of it, in wire
#: time, so that a house whose clock was moved hears first what happened meanwhile.
GRACE_MS = 300_000


def fact(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """A provider answers an order. Raises ValueError, which makes a dead letter, when it speaks in
    the name of another or of a charge that is not ours."""
    told: DisputeFact = message.body
    if public_name(message.sender) != told.provider:
        raise ValueError(f"{message.sender} speaks for {told.provider}")
    ask = state.disputes.asks.get(told.dispute_id or "")
    step, shown = _booked(state, message, moment, rules)
    if ask is None or ask.action != told.action:
        return step
    if told.fact in _ANSWERS[ask.action] and shown is not None:
        return _done(step, ask, told.dispute_id or "", shown, moment)
    return _not_done(state, step, ask, told, moment)


def notice(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """A provider tells by webhook. It is always taken: whoever posted it is not to do so again."""
    told: DisputeFact = message.body
    if _is_ours(state, told):
        step = _noticed(state, message, moment, rules)
        word = "applied" if step.events or step.posts else "duplicate"
    else:
        step, word = parked_facts.parked(state, told, moment), "parked"
    body = {"object": "notice", "id": told.notice_id, "outcome": word}
    step.replies.extend(answer(message, 200, body))
    return step


def parked_due(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """A parked fact: booked if its charge is captured by now, kept while a call about that charge
    is open, else dropped."""
    timer: ParkedFactDue = message.body
    told = state.disputes.parked.get(timer.key)
    if told is None:
        return Step()
    if not _is_ours(state, told):
        if _may_be_captured(state, told):
            return parked_facts.kept(timer.key, moment)
        return parked_facts.dropped(timer.key)
    step = _noticed(state, replace(message, body=told), moment, rules)
    step.events.insert(0, parked_facts.unparked(timer.key))
    return step


def due(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """A day after the last day. The provider rules on its own clock: if it has not told by now, and
    not after a while either, people have to look."""
    timer: DisputeDue = message.body
    view = state.disputes.open.get(timer.dispute_id)
    if view is None or view.stage != timer.stage or view.is_answered:
        return Step()
    if not timer.is_last:
        body = DisputeDue(view.id, timer.stage, is_last=True)
        due_ms = moment.wire_ms + GRACE_MS
        return Step(timers=[SetTimer(due_timer(view.id), "dispute.due", body, due_ms)])
    desk = Desk(state, message, moment, view.payment_id, view)
    desk.open_case("dispute_overdue", view.amount)
    return Step(posts=desk.posts)


def _is_ours(state: GatewayState, told: DisputeFact) -> bool:
    """Whether it is about a charge of ours that has been captured, at the provider that has it,
    and about no dispute of another payment."""
    payment = state.payments.get(told.payment_id)
    if payment is None or not payment_may(payment, "dispute.opened"):
        return False
    ident, dispute = _known(state, told)
    about = dispute or state.disputes.known(ident) or state.disputes.asks.get(ident)
    if about is not None and about.payment_id != payment.id:
        return False
    return _is_its_charge(payment, told)


def _may_be_captured(state: GatewayState, told: DisputeFact) -> bool:
    """Whether its charge is ours and a call about it is open: a capture in doubt may have happened
    however long nobody says so, and its notice was taken, so that it will not come again."""
    payment = state.payments.get(told.payment_id)
    return payment is not None and payment.open is not None and _is_its_charge(payment, told)


def _is_its_charge(payment: PaymentView, told: DisputeFact) -> bool:
    charge = (payment.provider, payment.authorization, payment.currency)
    return charge == (told.provider, told.authorization, told.currency)


def _noticed(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """A notice that comes before the answer that it repeats answers whoever waits."""
    told: DisputeFact = message.body
    step, shown = _booked(state, message, moment, rules)
    ask = state.disputes.asks.get(shown["id"]) if shown else None
    if ask is None or shown is None or not step.posts or told.fact not in _ANSWERS[ask.action]:
        return step
    return _done(step, ask, str(shown["id"]), shown, moment)


def _booked(
    state: GatewayState, message: Message, moment: Moment, rules: Rules
) -> tuple[Step, dict[str, Any] | None]:
    """The entries that the fact makes, none when it is known already; and the dispute then."""
    told: DisputeFact = message.body
    if not _is_ours(state, told):
        raise ValueError(f"{told.provider} speaks of a charge that is not captured with it")
    if told.fact not in _FACTS:
        raise ValueError(f"{told.fact} is nothing that can happen to a dispute")
    ident, known = _known(state, told)
    if told.fact == _REFUSED:
        return Step(), None
    if told.fact == WARNED:
        return fraud_warnings.warned(state, message, moment), None
    if isinstance(known, ClosedDispute):
        step = _after_the_end(state, ident, known, message, moment)
        return step, closed_shown(ident, known)
    desk = Desk(state, message, moment, told.payment_id, known, rules.fees)
    _open_first(desk, told)
    _move(desk, told)
    desk.tell_of_overdraft()
    return Step(posts=desk.posts, timers=desk.timers()), render(desk.view) if desk.view else None


def _known(
    state: GatewayState, told: DisputeFact
) -> tuple[str, DisputeView | ClosedDispute | None]:
    """The dispute, by the provider's name for it or by ours. An inquiry that is over is another
    thing than a chargeback."""
    at = state.disputes.of.get(name_at(told.provider, told.provider_reference))
    ident = at or told.dispute_id or ""
    found = state.disputes.known(ident)
    is_over = isinstance(found, ClosedDispute) and found.state == DisputeState.CLOSED
    return (ident, None) if is_over and told.stage != Stage.INQUIRY else (ident, found)


def _open_first(desk: Desk, told: DisputeFact) -> None:
    """Open what is not open in this stage yet: the fact itself says enough to do so."""
    view = desk.view
    becomes_one = view is not None and view.state is DisputeState.INQUIRY
    if view is None or (becomes_one and told.stage != Stage.INQUIRY):
        check_amount(told.amount)
        desk.open()


def _move(desk: Desk, told: DisputeFact) -> None:
    view = desk.view
    if view is None or told.fact == "opened" or _RANK[Stage(told.stage)] < _RANK[view.stage]:
        return  # opened by now, or old news of an earlier stage
    if told.fact == "submitted":
        if may(view, "dispute.submitted"):
            desk.submit()
        return
    if _is_second(view, told):
        _rule(desk, view, "won")
        desk.charge_back_once_more()
    else:
        _rule(desk, view, _outcome(told))


def _rule(desk: Desk, view: DisputeView, outcome: str) -> None:
    for entry_type in ruled(view, outcome) or ():
        desk.rule(entry_type, outcome)


def _is_second(view: DisputeView, told: DisputeFact) -> bool:
    """Whether it is charged back once more: only what was won is, so that it was, and the news of
    that is on its way."""
    is_later = (view.stage, told.stage) == (Stage.CHARGEBACK, Stage.PRE_ARBITRATION)
    return is_later and told.fact == "lost"


def _outcome(told: DisputeFact) -> str:
    """won | lost. A chargeback that is closed without a word of who won was taken back, unless it
    was given up."""
    if told.fact != "closed":
        return told.fact
    return "lost" if told.closed_reason in ("accepted", "expired") else "won"


def _after_the_end(
    state: GatewayState, ident: str, known: ClosedDispute, message: Message, moment: Moment
) -> Step:
    """A fact about a dispute that is over: known, a second chargeback, or a contradiction."""
    told: DisputeFact = message.body
    rank, now = _RANK[Stage(told.stage)], _RANK[Stage(known.stage)]
    is_old = rank < now or told.fact in ("submitted", "closed")
    if is_old or known.state in (DisputeState.CLOSED, told.fact):
        return Step()
    desk = Desk(state, message, moment, known.payment_id, None)
    if known.state == DisputeState.WON and rank > now:
        desk.charge_back_again(ident, known)
        desk.tell_of_overdraft()
        return Step(posts=desk.posts)
    if told.fact == "opened" or known.is_doubted:
        return Step()
    desk.open_case("ruling_contradicts", known.amount)
    return Step(events=[DisputeDoubted(ident)], posts=desk.posts)


def _done(step: Step, ask: DisputeAsk, ident: str, shown: dict[str, Any], moment: Moment) -> Step:
    """What was ordered has happened: whoever ordered it learns how the dispute stands."""
    status = 201 if ask.action == OPEN else 200
    return _ended(step, ask, ident, status, shown, moment)


def _not_done(
    state: GatewayState, step: Step, ask: DisputeAsk, told: DisputeFact, moment: Moment
) -> Step:
    """The provider does not do it, or something else came before: 409 with what may be asked."""
    ident = told.dispute_id or ""
    view = state.disputes.open.get(ident)
    body = problem_fields(
        409,
        "illegal-transition",
        f"the provider does not {ask.action} this dispute: {told.code or told.fact}",
        ask.asker.correlation_id if ask.asker else "",
        extra={"legal": list(legal_verbs(view)) if view and not step.posts else []},
    )
    return _ended(step, ask, ident, 409, body, moment)


def _ended(
    step: Step, ask: DisputeAsk, ident: str, status: int, body: dict[str, Any], moment: Moment
) -> Step:
    """The order is over: nobody waits for it, and its key gives this answer from now on."""
    step.events += [DisputeAnswered(ident), *keys.answered(ask.key, status, moment)]
    step.timers.append(over(ident))
    if ask.asker is not None:
        step.replies.append(keys.reply(ask.asker, status, body))
    return step
