"""Which provider a charge goes to: the order that the rules give, less those that are held back.

A charge that was safely refused goes to another provider, to each at most once, and only while
whoever asked still waits. Doubt never goes elsewhere, nor does a decline unless people marked its
code in declines.csv. What is done with a hold stays with the provider that has it. Why a provider
was chosen is kept with the choice.
Never: changes a breaker (`actors.gateway.breakers`), reads a rule (`actors.gateway.routing_rules`).
"""

from collections.abc import Collection
from dataclasses import dataclass

from payrail.domain.breaker import Breaker, BreakerState
from payrail.domain.cards import country_of
from payrail.domain.declines import Declines, decline_of
from payrail.domain.messages import Outcome
from payrail.domain.payments import PaymentState, PaymentView
from payrail.domain.routing import (
    TRIED,
    Candidate,
    Charge,
    Order,
    RoutingDecision,
    RoutingTable,
    cost,
    decided,
    order_for,
)
from payrail.domain.trials import Standing, tally_of

#: The one safe refusal after which another provider may be tried: it took nothing in.
NOT_ACCEPTED = "not_accepted"
#: The rule by which a charge goes back to who challenged its cardholder.
CHALLENGED = "challenged"
_HELD_BACK = {BreakerState.OPEN: "breaker_open", BreakerState.HALF_OPEN: "not_its_turn"}
_CLOSED = Breaker()


@dataclass(frozen=True, slots=True)
class Choice:
    """`offered`: the half open providers that were looked at; each counts one charge more."""

    provider: str | None
    offered: tuple[str, ...]
    decision: RoutingDecision | None = None


def charge_of(view: PaymentView | None) -> Charge:
    """What rules look at. The country is the BIN's, else what the customer said."""
    if view is None:
        raise TypeError("only a payment is charged")
    method = view.payment_method
    said = (view.customer or {}).get("country")
    country = country_of(method.bin) or (said.upper() if isinstance(said, str) else None)
    return Charge(view.id, view.merchant_id, view.amount, view.currency, method.bin, country)


def first(table: RoutingTable, charge: Charge, standing: Standing) -> Choice:
    """The provider for a new charge. When every breaker holds back, one is tried all the same:
    a payment is not refused because of what happened to others."""
    order = order_for(table, charge, standing.answers)
    choice = _let_through(table, order, charge, standing)
    if choice.provider is not None:
        return choice
    least_bad = min(
        order.providers, key=lambda name: _of(standing, name).state is BreakerState.OPEN
    )
    candidates = [_candidate(table, order, name, charge, standing) for name in order.providers]
    decision = decided(order, candidates, least_bad, last_resort=True)
    return Choice(least_bad, choice.offered, decision)


def another(
    table: RoutingTable, charge: Charge, standing: Standing, tried: Collection[str]
) -> Choice:
    """The provider for a charge that was safely refused elsewhere; None when nobody is left."""
    return _let_through(table, order_for(table, charge, standing.answers), charge, standing, tried)


def signed_in(table: RoutingTable, charge: Charge, standing: Standing, provider: str) -> Choice:
    """The provider whose challenge the cardholder passed: no other knows of it."""
    order = Order(CHALLENGED, (provider,))
    candidates = [_candidate(table, order, provider, charge, standing)]
    decision = decided(order, candidates, provider)
    return Choice(provider, (), decision)


def may_go_elsewhere(
    view: PaymentView,
    told: Outcome,
    waits_until_ms: int | None,
    now_ms: int,
    declines: Declines | None = None,
) -> bool:
    """Whether an outcome of the open call leaves the charge free for another provider: it was
    safely refused, or declined by a code that people marked so, and whoever asked has had no
    answer yet."""
    return (
        _is_free(told, declines)
        and view.state is PaymentState.PROCESSING
        and view.open is not None
        and not view.open.in_doubt
        and (waits_until_ms is None or now_ms < waits_until_ms)
    )


def _is_free(told: Outcome, declines: Declines | None) -> bool:
    if told.operation != "authorize":
        return False
    if told.result == "declined":
        return decline_of(told.code, declines).retry_elsewhere
    return (told.result, told.code) == ("refused", NOT_ACCEPTED)


def _let_through(
    table: RoutingTable,
    order: Order,
    charge: Charge,
    standing: Standing,
    tried: Collection[str] = (),
) -> Choice:
    """The first provider of the order that is neither tried nor held back."""
    offered: list[str] = []
    candidates: list[Candidate] = []
    chosen: str | None = None
    for name in order.providers:
        candidates.append(_candidate(table, order, name, charge, standing, tried))
        if chosen is not None or name in tried:
            continue
        if _of(standing, name).state is BreakerState.HALF_OPEN:
            offered.append(name)
        if _of(standing, name).lets_through:
            chosen = name
    decision = None if chosen is None else decided(order, candidates, chosen)
    return Choice(chosen, tuple(offered), decision)


def _candidate(
    table: RoutingTable,
    order: Order,
    name: str,
    charge: Charge,
    standing: Standing,
    tried: Collection[str] = (),
) -> Candidate:
    breaker = _of(standing, name)
    held_back = None if breaker.lets_through else _HELD_BACK[breaker.state]
    passed_over = TRIED if name in tried else held_back
    tally = tally_of(standing.answers.get(name, "") if order.by_success else "")
    return Candidate(
        name,
        cost(table, name, charge),
        breaker.state.value,
        passed_over,
        tally.answered,
        tally.authorized,
    )


def _of(standing: Standing, name: str) -> Breaker:
    return standing.breakers.get(name, _CLOSED)
