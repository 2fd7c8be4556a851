"""Which provider a charge goes to: the default order, less those whose breaker holds charges back.

A charge that was safely refused goes to another provider, to each at most once, and only while
whoever asked still waits. Doubt never goes elsewhere, nor does a decline. What is done with a hold
stays with the provider that has it. Never: changes a breaker (`actors.gateway.breakers`).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from payrail.domain.breaker import Breaker, BreakerState
from payrail.domain.messages import Outcome
from payrail.domain.payments import PaymentState, PaymentView

#: The one safe refusal after which another provider may be tried: it took nothing in.
NOT_ACCEPTED = "not_accepted"
_CLOSED = Breaker()


@dataclass(frozen=True, slots=True)
class Choice:
    """`offered`: the half open providers that were looked at; each counts one charge more."""

    provider: str | None
    offered: tuple[str, ...]


def first(order: Sequence[str], breakers: Mapping[str, Breaker]) -> Choice:
    """The provider for a new charge. When every breaker holds back, one is tried all the same:
    a payment is not refused because of what happened to others."""
    choice = _let_through(order, breakers)
    if choice.provider is not None:
        return choice
    least_bad = min(order, key=lambda name: _of(breakers, name).state is BreakerState.OPEN)
    return Choice(least_bad, choice.offered)


def another(
    order: Sequence[str], breakers: Mapping[str, Breaker], tried: Collection[str]
) -> Choice:
    """The provider for a charge that was safely refused elsewhere; None when nobody is left."""
    return _let_through([name for name in order if name not in tried], breakers)


def may_go_elsewhere(
    view: PaymentView, told: Outcome, waits_until_ms: int | None, now_ms: int
) -> bool:
    """Whether an outcome of the open call leaves the charge free for another provider: it was
    safely refused, and whoever asked has had no answer yet."""
    return (
        (told.operation, told.result, told.code) == ("authorize", "refused", NOT_ACCEPTED)
        and view.state is PaymentState.PROCESSING
        and view.open is not None
        and not view.open.in_doubt
        and (waits_until_ms is None or now_ms < waits_until_ms)
    )


def _let_through(order: Sequence[str], breakers: Mapping[str, Breaker]) -> Choice:
    offered: list[str] = []
    for name in order:
        breaker = _of(breakers, name)
        if breaker.state is BreakerState.HALF_OPEN:
            offered.append(name)
        if breaker.lets_through:
            return Choice(name, tuple(offered))
    return Choice(None, tuple(offered))


def _of(breakers: Mapping[str, Breaker], name: str) -> Breaker:
    return breakers.get(name, _CLOSED)
