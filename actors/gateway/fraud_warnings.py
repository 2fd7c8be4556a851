"""What an issuer suspects of a charge of ours: one case for people, however often it is told.

A warning is known by its provider and the provider's name for it. Nothing is disputed and no money
moves: whether to pay it back, before a chargeback asks for more, is for people to judge.
"""

from actors.gateway.booking import Booking
from actors.gateway.dispute_state import FraudReported, name_at
from actors.gateway.state import GatewayState
from payrail.domain.ledger import CaseOpened
from payrail.domain.words.disputes import DisputeFact
from payrail.runtime.actor import Message, Moment, Step

EARLY_FRAUD_WARNING = "early_fraud_warning"


def warned(state: GatewayState, message: Message, moment: Moment) -> Step:
    """A warning about a captured charge of ours; what is at stake is all that was captured."""
    told: DisputeFact = message.body
    name = name_at(told.provider, told.provider_reference)
    if name in state.disputes.reported:
        return Step()
    payment = state.payments[told.payment_id]
    data = CaseOpened(
        payment.id,
        EARLY_FRAUD_WARNING,
        payment.amount_captured,
        provider=told.provider,
        references=[told.authorization, told.provider_reference],
    )
    booking = Booking(payment, message, moment)
    booking.book_case(None, "case.opened", data, ref=moment.new_id("case"))
    return Step(events=[FraudReported(name)], posts=booking.posts)
