"""A call that its provider had refused for good when we asked, and that happened all the same.

A charge that comes too late is given back (`late`). A capture, a refund or a reversal is not undone
behind people's backs: they are told at once, and its line in a statement is a break for them.
Never: books what happened.
"""

from actors.gateway import cases
from actors.gateway.booking import Booking
from actors.gateway.facts import FenceBroken
from actors.gateway.state import GatewayState
from payrail.domain.messages import Outcome
from payrail.runtime.actor import Message, Moment, Step

_REASON = "fence_broken"


def told(state: GatewayState, message: Message, moment: Moment) -> Step:
    """A word about a call that is over, and no charge: a case, once, when our books say that it
    never happened. Else it is the same fact once more."""
    word: Outcome = message.body
    happened = word.result == "approved" or word.is_sent_back
    if not happened or word.reference in state.broken_fences or not _is_fenced(state, word):
        return Step()
    payment = state.payments.get(word.payment_id) or state.closed[word.payment_id]
    booking = Booking(None, message, moment)
    cases.opened(
        booking,
        message,
        moment,
        _REASON,
        merchant_id=payment.merchant_id,
        currency=payment.currency,
    )
    return Step(events=[FenceBroken(word.reference)], posts=booking.posts)


def _is_fenced(state: GatewayState, word: Outcome) -> bool:
    """Whether we gave the call up. Of a closed payment nothing was ever captured."""
    if word.payment_id in state.closed:
        return word.operation == "capture"
    view = state.payments.get(word.payment_id)
    return view is not None and word.reference in view.fenced
