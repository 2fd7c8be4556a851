"""The calls for money, with every fault that may come between.

A charge is checked in this order: known, waiting, fenced, past its deadline, its seal, the fault
that its request asks for, the drills, the holder's name, the amount, the card. What is refused
before the card is asked had no effect, and is not remembered.
"""

from dataclasses import dataclass

from actors.provider import challenges, injected, outcomes, wishes
from actors.provider.answers import APPROVED, Table, word_on_card, word_on_hold
from actors.provider.rules import BROKEN, SAFE, Drill, Subject, choose, wished
from actors.provider.seals import PresentedCard, SealUnopened, Unseal
from actors.provider.state import (
    PENDING_NAME,
    PENDING_REFUND,
    CallRefused,
    CallTakenIn,
    CardShown,
    Order,
    ProviderState,
    Waiting,
)
from payrail.domain.cards import bin_of, bin_table, brand_of, last4
from payrail.domain.fault_rules import FaultRule
from payrail.domain.messages import TakeUp
from payrail.domain.testcards import Later, TestCard
from payrail.runtime.actor import Moment, SetTimer, Step

#: A refund of a test card is paid back only after so long, and a holder who is called PENDING is
#: charged; in business time.
PENDING_MS = 60_000
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
    drill = _drill(desk, state, order, card)
    if drill is not None:
        return _drilled(desk, state, order, card, drill, moment)
    if _is_pending_refund(state, order):
        step = _pending(desk, order, PENDING_REFUND, moment, is_documented=True)
        return injected.by_card(step, PENDING_REFUND, order.operation, order.reference)
    wish = _wish(desk, state, order, card)
    if wish is not None and wish.is_put_off:
        step = _put_off_by_name(desk, state, order, card, wish, moment)
        return injected.told(step, wish.drill, order.operation, order.reference)
    return _end(desk, state, order, card, None, moment)


def _drill(
    desk: Desk, state: ProviderState, order: Order, card: PresentedCard | None
) -> Drill | None:
    """The fault that touches this call: its own, or the oldest rule that fits."""
    subject = _subject(state, order, _is_documented(desk, state, order, card))
    own = wished(order.fault, subject, _ON_MONEY)
    return own or choose(state.faults, subject, desk.seed, _ON_MONEY)


def _wish(
    desk: Desk, state: ProviderState, order: Order, card: PresentedCard | None
) -> wishes.Wish | None:
    """What a name or an amount says in place of the issuer."""
    if card is not None:
        return wishes.of_charge(desk.provider, order, card, desk.outcome_for(card.number))
    return wishes.of_capture(desk.provider, order, state.operations.get(order.authorization or ""))


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
    is_fault = waiting.fault != PENDING_REFUND
    rule = FaultRule(operation=order.operation, do=waiting.fault) if is_fault else None
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
    drill: Drill,
    moment: Moment,
) -> Step:
    """A fault touches this call."""
    rule = drill.rule
    if rule.deed in SAFE:
        refused = outcomes.not_done(order, "refused", "not_accepted", desk.provider)
        step = Step(out=[refused], errors=1)
    elif rule.deed in BROKEN:
        step = _broken(desk, order, rule.do.replace(":", "_"))
    elif rule.deed in ("hang", "slow"):
        step = _put_off(order, rule, _is_documented(desk, state, order, card), moment)
    else:
        step = _end(desk, state, order, card, rule, moment)
    return injected.told(step, drill, order.operation, order.reference)


def _broken(desk: Desk, order: Order, code: str) -> Step:
    """An answer that says nothing about the call."""
    return Step(out=[outcomes.not_done(order, "ambiguous", code, desk.provider)], errors=1)


def _put_off_by_name(
    desk: Desk,
    state: ProviderState,
    order: Order,
    card: PresentedCard | None,
    wish: wishes.Wish,
    moment: Moment,
) -> Step:
    """A holder who is called PENDING or ERROR."""
    if wish.is_broken:
        return _broken(desk, order, wish.code)
    is_documented = _is_documented(desk, state, order, card)
    return _pending(desk, order, PENDING_NAME, moment, is_documented=is_documented)


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


def _pending(desk: Desk, order: Order, why: str, moment: Moment, *, is_documented: bool) -> Step:
    """Take a call in, and say so: it happens later, and its notice tells."""
    due_ms = moment.business_ms + PENDING_MS
    body = TakeUp(order.reference)
    timer = SetTimer(f"take_up:{order.reference}", "charge.take_up", body, due_ms, business=True)
    name = outcomes.name_of(desk.provider, order.operation, moment)
    return Step(
        events=[CallTakenIn(Waiting(order, is_documented, due_ms, False, why, name))],
        timers=[timer],
        out=[outcomes.not_done(order, "pending", "pending", desk.provider)],
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
    wish = _wish(desk, state, order, card)
    if wish is None and challenges.is_due(state, order, card, documented, rule, moment):
        step = challenges.asked(order, rule, moment, desk.provider)
        return injected.by_card(step, "challenge", order.operation, order.reference)
    code, amount = _word(desk, state, order, card, wish, moment)
    is_overruled = rule is not None and rule.deed == "decline"
    step = outcomes.finished(
        order,
        rule.argument if rule is not None and is_overruled else code,
        amount,
        rule or (wish.drill.rule if wish is not None else None),
        moment,
        desk.provider,
        outcomes.About(
            is_documented=_is_documented(desk, state, order, card),
            card=_seen(card, documented) if card is not None else None,
            hold=state.operations.get(order.authorization or ""),
            name=name,
            number=wish.number if wish is not None and not is_overruled else None,
        ),
    )
    return step if is_overruled else _told(step, order, documented, wish, code)


def _word(
    desk: Desk,
    state: ProviderState,
    order: Order,
    card: PresentedCard | None,
    wish: wishes.Wish | None,
    moment: Moment,
) -> tuple[str, int]:
    """(`approved` or why not, amount that would move)."""
    if card is None:
        code, amount = word_on_hold(state, order)
        return wish.word if wish is not None and code == APPROVED else code, amount
    if wish is not None:
        return wish.word, order.amount
    documented, at_ms = desk.outcome_for(card.number), moment.business_ms
    code = word_on_card(card, documented, order.reference, desk.seed, at_ms, provider=desk.provider)
    return code, order.amount


def _told(
    step: Step, order: Order, documented: TestCard | None, wish: wishes.Wish | None, code: str
) -> Step:
    """`step`, with what made it end so if that was neither luck nor a drill."""
    if wish is not None and wish.word == code and not wish.is_put_off:
        return injected.told(step, wish.drill, order.operation, order.reference)
    if wish is None and documented is not None and documented.outcome != APPROVED:
        return injected.by_card(step, f"decline:{code}", order.operation, order.reference)
    return step


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
