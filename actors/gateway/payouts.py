"""Pay out to merchants what is available: every day by a timer, or when somebody asks.

Created, a payout has left what is available, so that nothing is ever paid out twice. At noon of its
value date our bank tells that it was paid; a drill may say so earlier, or send it back, also after
it was paid: then it is available again, and the next run pays it out anew.
Never: pays more than is payable, or moves a payout because of a statement of a provider.
"""

from actors.gateway import idempotency as keys
from actors.gateway.booking import Booking
from actors.gateway.payout_state import PayoutDaySet, key_of
from actors.gateway.settings import Rules
from actors.gateway.state import GatewayState
from payrail.domain.claim_entries import PayoutCreated, PayoutFailed, PayoutPaid
from payrail.domain.ledger import CaseOpened
from payrail.domain.payout_terms import day_of, next_run_ms, paid_ms, value_date_of
from payrail.domain.payouts import (
    PayoutState,
    PayoutView,
    legal_verbs,
    payable_minor,
    render,
)
from payrail.domain.timestamps import iso
from payrail.domain.words.kinds import RECONCILER
from payrail.domain.words.payouts import (
    CreatePayout,
    PayoutPaidDue,
    PayoutsChanged,
    PayoutsDue,
    ResolvePayout,
)
from payrail.errors import RequestError
from payrail.runtime.actor import CancelTimer, Message, Moment, Send, SetTimer, Step

#: Payouts of one step: an entry, its event and its timer for each must fit into a journal line.
CHUNK = 20
#: The timer of the daily run, and how those of payouts on their way begin.
RUN, ON_ITS_WAY = "payouts", "payout:"
_RETURNED = "payout_returned"


def opened(state: GatewayState, moment: Moment, step: Step) -> None:
    """Plan the first daily run of a house."""
    if not state.paying.due_ms:
        _plan_next(moment, step)


def run(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """The daily run, a bounded piece of it: the rest follows at once."""
    timer: PayoutsDue = message.body
    payable = state.paying.payable_after(timer.after)
    booking, step = Booking(None, message, moment), Step()
    for index, key in enumerate(payable[:CHUNK]):
        merchant_id, _, currency = key.rpartition(" ")
        _made(state, booking, merchant_id, currency, None, index, moment, step)
    step.posts = booking.posts
    if len(payable) > CHUNK:
        body = PayoutsDue(payable[CHUNK - 1])
        step.timers.append(SetTimer(RUN, "payout.run", body, moment.business_ms, business=True))
    else:
        _plan_next(moment, step)
    return step


def create(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """Pay out now. Refuses: amount-exceeds, when nothing is payable."""
    order: CreatePayout = message.body
    merchant_id, currency = order.merchant_id or "", order.currency
    available = state.paying.available.get(key_of(merchant_id, currency), 0)
    if not payable_minor(available):
        raise RequestError(
            422,
            "amount-exceeds",
            f"Nothing can be paid out in {currency}: {-available} minor units are available.",
            errors=[{"field": "currency", "message": "nothing is available in it"}],
        )
    booking, step = Booking(None, message, moment), Step()
    view = _made(state, booking, merchant_id, currency, order.user_id, 0, moment, step)
    step.posts = booking.posts
    return keys.done(step, message, moment, None, 201, render(view))


def paid_due(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """Our bank tells that it has arrived."""
    timer: PayoutPaidDue = message.body
    view = state.paying.payouts.get(timer.payout_id)
    if view is None or view.state is not PayoutState.IN_TRANSIT:
        return Step()
    booking = Booking(None, message, moment)
    return _told(booking, _paid(booking, view, moment))


def resolve(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """A drill at the bank. Refuses: not-found, illegal-transition."""
    order: ResolvePayout = message.body
    view = _known(state, order)
    if order.outcome not in legal_verbs(view):
        detail = f"a payout that is {view.state.value} cannot be {order.outcome}"
        legal = list(legal_verbs(view))
        raise RequestError(409, "illegal-transition", detail, extra={"legal": legal})
    booking = Booking(None, message, moment)
    if order.outcome == "paid":
        after = _paid(booking, view, moment)
    else:
        after = _failed(booking, view, order.code or "returned", moment)
    step = _told(booking, after)
    step.timers.append(CancelTimer(f"{ON_ITS_WAY}{view.id}"))
    return keys.done(step, message, moment, None, 200, render(after))


def _made(
    state: GatewayState,
    booking: Booking,
    merchant_id: str,
    currency: str,
    user_id: str | None,
    index: int,
    moment: Moment,
    step: Step,
) -> PayoutView:
    amount = payable_minor(state.paying.available[key_of(merchant_id, currency)])
    value_date = value_date_of(moment.business_ms).isoformat()
    day = day_of(moment.business_ms).isoformat()
    view = booking.book_payout(
        None,
        "payout.created",
        PayoutCreated(value_date, user_id, day),
        amount,
        ref=moment.new_id("po", index),
        merchant_id=merchant_id,
        currency=currency,
    )
    ident, body = f"{ON_ITS_WAY}{view.id}", PayoutPaidDue(view.id)
    step.timers.append(SetTimer(ident, "payout.paid_due", body, paid_ms(value_date), business=True))
    step.out = [Send(RECONCILER, "payouts.changed", PayoutsChanged(day))]
    return view


def _paid(booking: Booking, view: PayoutView, moment: Moment) -> PayoutView:
    reference = f"bank_{view.id.removeprefix('po_')}"
    return _moved(booking, view, "payout.paid", PayoutPaid(reference, iso(moment.business_ms)))


def _failed(booking: Booking, view: PayoutView, code: str, moment: Moment) -> PayoutView:
    """It came back; when it had been paid, people should know."""
    was_paid = view.state is PayoutState.PAID
    after = _moved(booking, view, "payout.failed", PayoutFailed(code, was_paid))
    if was_paid:
        booking.book_case(
            None,
            "case.opened",
            CaseOpened(view.id, _RETURNED, view.amount),
            ref=moment.new_id("case"),
            merchant_id=view.merchant_id,
            currency=view.currency,
        )
    return after


def _moved(
    booking: Booking, view: PayoutView, entry_type: str, data: PayoutPaid | PayoutFailed
) -> PayoutView:
    return booking.book_payout(
        view,
        entry_type,
        data,
        view.amount,
        ref=view.id,
        merchant_id=view.merchant_id,
        currency=view.currency,
    )


def _told(booking: Booking, view: PayoutView) -> Step:
    changed = PayoutsChanged(view.date or "")
    return Step(posts=booking.posts, out=[Send(RECONCILER, "payouts.changed", changed)])


def _known(state: GatewayState, order: ResolvePayout) -> PayoutView:
    """Another merchant's payout is as one that never was."""
    view = state.paying.payouts.get(order.id)
    if view is None or order.merchant_id not in (None, view.merchant_id):
        raise RequestError(404, "not-found", "no such payout that could still move")
    return view


def _plan_next(moment: Moment, step: Step) -> None:
    due_ms = next_run_ms(moment.business_ms)
    step.events.append(PayoutDaySet(due_ms, moment.business_ms))
    step.timers.append(SetTimer(RUN, "payout.run", PayoutsDue(), due_ms, business=True))
