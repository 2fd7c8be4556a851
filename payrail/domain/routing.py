"""Which provider a charge is offered to first, and why: rules made by people, values in and out.

    charge ──▶ first rule that fits ──▶ its order ──▶ (cheapest first) ──▶ canary, exploration
                                                                          └─▶ breaker and health

A rule chooses the order; what the providers cost is explained and moves nothing unless a rule says
so. Canary and exploration are shares of payments, drawn from the payment's id: the same payment,
the same draw. Never: looks at a breaker (`actors.gateway.routing`), reads a file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from msgspec import Struct

from payrail.domain import fees
from payrail.domain.breaker import HEALTH, BreakerState
from payrail.domain.fees import FeeTable
from payrail.domain.money import format_minor

DEFAULT_RULE = "default"
#: A candidate that was passed over because it had refused this very charge.
TRIED = "tried"
PERCENT = 100


class Candidate(Struct, frozen=True, omit_defaults=True):
    """A provider that was considered. `cost` is what a capture of all of it would cost us there."""

    provider: str
    cost: int  # minor units of the payment's currency
    breaker: str = BreakerState.CLOSED.value
    passed_over: str | None = None  # breaker_open | not_its_turn | tried


class RoutingDecision(Struct, frozen=True, omit_defaults=True):
    """Why an attempt went where it went; kept in its entry."""

    rule: str
    candidates: list[Candidate]  # in the order in which they were considered
    extra_cost: int  # of the chosen one beside the first by the rule; below zero: it costs less
    drawn: str | None = None  # canary | exploration, when a draw changed the order
    last_resort: bool = False  # every breaker held back, and one was tried all the same

    @property
    def beside(self) -> str:
        """Who would be first if nothing had been drawn and nobody passed over."""
        return first_by_rule(self.candidates, drawn=self.drawn is not None).provider


@dataclass(frozen=True, slots=True)
class Charge:
    """What rules look at."""

    payment_id: str
    merchant_id: str | None
    amount_minor: int
    currency: str
    bin: str
    country: str | None  # the BIN's, else the customer's


@dataclass(frozen=True, slots=True)
class RoutingRule:
    """Fits a charge that has one of each of the named; an empty field fits every charge."""

    name: str
    order: tuple[str, ...]
    country: frozenset[str] = frozenset()
    currency: frozenset[str] = frozenset()
    merchant: frozenset[str] = frozenset()
    bin: tuple[str, ...] = ()  # first digits
    amount_minor_min: int | None = None
    amount_minor_max: int | None = None
    cheapest_first: bool = False

    def fits(self, charge: Charge) -> bool:
        low, high = self.amount_minor_min, self.amount_minor_max
        return (
            (not self.country or charge.country in self.country)
            and (not self.currency or charge.currency in self.currency)
            and (not self.merchant or charge.merchant_id in self.merchant)
            and (not self.bin or charge.bin.startswith(self.bin))
            and (low is None or charge.amount_minor >= low)
            and (high is None or charge.amount_minor <= high)
        )


@dataclass(frozen=True, slots=True)
class RoutingTable:
    """The rules in the order in which they are tried, and the two shares. What `routing.toml`
    says."""

    order: tuple[str, ...] = ("providerA", "providerB")
    rules: tuple[RoutingRule, ...] = ()
    canary_provider: str | None = None
    canary_percent: int = 0
    exploration_percent: int = 0
    fees: FeeTable = fees.STANDARD  # out of fees.toml


BY_DEFAULT = RoutingTable()


@dataclass(frozen=True, slots=True)
class Order:
    """The providers to consider, the rule that said so, and the draw that changed it."""

    rule: str
    providers: tuple[str, ...]
    drawn: str | None = None


def order_for(table: RoutingTable, charge: Charge) -> Order:
    """The order for a charge: the first rule that fits, else the default."""
    default = RoutingRule(DEFAULT_RULE, table.order)
    rule = next((rule for rule in table.rules if rule.fits(charge)), default)
    providers = rule.order
    if rule.cheapest_first:
        providers = tuple(sorted(providers, key=lambda name: cost(table, name, charge)))
    front, drawn = _drawn(table, providers, charge.payment_id)
    if front is None or front == providers[0]:
        return Order(rule.name, providers)
    others = tuple(name for name in providers if name != front)
    return Order(rule.name, (front, *others), drawn)


def cost(table: RoutingTable, provider: str, charge: Charge) -> int:
    """What capturing all of it would cost us there, in minor units."""
    return table.fees.provider_fee(provider, charge.amount_minor, charge.currency, charge.bin)


def first_by_rule(candidates: Sequence[Candidate], *, drawn: bool) -> Candidate:
    """The candidate before which a draw put another."""
    return candidates[1 if drawn else 0]


def decided(
    order: Order, candidates: list[Candidate], chosen: str, *, last_resort: bool = False
) -> RoutingDecision:
    """The record of a choice."""
    beside = first_by_rule(candidates, drawn=order.drawn is not None)
    own = next(candidate for candidate in candidates if candidate.provider == chosen)
    extra = own.cost - beside.cost
    return RoutingDecision(order.rule, candidates, extra, order.drawn, last_resort)


def told(decision: RoutingDecision, provider: str, currency: str) -> str:
    """One line for people: rule, health of each, and what the choice costs."""
    stood = "; ".join(_stood(one, provider) for one in decision.candidates)
    drawn = f", {decision.drawn}" if decision.drawn else ""
    resort = ", the last resort" if decision.last_resort else ""
    own = next(one.cost for one in decision.candidates if one.provider == provider)
    beside = decision.beside
    more = "+" if decision.extra_cost > 0 else ""
    extra = f", {more}{format_minor(decision.extra_cost, currency)} beside {beside}"
    why = f"{provider} by rule {decision.rule}{drawn}{resort} ({stood})"
    costs = f"costs {format_minor(own, currency)}"
    return f"{why}; {costs}{'' if provider == beside else extra}"


def _stood(candidate: Candidate, chosen: str) -> str:
    health = HEALTH[BreakerState(candidate.breaker)]
    told = f"{candidate.provider} is {health}, breaker {candidate.breaker}"
    tried = candidate.passed_over == TRIED and candidate.provider != chosen
    return f"{told}, refused this charge" if tried else told


def _drawn(
    table: RoutingTable, providers: tuple[str, ...], payment_id: str
) -> tuple[str | None, str | None]:
    """(who goes first, by which draw); nobody while both shares are 0."""
    canary = table.canary_provider
    if canary in providers and _share(payment_id, "canary") < table.canary_percent:
        return canary, "canary"
    if len(providers) > 1 and _share(payment_id, "exploration") < table.exploration_percent:
        others = providers[1:]
        return others[_number(payment_id, "explored") % len(others)], "exploration"
    return None, None


def _share(payment_id: str, draw: str) -> int:
    return _number(payment_id, draw) % PERCENT


def _number(payment_id: str, draw: str) -> int:
    return int.from_bytes(sha256(f"{draw}:{payment_id}".encode()).digest()[:8], "big")
