"""The three calls for money, with every drill that may come between.

A charge is checked in this order: known, waiting, fenced, past its deadline, its seal, the drills,
the card. What is refused before the card is asked had no effect, and is not remembered.
"""

from dataclasses import dataclass

from actors.provider import challenges, outcomes
from actors.provider.answers import APPROVED, Table, word_on_card, word_on_hold
from actors.provider.rules import BROKEN, SAFE, FaultRule, Subject, choose
from actors.provider.seals import PresentedCard, SealUnopened, Unseal
from actors.provider.state import (
    CallRefused,
    CallTakenIn,
    CardShown,
    Order,
    ProviderState,
    Waiting,
)
from payrail.domain.cards import bin_of, bin_table, brand_of, last4
from payrail.domain.messages import TakeUp
from payrail.domain.testcards import Later, TestCard
from payrail.runtime.actor import Moment, SetTimer, Step

#: A refund of a test card that is paid back only after so long, in business time.
PENDING, PENDING_MS = "pending", 60_000
_ON_MONEY = (*SAFE, *BROKEN, "hang", "slow", "approve_then_hang", "decline", "wrong_amount")


@dataclass(frozen=True, slots=True)
class Desk:
    """What a provider decides with: its name, its seed, its key, the table of test cards."""

    provider: str  # providerA
    seed: int
    unseal: Unseal
    outcome_for: Table


def take(desk: Desk, state: ProviderState, order: Order, moment: Moment) -> Step:
    """A call comes in."""
    known = state.operations.get(order.reference)
    if known is not None:
        return Step(out=[outcomes.done(known, order.reference, desk.provider, asked=False)])
    if order.reference in state.waiting:
        return Step()  # It has been taken in; it will answer, or an ask will.
    refusal = _refusal(state, order, moment)
    if refusal is not None:
        return Step(out=[outcomes.not_done(order, "refused", refusal, desk.provider)])
    try:
        card = _card(desk, order)
    except SealUnopened:
        return Step(out=[outcomes.not_done(order, "refused", "seal_broken", desk.provider)])
    is_documented = _is_documented(desk, state, order, card)
    drill = choose(state.faults, _subject(state, order, is_documented), desk.seed, _ON_MONEY)
    if drill is None and _is_pending_refund(state, order):
        return _pending(desk, order, moment)
    if drill is None:
        return _end(desk, state, order, card, None, moment)
    return _drilled(desk, state, order, card, drill, moment)


def take_up(desk: Desk, state: ProviderState, timer: TakeUp, moment: Moment) -> Step:
    """The time of a slow call has come: unless it was fenced or is too late, it happens now."""
    waiting = state.waiting.get(timer.reference)
    if waiting is None:
        return Step()
    order = waiting.order
    refusal = _refusal(state, order, moment) if waiting.fence else None
    if refusal is not None:
        return Step(
            events=[CallRefused(order.reference)],
            out=[outcomes.not_done(order, "refused", refusal, desk.provider)],
        )
    is_drill = waiting.fault != PENDING
    rule = FaultRule(operation=order.operation, do=waiting.fault) if is_drill else None
    return _end(desk, state, order, _card(desk, order), rule, moment, waiting.name)


def _refusal(state: ProviderState, order: Order, moment: Moment) -> str | None:
    if order.reference in state.fenced:
        return "fenced"
    if order.deadline_ms is not None and moment.wire_ms > order.deadline_ms:
        return "expired"
    return None


def _drilled(
    desk: Desk,
    state: ProviderState,
    order: Order,
    card: PresentedCard | None,
    drill: tuple[str, FaultRule],
    moment: Moment,
) -> Step:
    """A drill touches this call."""
    _, rule = drill
    if rule.deed in SAFE:
        refused = outcomes.not_done(order, "refused", "not_accepted", desk.provider)
        step = Step(out=[refused], errors=1)
    elif rule.deed in BROKEN:
        code = rule.do.replace(":", "_")
        broken = outcomes.not_done(order, "ambiguous", code, desk.provider)
        step = Step(out=[broken], errors=1)
    elif rule.deed in ("hang", "slow"):
        step = _put_off(order, rule, _is_documented(desk, state, order, card), moment)
    else:
        step = _end(desk, state, order, card, rule, moment)
    step.events[:0] = outcomes.used(drill)
    return step


def _put_off(order: Order, rule: FaultRule, is_documented: bool, moment: Moment) -> Step:
    """Take a call in without doing it: for a while, or for good."""
    if rule.deed == "hang":
        taken_in = CallTakenIn(Waiting(order, is_documented, None, False, rule.do))
        return Step(events=[taken_in], errors=1)
    due_ms = moment.wire_ms + int(rule.argument)
    timer_id = f"take_up:{order.reference}"
    return Step(
        events=[CallTakenIn(Waiting(order, is_documented, due_ms, rule.fence, rule.do))],
        timers=[SetTimer(timer_id, "charge.take_up", TakeUp(order.reference), due_ms)],
    )


def _is_pending_refund(state: ProviderState, order: Order) -> bool:
    """Whether the card of this charge is documented to be paid back only after a while."""
    hold = state.operations.get(order.authorization or "")
    if order.operation != "refund" or hold is None or hold.later != Later.REFUND_PENDING:
        return False
    return word_on_hold(state, order)[0] == APPROVED


def _pending(desk: Desk, order: Order, moment: Moment) -> Step:
    """Take a refund in, and say so: it happens later, and its notice tells."""
    due_ms = moment.business_ms + PENDING_MS
    body = TakeUp(order.reference)
    timer = SetTimer(f"take_up:{order.reference}", "charge.take_up", body, due_ms, business=True)
    name = outcomes.name_of(desk.provider, order.operation, moment)
    return Step(
        events=[CallTakenIn(Waiting(order, True, due_ms, False, PENDING, name))],
        timers=[timer],
        out=[outcomes.not_done(order, PENDING, PENDING, desk.provider)],
    )


def _end(
    desk: Desk,
    state: ProviderState,
    order: Order,
    card: PresentedCard | None,
    rule: FaultRule | None,
    moment: Moment,
    name: str = "",
) -> Step:
    """Nothing keeps the call from being done, one way or the other."""
    documented = desk.outcome_for(card.number) if card is not None else None
    if challenges.is_due(state, order, card, documented, rule, moment):
        return challenges.asked(order, rule, moment, desk.provider)
    if card is not None:
        code = word_on_card(
            card,
            documented,
            order.reference,
            desk.seed,
            moment.business_ms,
            provider=desk.provider,
        )
        amount = order.amount
    else:
        code, amount = word_on_hold(state, order)
    if rule is not None and rule.deed == "decline":
        code = rule.argument
    return outcomes.finished(
        order,
        code,
        amount,
        rule,
        moment,
        desk.provider,
        outcomes.About(
            is_documented=_is_documented(desk, state, order, card),
            card=_seen(card, documented) if card is not None else None,
            hold=state.operations.get(order.authorization or ""),
            name=name,
        ),
    )


def _seen(card: PresentedCard, documented: TestCard | None) -> outcomes.CardSeen:
    known = bin_table().get(bin_of(card.number))
    shown = CardShown(
        last4=last4(card.number),
        exp_month=card.exp_month,
        exp_year=card.exp_year,
        funding=known.funding if known else "",
        country=known.country if known else "",
    )
    later = documented.later if documented else None
    return outcomes.CardSeen(brand_of(card.number), later, shown)


def _card(desk: Desk, order: Order) -> PresentedCard | None:
    """The card of a charge, None for a capture or a reversal. Raises SealUnopened."""
    if order.sealed is None:
        return None
    return desk.unseal.open_seal(order.sealed, order.reference)


def _is_documented(
    desk: Desk, state: ProviderState, order: Order, card: PresentedCard | None
) -> bool:
    if card is not None:
        return desk.outcome_for(card.number) is not None
    hold = state.operations.get(order.authorization or "")
    return hold is not None and hold.is_documented


def _subject(state: ProviderState, order: Order, is_documented: bool) -> Subject:
    hold = state.operations.get(order.authorization or "")
    return Subject(
        operation=order.operation,
        reference=order.reference,
        merchant_id=order.merchant_id,
        payment_id=order.payment_id,
        token=order.token if hold is None else hold.token,
        amount=order.amount,
        is_documented=is_documented,
    )
