"""Steps that end a call: what is told to the gateway, and the truth that it leaves.

One line of truth for one real effect; a decline, a refusal and a broken answer have none.
"""

from dataclasses import dataclass

from msgspec import structs

from actors.provider.answers import APPROVED
from actors.provider.state import CardShown, Charged, Operation, OperationFinished, Order
from actors.provider.truth import MONEY, Truth
from payrail.domain.fault_rules import FaultRule
from payrail.domain.messages import Ask, Outcome
from payrail.domain.timestamps import iso
from payrail.domain.words.kinds import GATEWAY
from payrail.runtime.actor import Moment, Post, Send, Step

_PREFIX = {"authorize": "ch", "capture": "cp", "refund": "rf", "reverse": "rv"}


@dataclass(frozen=True, slots=True)
class CardSeen:
    """What is kept of the card of a charge."""

    brand: str
    later: str | None  # what a test card does afterwards
    shown: CardShown


@dataclass(frozen=True, slots=True)
class About:
    """What a call is about: its card, or the charge that it takes from or gives back."""

    is_documented: bool
    card: CardSeen | None = None
    hold: Operation | None = None
    name: str = ""  # the provider's own, if it was told already
    number: int | None = None  # of the refusal, if a name asked for one


def name_of(provider: str, operation: str, moment: Moment) -> str:
    """The provider's own name for what it did: A's begin with what they are, B's are sixteen
    characters."""
    name = moment.new_id(_PREFIX[operation])
    return name.partition("_")[2].upper() if provider == "providerB" else name


def told(outcome: Outcome) -> Send:
    """An outcome on its way to the gateway."""
    return Send(GATEWAY, "outcome", outcome, key=outcome.payment_id)


def not_done(order: Order, result: str, code: str, provider: str) -> Send:
    """A call that had no effect: refused, or its answer is broken."""
    return told(
        Outcome(
            payment_id=order.payment_id,
            reference=order.reference,
            operation=order.operation,
            result=result,
            code=code,
            provider=provider,
            provider_reference=None,
            amount=order.amount,
            currency=order.currency,
        )
    )


def answered(ask: Ask, result: str, provider: str) -> Send:
    """What an ask hears of a call that is not finished."""
    return told(
        Outcome(
            payment_id=ask.payment_id,
            reference=ask.reference,
            operation=ask.operation,
            result=result,
            code=result,
            provider=provider,
            provider_reference=None,
            amount=0,
            currency="",
            asked=True,
        )
    )


def done(operation: Operation, reference: str, provider: str, *, asked: bool) -> Send:
    """The outcome of a finished call, the same each time it is told."""
    return told(
        Outcome(
            payment_id=operation.payment_id,
            reference=reference,
            operation=operation.operation,
            result=operation.result,
            code=operation.code,
            provider=provider,
            provider_reference=operation.provider_reference,
            amount=operation.amount,
            currency=operation.currency,
            asked=asked,
            action=operation.action,
        )
    )


def finished(
    order: Order,
    code: str,
    amount: int,
    rule: FaultRule | None,
    moment: Moment,
    provider: str,
    about: About,
) -> Step:
    """The call ends with `code`; an approved one has its effect now."""
    is_approved = code == APPROVED
    if is_approved and rule is not None and rule.deed == "wrong_amount":
        amount = _wrong(order.operation, amount)
    operation = _operation(order, code, amount, moment, provider, about)
    is_silent = rule is not None and rule.deed == "approve_then_hang"
    return Step(
        events=[OperationFinished(order.reference, operation, order.authorization)],
        posts=_truths(order, operation, rule, about.hold, moment) if is_approved else [],
        out=[] if is_silent else [done(operation, order.reference, provider, asked=False)],
        errors=int(is_silent),
    )


def _operation(
    order: Order, code: str, amount: int, moment: Moment, provider: str, about: About
) -> Operation:
    """The call as it is remembered; one that is approved has a name of the provider's own."""
    is_approved, card = code == APPROVED, about.card
    name = about.name or (name_of(provider, order.operation, moment) if is_approved else "")
    return Operation(
        operation=order.operation,
        payment_id=order.payment_id,
        merchant_id=order.merchant_id,
        token=order.token,
        amount=amount,
        currency=order.currency,
        result=APPROVED if is_approved else "declined",
        code=code,
        provider_reference=name if is_approved else None,
        is_documented=about.is_documented,
        captured=amount if is_approved and order.capture else 0,
        asked=order.amount,
        authorization=order.authorization,
        later=card.later if card else None,
        brand=card.brand if card else "",
        operation_id=order.operation_id,
        authenticated=order.authenticated,
        at_ms=moment.business_ms,
        card=card.shown if card else None,
        after=_after(order, about.hold, amount if is_approved else 0),
        correlation_id=order.correlation_id,
        number=about.number,
    )


def _after(order: Order, hold: Operation | None, amount: int) -> Charged:
    """How the charge stands with this call."""
    if hold is None:
        return Charged(captured=amount if order.capture else 0)
    return Charged(
        captured=hold.captured + amount * (order.operation == "capture"),
        reversed=hold.reversed + amount * (order.operation == "reverse"),
        refunded=hold.refunded + amount * (order.operation == "refund"),
    )


def _wrong(operation: str, amount: int) -> int:
    """A minor unit less; of a single one, a hold becomes two, and the rest stays as it is."""
    if amount > 1:
        return amount - 1
    return 2 if operation == "authorize" else amount


def _truths(
    order: Order, done: Operation, rule: FaultRule | None, hold: Operation | None, moment: Moment
) -> list[Post]:
    truth = Truth(
        at=iso(moment.business_ms),
        reference=order.reference,
        operation=order.operation,
        operation_id=order.operation_id,
        amount=done.amount,
        currency=order.currency,
        outcome=APPROVED,
        fault=rule.do if rule is not None else None,
        provider_reference=done.provider_reference,
        merchant_id=order.merchant_id,
        charge=hold.as_charge if hold is not None and order.operation in MONEY else None,
    )
    truths = [truth]
    if order.capture:
        truths.append(structs.replace(truth, operation="capture", charge=done.as_charge))
    return [Post("truth", line) for line in truths]
