"""Which provider a charge is offered to first, and why: rules made by people, values in and out.

    charge ──▶ first rule that fits ──▶ its order ──▶ (cheapest first) ──▶ canary, exploration
                                                                          └─▶ breaker and health

A rule chooses the order; what the providers cost is explained and moves nothing unless a rule says
so. Canary and exploration are shares of payments, drawn from the payment's id: the same payment,
the same draw. Never: looks at a breaker (`actors.gateway.routing`), reads a file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from msgspec import Struct

from payrail.domain import fees
from payrail.domain.breaker import HEALTH, BreakerState
from payrail.domain.fees import FeeTable
from payrail.domain.money import format_minor
from payrail.domain.trials import PERCENT, best_first

DEFAULT_RULE = "default"
#: A candidate that was passed over because it had refused this very charge.
TRIED = "tried"


class Candidate(Struct, frozen=True, omit_defaults=True):
    """A provider that was considered. `cost` is what a capture of all of it would cost us there."""

    provider: str
    cost: int  # minor units of the payment's currency
    breaker: str = BreakerState.CLOSED.value
    passed_over: str | None = None  # breaker_open | not_its_turn | tried
    answered: int = 0  # of its last charges, where a rule puts the best first
    authorized: int = 0


class Draw(Struct, frozen=True):
    """A share of payments: this one is in it when `drawn` is below `percent`."""

    draw: str  # canary | exploration
    percent: int
    drawn: int  # 0 to 99
    provider: str | None  # who gets it; None: drawn among the others


class RoutingDecision(Struct, frozen=True, omit_defaults=True):
    """Why an attempt went where it went; kept in its entry."""

    rule: str
    candidates: list[Candidate]  # in the order in which they were considered
    extra_cost: int  # of the chosen one beside the first by the rule; below zero: it costs less
    drawn: str | None = None  # canary | exploration, when a draw changed the order
    last_resort: bool = False  # every breaker held back, and one was tried all the same
    draws: list[Draw] = []  # every share that was above 0

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
    bin_ranges: tuple[tuple[str, str], ...] = ()  # from, to: first digits, both included
    amount_minor_min: int | None = None
    amount_minor_max: int | None = None
    cheapest_first: bool = False
    best_first: bool = False  # by what issuers answered there lately

    def fits(self, charge: Charge) -> bool:
        low, high = self.amount_minor_min, self.amount_minor_max
        return (
            (not self.country or charge.country in self.country)
            and (not self.currency or charge.currency in self.currency)
            and (not self.merchant or charge.merchant_id in self.merchant)
            and self._fits_bin(charge.bin)
            and (low is None or charge.amount_minor >= low)
            and (high is None or charge.amount_minor <= high)
        )

    def _fits_bin(self, bin6: str) -> bool:
        if not self.bin and not self.bin_ranges:
            return True
        ranges = self.bin_ranges
        return (bool(self.bin) and bin6.startswith(self.bin)) or any(
            first <= bin6[: len(first)] <= last for first, last in ranges
        )


@dataclass(frozen=True, slots=True)
class RoutingTable:
    """The rules in the order in which they are tried, and the two shares. What `routing.toml`
    says."""

    order: tuple[str, ...] = ("providerA", "providerB")
    rules: tuple[RoutingRule, ...] = ()
    canary_provider: str | None = None
    canary_percent: int = 0
    canary_answers_min: int = 50
    canary_points_max: int = 5
    exploration_percent: int = 0
    seed: int = 0  # of exploration
    fees: FeeTable = fees.STANDARD  # out of fees.toml


BY_DEFAULT = RoutingTable()


@dataclass(frozen=True, slots=True)
class Order:
    """The providers to consider, the rule that said so, and the draw that changed it."""

    rule: str
    providers: tuple[str, ...]
    drawn: str | None = None
    draws: tuple[Draw, ...] = ()
    by_success: bool = False


def order_for(
    table: RoutingTable, charge: Charge, answers: Mapping[str, str] | None = None
) -> Order:
    """The order for a charge: the first rule that fits, else the default. `answers`: the last ones
    of each provider."""
    default = RoutingRule(DEFAULT_RULE, table.order)
    rule = next((rule for rule in table.rules if rule.fits(charge)), default)
    providers = _ruled(table, rule, charge, answers or {})
    draws = _draws(table, providers, charge.payment_id)
    won = next((draw for draw in draws if draw.drawn < draw.percent), None)
    if won is None:
        return Order(rule.name, providers, None, draws, rule.best_first)
    front = won.provider or _explored(table, providers, charge.payment_id)
    if front == providers[0]:
        return Order(rule.name, providers, None, draws, rule.best_first)
    others = tuple(name for name in providers if name != front)
    return Order(rule.name, (front, *others), won.draw, draws, rule.best_first)


def _ruled(
    table: RoutingTable, rule: RoutingRule, charge: Charge, answers: Mapping[str, str]
) -> tuple[str, ...]:
    """The providers as the rule has them: as they are written, by cost, or by success."""
    providers = rule.order
    if rule.cheapest_first:
        providers = tuple(sorted(providers, key=lambda name: cost(table, name, charge)))
    return best_first(providers, answers) if rule.best_first else providers


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
    draws = list(order.draws)
    return RoutingDecision(order.rule, candidates, extra, order.drawn, last_resort, draws)


def told(decision: RoutingDecision, provider: str, currency: str) -> str:
    """One line for people: rule, health of each, and what the choice costs."""
    stood = "; ".join(_stood(one, provider) for one in decision.candidates)
    drawn = "".join(f", {_share(draw)}" for draw in decision.draws)
    if decision.drawn and not decision.draws:  # of a line from before shares were kept
        drawn = f", {decision.drawn}"
    resort = ", the last resort" if decision.last_resort else ""
    own = next(one.cost for one in decision.candidates if one.provider == provider)
    beside = decision.beside
    more = "+" if decision.extra_cost > 0 else ""
    extra = f", {more}{format_minor(decision.extra_cost, currency)} beside {beside}"
    why = f"{provider} by rule {decision.rule}{drawn}{resort} ({stood})"
    costs = f"costs {format_minor(own, currency)}"
    return f"{why}; {costs}{'' if provider == beside else extra}"


def _share(draw: Draw) -> str:
    """`canary (drew 7, share 10 %)`: in it; `no canary (drew 80, share 10 %)`: not."""
    won = draw.drawn < draw.percent
    return f"{'' if won else 'no '}{draw.draw} (drew {draw.drawn}, share {draw.percent} %)"


def _stood(candidate: Candidate, chosen: str) -> str:
    health = HEALTH[BreakerState(candidate.breaker)]
    told = f"{candidate.provider} is {health}, breaker {candidate.breaker}"
    if candidate.answered:
        told += f", {candidate.authorized} of its last {candidate.answered} authorized"
    tried = candidate.passed_over == TRIED and candidate.provider != chosen
    return f"{told}, refused this charge" if tried else told


def _draws(table: RoutingTable, providers: tuple[str, ...], payment_id: str) -> tuple[Draw, ...]:
    """Every share above 0, in the order in which they count. The canary is drawn from the payment
    alone, exploration with the seed: the same payment draws the same again."""
    draws = []
    if table.canary_provider in providers and table.canary_percent:
        drawn = _number(payment_id, "canary") % PERCENT
        draws.append(Draw("canary", table.canary_percent, drawn, table.canary_provider))
    if len(providers) > 1 and table.exploration_percent:
        drawn = _number(payment_id, f"{table.seed}:exploration") % PERCENT
        draws.append(Draw("exploration", table.exploration_percent, drawn, None))
    return tuple(draws)


def _explored(table: RoutingTable, providers: tuple[str, ...], payment_id: str) -> str:
    others = providers[1:]
    return others[_number(payment_id, f"{table.seed}:explored") % len(others)]


def _number(payment_id: str, draw: str) -> int:
    return int.from_bytes(sha256(f"{draw}:{payment_id}".encode()).digest()[:8], "big")
