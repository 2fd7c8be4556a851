"""A charge that asks for its cardholder first: which cards do, and what they hear.

The call that asks is over: it never charges, whenever it is told or asked about again. The charge
that follows has a reference of its own and names the action that was passed; an action lets one
charge happen, of the same payment, card and amount. Whether it was passed in time is judged where
the cardholder answers, so that an answer in the last second still counts.
Never: takes money.
"""

from actors.provider import outcomes
from actors.provider.answers import is_expired
from actors.provider.seals import PresentedCard
from actors.provider.state import Operation, OperationFinished, Order, ProviderState
from payrail.domain.challenges import REQUIRES_ACTION
from payrail.domain.fault_rules import FaultRule
from payrail.domain.testcards import TestCard
from payrail.domain.timestamps import iso
from payrail.domain.words.providers import Action
from payrail.runtime.actor import Moment, Step

#: How long a cardholder has, in business time: as long as shops usually keep a checkout open.
EXPIRES_AFTER_MS = 15 * 60_000


def is_due(
    state: ProviderState,
    order: Order,
    card: PresentedCard | None,
    documented: TestCard | None,
    rule: FaultRule | None,
    moment: Moment,
) -> bool:
    """Whether the cardholder has to come first. A card that is past its month, and a charge that a
    drill declines, have their answer without."""
    if card is None or documented is None or documented.challenge is None:
        return False
    if is_expired(card, moment.business_ms) or (rule is not None and rule.deed == "decline"):
        return False
    return not _is_authenticated(state, order)


def asked(order: Order, rule: FaultRule | None, moment: Moment, provider: str) -> Step:
    """The charge ends by asking for its cardholder. It has no effect, so it leaves no truth."""
    operation = Operation(
        operation=order.operation,
        payment_id=order.payment_id,
        merchant_id=order.merchant_id,
        token=order.token,
        amount=order.amount,
        currency=order.currency,
        result=REQUIRES_ACTION,
        code=REQUIRES_ACTION,
        provider_reference=None,
        is_documented=True,
        asked=order.amount,
        at_ms=moment.business_ms,
        correlation_id=order.correlation_id,
        action=Action(moment.new_id("act"), iso(moment.business_ms + EXPIRES_AFTER_MS)),
    )
    is_silent = rule is not None and rule.deed == "approve_then_hang"
    told = outcomes.done(operation, order.reference, provider, asked=False)
    return Step(
        events=[OperationFinished(order.reference, operation)],
        out=[] if is_silent else [told],
        errors=int(is_silent),
    )


def _is_authenticated(state: ProviderState, order: Order) -> bool:
    """Whether the charge names an action of ours that is about the same, and was not used."""
    asked_for = state.operations.get(state.actions.get(order.authenticated or "", ""))
    return asked_for is not None and _about(asked_for) == _about(order)


def _about(call: Operation | Order) -> tuple[str, str, str | None, int, str]:
    return call.payment_id, call.merchant_id, call.token, call.amount, call.currency
