"""Cases: opened with what is at stake and what is known, closed by people or by the facts.

A call that nobody could tell the end of, after the last of its asks, is `unresolved`: its case is
opened once, the asking goes on, and the outcome closes it. Never: decides what a case is about.
"""

from actors.gateway import idempotency as keys
from actors.gateway.booking import Booking
from actors.gateway.settings import ASKS_MAX, Rules
from actors.gateway.state import GatewayState
from payrail.domain.cases import CaseView, render
from payrail.domain.claim_entries import CaseClosed
from payrail.domain.ledger import CaseOpened
from payrail.domain.messages import Outcome
from payrail.domain.payments import OpenOperation, PaymentView
from payrail.domain.words.cases import CloseCase
from payrail.errors import RequestError
from payrail.runtime.actor import Message, Moment, Step

UNRESOLVED, RESOLVED = "unresolved", "resolved"
#: Who closes what the facts have closed.
BY_ITSELF = "gateway"


def opened(
    booking: Booking,
    message: Message,
    moment: Moment,
    reason: str,
    *,
    exposure: int | None = None,
    merchant_id: str | None = None,
    currency: str | None = None,
) -> CaseView:
    """Tell people of a provider's word that no rule may decide about; what is at stake is its
    amount unless told."""
    told: Outcome = message.body
    data = CaseOpened(
        told.payment_id,
        reason,
        told.amount if exposure is None else exposure,
        provider=told.provider,
        references=[told.reference],
        operation=told.operation,
    )
    return booking.book_case(
        None,
        "case.opened",
        data,
        ref=moment.new_id("case"),
        merchant_id=merchant_id,
        currency=currency,
    )


def unresolved(view: PaymentView, asks: int, message: Message, moment: Moment) -> Booking:
    """A booking with the case of a call whose last ask brought nothing."""
    booking = Booking(view, message, moment)
    call = view.open
    if call is None:
        raise TypeError("only an open call is unresolved")
    data = CaseOpened(
        view.id,
        UNRESOLVED,
        at_stake(view, call),
        provider=call.provider,
        references=[call.reference],
        operation=call.operation,
        asks=asks,
        since=call.since,
    )
    booking.book_case(None, "case.opened", data, ref=moment.new_id("case"))
    return booking


def is_due(view: PaymentView, number: int) -> bool:
    """Whether ask `number` is the first after the last one that is waited for without people."""
    return number == ASKS_MAX + 1 and view.open is not None and view.open.in_doubt


def at_stake(view: PaymentView, call: OpenOperation) -> int:
    """What a call moves, in minor units: all that is held for a reversal."""
    if call.operation == "reverse":
        return view.amount_authorized - view.amount_captured
    return call.amount or view.amount


def resolved(state: GatewayState, booking: Booking, was: PaymentView) -> None:
    """The outcome has come: the case about it closes by itself. `was`: the payment while the call
    was open; only one in doubt has such a case, so that others look through none."""
    if was.open is None or not was.open.in_doubt:
        return
    for case in state.cases.values():
        if (case.reason, case.payment_id) == (UNRESOLVED, was.id):
            data = CaseClosed(was.id, BY_ITSELF, RESOLVED)
            booking.book_case(case, "case.closed", data, ref=case.id)


def close(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """Somebody has looked, and says how it ended. Refuses: not-found, illegal-transition."""
    order: CloseCase = message.body
    case = _open_case(state, order)
    booking = Booking(None, message, moment)
    data = CaseClosed(case.payment_id, order.user_id, order.resolution)
    view = booking.book_case(case, "case.closed", data, ref=case.id)
    step = Step(posts=booking.posts)
    return keys.done(step, message, moment, case.payment_id, 200, render(view))


def _open_case(state: GatewayState, order: CloseCase) -> CaseView:
    """Another merchant's case is as one that never was."""
    case = state.cases.get(order.id)
    if case is not None and order.merchant_id in (None, case.merchant_id):
        return case
    is_closed = order.id in state.closed_cases
    if not is_closed or order.merchant_id not in (None, state.closed_cases[order.id]):
        raise RequestError(404, "not-found", "no such case")
    detail = "this case is closed already"
    raise RequestError(409, "illegal-transition", detail, extra={"legal": []})
