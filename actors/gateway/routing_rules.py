"""`data/rules/routing.toml`: which provider a charge is offered to first, as people wrote it.

Never: opens the file (`actors.gateway.rule_files`), or repeats what stands there.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    model_validator,
)

from actors.gateway.settings import REMEDY
from payrail.domain.cards import find_pans
from payrail.domain.money import AMOUNT_MINOR_MAX, known_currency
from payrail.domain.providers import public_name
from payrail.domain.routing import BY_DEFAULT, DEFAULT_RULE, RoutingRule, RoutingTable
from payrail.domain.trials import PERCENT
from payrail.rulefile import checked

PATH = "data/rules/routing.toml"
RULES_MAX = 500
_LISTED_MAX = 250
_ANSWERS_MAX = 100_000

DEFAULT = b"""\
# Which provider a charge is offered to first. The gateway made this file and never writes it again:
# it is yours. A change is taken within two seconds, for charges that are sent from then on.
#
# The first rule that fits a charge gives the order; without one it is this. A provider that is not
# in the order is not considered; one whose breaker holds charges back is passed over.
order = ["providerA", "providerB"]

# [[rules]]
# name = "euro-cards"            # shown by `payrail why` and GET /payment-intents/{id}/routing
# country = ["DE", "FR"]         # of the card's issuer, else of the customer
# currency = ["EUR"]
# merchant = ["m_001"]
# bin = ["424242", "51-55"]      # first digits, at most six; or from and to, both included
# amount_min = 1000              # minor units
# amount_max = 50000
# order = ["providerB", "providerA"]
#
# [[rules]]
# name = "large-amounts"
# amount_min = 100000
# cheapest_first = true          # cost moves nothing unless a rule says so
#
# [[rules]]
# name = "best-for-euros"
# currency = ["EUR"]
# best_first = true              # by what issuers answered to the last 125 charges of each; the
#                                # order stays while one of them has fewer than 20

# So many percent of payments, drawn from their ids, go to this provider first.
# A canary ends by itself when it was answered so often, as the others were too, and authorized by
# more than so many percentage points less than theirs: GET /providers says so, and it stays ended
# until you ask for another provider, percent or bound here.
[canary]
provider = "providerB"
percent = 0
answers_min = 50
points_max = 5

# So many percent of payments go first to another provider than the first of their order, drawn
# from their ids and PAYRAIL_SEED: it keeps what is known of each provider fresh.
[exploration]
percent = 0
"""


def read_routing(data: bytes, providers: Sequence[str]) -> RoutingTable:
    """The rules in the text of a file. `providers`: those that there are. Raises BadRules."""
    return checked(_File, PATH, data, remedy=REMEDY, context=tuple(providers)).table()


class _Part(BaseModel):
    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, hide_input_in_errors=True, allow_inf_nan=False
    )


def _known(given: str, info: ValidationInfo) -> str:
    """The public name of a provider that there is."""
    known: tuple[str, ...] = info.context or ()
    try:
        name = public_name(given)
    except KeyError:
        name = ""
    if name not in known:
        raise ValueError(f"must name a provider; there are {', '.join(known)}")
    return name


def _once_each(names: list[str]) -> list[str]:
    if len(set(names)) != len(names):
        raise ValueError("names something twice")
    return names


def _no_card(name: str) -> str:
    if find_pans(name):
        raise ValueError("looks like a card number; it would stand in every ledger line")
    return name


def _range(given: str) -> str:
    first, dash, last = given.partition("-")
    if dash and (len(first) != len(last) or first > last):
        raise ValueError("a range goes from a lower to a higher number of as many digits")
    return given


def _from_to(given: str) -> tuple[str, str]:
    first, _dash, last = given.partition("-")
    return first, last


_Provider = Annotated[str, AfterValidator(_known)]
_Order = Annotated[list[_Provider], Field(min_length=1), AfterValidator(_once_each)]
_Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$"), AfterValidator(_no_card)]
_Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
_Currency = Annotated[str, AfterValidator(known_currency)]
_Merchant = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
_Bin = Annotated[str, Field(pattern=r"^[0-9]{1,6}(-[0-9]{1,6})?$"), AfterValidator(_range)]
_Amount = Annotated[int, Field(ge=1, le=AMOUNT_MINOR_MAX)]
_Percent = Annotated[int, Field(ge=0, le=PERCENT)]
_Max = Field(max_length=_LISTED_MAX)


class _Rule(_Part):
    name: _Name
    country: Annotated[list[_Country], _Max] = []
    currency: Annotated[list[_Currency], _Max] = []
    merchant: Annotated[list[_Merchant], _Max] = []
    bin: Annotated[list[_Bin], _Max] = []
    amount_min: _Amount | None = None
    amount_max: _Amount | None = None
    order: _Order | None = None
    cheapest_first: bool = False
    best_first: bool = False

    @model_validator(mode="after")
    def _makes_sense(self) -> "_Rule":
        if self.name == DEFAULT_RULE:
            raise ValueError("the name `default` is that of the order without a rule")
        if self.order is None and not (self.cheapest_first or self.best_first):
            raise ValueError("a rule needs an order, or cheapest_first or best_first = true")
        if self.cheapest_first and self.best_first:
            raise ValueError("cheapest_first and best_first do not go together")
        if self.amount_min and self.amount_max and self.amount_min > self.amount_max:
            raise ValueError("amount_min is more than amount_max: it would never fit")
        return self

    def rule(self, order: Sequence[str]) -> RoutingRule:
        return RoutingRule(
            name=self.name,
            order=tuple(self.order or order),
            country=frozenset(self.country),
            currency=frozenset(self.currency),
            merchant=frozenset(self.merchant),
            bin=tuple(one for one in self.bin if "-" not in one),
            bin_ranges=tuple(_from_to(one) for one in self.bin if "-" in one),
            amount_minor_min=self.amount_min,
            amount_minor_max=self.amount_max,
            cheapest_first=self.cheapest_first,
            best_first=self.best_first,
        )


class _Canary(_Part):
    provider: _Provider
    percent: _Percent = 0
    answers_min: Annotated[int, Field(ge=1, le=_ANSWERS_MAX)] = BY_DEFAULT.canary_answers_min
    points_max: _Percent = BY_DEFAULT.canary_points_max

    def put(self, table: RoutingTable) -> RoutingTable:
        """`table` with this canary."""
        return replace(
            table,
            canary_provider=self.provider,
            canary_percent=self.percent,
            canary_answers_min=self.answers_min,
            canary_points_max=self.points_max,
        )


class _Exploration(_Part):
    percent: _Percent = 0


class _File(_Part):
    order: _Order
    rules: Annotated[list[_Rule], Field(max_length=RULES_MAX)] = []
    canary: _Canary | None = None
    exploration: _Exploration = _Exploration()

    @model_validator(mode="after")
    def _named_once(self) -> "_File":
        _once_each([rule.name for rule in self.rules])
        return self

    def table(self) -> RoutingTable:
        made = RoutingTable(
            order=tuple(self.order),
            rules=tuple(rule.rule(self.order) for rule in self.rules),
            exploration_percent=self.exploration.percent,
        )
        return self.canary.put(made) if self.canary else made
