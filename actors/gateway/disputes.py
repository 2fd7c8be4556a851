"""What is asked about disputes: open one as a cardholder would, answer it, give in, have it ruled.

The provider decides, never we: all but evidence leaves for it, and who asked waits until it has
answered (`actors.gateway.dispute_facts`). A provider that is dead answers when it is back: its
mailbox keeps the order, who asked has 202, and the same key tells the end.
"""

from msgspec import structs

from actors.gateway import dispute_state
from actors.gateway import idempotency as keys
from actors.gateway.booking import Booking
from actors.gateway.commands import found, illegal, must_be
from actors.gateway.dispute_state import ClosedDispute, DisputeAsk, DisputeAsked, Disputes
from actors.gateway.settings import Rules
from actors.gateway.state import GatewayState
from payrail.domain.claim_entries import EvidenceAdded
from payrail.domain.dispute_evidence import must_be_evidence, outcome_by_text
from payrail.domain.disputes import DisputeView, is_answerable, legal_verbs, render
from payrail.domain.money import check_amount
from payrail.domain.payment_view import PaymentView
from payrail.domain.payments import legal_verbs as verbs_of_payment
from payrail.domain.payments import may
from payrail.domain.providers import actor_of
from payrail.domain.words.disputes import (
    AcceptDispute,
    AddEvidence,
    CreateDispute,
    DisputeCall,
    DisputeWait,
    RuleDispute,
    SubmitDispute,
)
from payrail.domain.words.payments import Command
from payrail.errors import RequestError
from payrail.runtime.actor import CancelTimer, Message, Moment, Send, SetTimer, Step, asker_of

OPEN, SUBMIT, ACCEPT, RESOLVE = "open", "submit", "accept", "resolve"


def create(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """Have the provider open a dispute. Refuses: not-found, illegal-transition, amount-exceeds."""
    order: CreateDispute = message.body
    payment = found(state, order, order.payment_intent)
    if not may(payment, "dispute.opened"):
        raise illegal(payment, verbs_of_payment(payment))
    left = disputable_minor(payment) - state.disputes.asked_minor(payment.id)
    amount = max(left, 1) if order.amount is None else order.amount
    must_be("amount", check_amount, amount)
    if amount > left:
        raise _exceeds(max(left, 0))
    ask = DisputeAsk(
        payment.id,
        OPEN,
        payment.merchant_id,
        order.user_id,
        payment.provider or "",
        order.reason,
        order.stage,
        amount,
        payment.currency,
        moment.wire_ms,
    )
    call = _call(moment.new_id("dp"), ask, payment)
    call.amount, call.currency, call.reason = amount, payment.currency, order.reason
    return _sent(call, ask, message, moment, rules)


def add_evidence(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """What speaks for the merchant; nobody else is asked. Refuses: not-found, illegal-transition,
    validation-error."""
    order: AddEvidence = message.body
    view = _to_answer(state, order, "evidence", moment)
    must_be_evidence(order.evidence, view.evidence)
    booking = Booking(state.payments[view.payment_id], message, moment)
    data = EvidenceAdded(view.payment_id, order.evidence, order.user_id)
    after = booking.book_dispute(view, "dispute.evidence_added", data, view.amount, ref=view.id)
    return keys.done(Step(posts=booking.posts), message, moment, view.id, 200, render(after))


def submit(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """The one answer of this stage. Refuses: not-found, illegal-transition also when it is late."""
    order: SubmitDispute = message.body
    view = _to_answer(state, order, SUBMIT, moment)
    ask, call = _asked(state, view, SUBMIT, order, moment)
    call.evidence = _deciding(view)
    return _sent(call, ask, message, moment, rules)


def accept(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """The merchant gives in. Refuses: not-found, illegal-transition."""
    order: AcceptDispute = message.body
    view = _to_answer(state, order, ACCEPT, moment)
    ask, call = _asked(state, view, ACCEPT, order, moment)
    return _sent(call, ask, message, moment, rules)


def resolve(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """Have the provider rule. Refuses: not-found, illegal-transition."""
    order: RuleDispute = message.body
    view = _to_answer(state, order, RESOLVE, moment)
    ask, call = _asked(state, view, RESOLVE, order, moment)
    call.outcome = order.outcome
    return _sent(call, ask, message, moment, rules)


def waited(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """The provider has not answered in time: who asked is told how things stand."""
    timer: DisputeWait = message.body
    ask = state.disputes.asks.get(timer.dispute_id)
    shown = dispute_state.standing(state.disputes, timer.dispute_id)
    if ask is None or shown is None or ask.asker is None or ask.told:
        return Step()
    told = structs.replace(ask, told=True)
    return Step(
        events=[*keys.provisional(ask.key, moment), DisputeAsked(timer.dispute_id, told)],
        replies=[keys.reply(ask.asker, 202, shown)],
    )


def disputable_minor(payment: PaymentView) -> int:
    """What was captured, and is neither disputed nor lost. What was paid back can be disputed."""
    return payment.amount_captured - payment.amount_disputed - payment.amount_charged_back


def wait_timer(dispute_id: str) -> str:
    """The timer of who waits for a provider's answer."""
    return f"dispute_wait:{dispute_id}"


def over(dispute_id: str) -> CancelTimer:
    """The order has its answer: nobody waits for it any more."""
    return CancelTimer(wait_timer(dispute_id))


def _to_answer(state: GatewayState, order: Command, verb: str, moment: Moment) -> DisputeView:
    """The dispute, if this may be asked of it now. Another merchant's is as one that never was."""
    ident: str = getattr(order, "id", "")
    known = state.disputes.known(ident)
    if known is None or order.merchant_id not in (None, known.merchant_id):
        raise RequestError(404, "not-found", "no such dispute")
    if isinstance(known, ClosedDispute):
        raise _illegal(known.state, ())
    _must_be_heard(state.disputes, ident)
    legal = legal_verbs(known)
    if not is_answerable(known, moment.business_ms):
        legal = tuple(word for word in legal if word != SUBMIT)
    if verb not in legal:
        raise _illegal(known.state.value, legal)
    return known


def _must_be_heard(disputes: Disputes, ident: str) -> None:
    """Refuses while the provider has an order about this dispute and has not answered it."""
    ask = disputes.asks.get(ident)
    if ask is None:
        return
    raise RequestError(
        409,
        "operation-in-doubt",
        f"{ask.action} of this dispute has no answer yet; try again later",
        retryable=True,
        extra={"legal": []},
        headers={"Retry-After": keys.RETRY_S},
    )


def _asked(
    state: GatewayState, view: DisputeView, action: str, order: Command, moment: Moment
) -> tuple[DisputeAsk, DisputeCall]:
    ask = DisputeAsk(
        view.payment_id,
        action,
        view.merchant_id,
        order.user_id,
        view.provider,
        view.reason,
        view.stage.value,
        view.amount,
        view.currency,
        moment.wire_ms,
    )
    call = _call(view.id, ask, state.payments[view.payment_id])
    call.provider_reference = view.provider_reference
    return ask, call


def _call(dispute_id: str, ask: DisputeAsk, payment: PaymentView) -> DisputeCall:
    return DisputeCall(
        payment.id,
        dispute_id,
        ask.action,
        payment.authorization or "",
        payment.merchant_id or "",
        stage=ask.stage,
    )


def _sent(
    call: DisputeCall, ask: DisputeAsk, message: Message, moment: Moment, rules: Rules
) -> Step:
    """The order leaves, and who asked waits. It is never sent twice: no mailbox loses it."""
    ask.key, ask.asker = keys.key_of(message.body), asker_of(message)
    body = DisputeWait(call.dispute_id)
    due_ms = moment.wire_ms + rules.provider_timeout_ms
    return Step(
        events=[
            *keys.taken(message, moment, call.dispute_id),
            DisputeAsked(call.dispute_id, ask),
        ],
        out=[Send(actor_of(ask.provider), "dispute.call", call, key=call.payment_id)],
        timers=[SetTimer(wait_timer(call.dispute_id), "dispute.wait", body, due_ms)],
    )


def _deciding(view: DisputeView) -> str:
    """The text that decides a test dispute, as the provider is told it; most have none."""
    return next((t.strip() for t in view.evidence.values() if outcome_by_text({"": t})), "")


def _illegal(word: str, legal: tuple[str, ...]) -> RequestError:
    detail = f"a dispute that is {word} does not allow this now"
    return RequestError(409, "illegal-transition", detail, extra={"legal": list(legal)})


def _exceeds(left_minor: int) -> RequestError:
    return RequestError(
        422,
        "amount-exceeds",
        "that is more than can be disputed",
        errors=[{"field": "amount", "message": f"must be at most {left_minor}"}],
        extra={"disputable": left_minor},
    )
