"""What the tour pays: some hundred plain payments in exact shares."""

from dataclasses import dataclass

from payrail.domain.synthetic.draws import Draws
from payrail.domain.synthetic.people import Customer
from payrail.domain.synthetic.wallet import SyntheticCard, declined_card
from payrail.domain.synthetic.world import CURRENCIES, YEAR, SmallWorld, amount_minor, world

#: Shares of a plan in percent; the rest is captured.
DECLINE_PERCENT, AUTHORIZE_ONLY_PERCENT, CANCEL_PERCENT = 11, 10, 8


@dataclass(frozen=True, slots=True)
class PlannedPayment:
    """`action`: capture | authorize_only | cancel | decline. A declined card carries its
    `decline_code`."""

    merchant_id: str
    customer: Customer
    card: SyntheticCard
    amount_minor: int
    currency: str
    action: str
    decline_code: str | None = None


def demo_plan(seed: int, payments: int = 200, *, year: int = YEAR) -> list[PlannedPayment]:
    """What a demonstration pays, in order: who, with which card, how much, and what follows."""
    made_up = world(seed, year=year)
    # Its own draws, so that a longer plan does not change the world, and the other way round.
    draws = Draws(seed ^ 0x706C616E)
    return [_planned(draws, made_up, action, year) for action in _actions(draws, payments)]


def _actions(draws: Draws, payments: int) -> list[str]:
    """Exact shares in a seeded order: a short plan, too, has its declines."""
    declines = _share(payments, DECLINE_PERCENT)
    holds = _share(payments, AUTHORIZE_ONLY_PERCENT)
    cancels = _share(payments, CANCEL_PERCENT)
    captures = payments - declines - holds - cancels
    return draws.shuffled(
        ["capture"] * captures
        + ["authorize_only"] * holds
        + ["cancel"] * cancels
        + ["decline"] * declines
    )


def _share(whole: int, percent: int) -> int:
    return (whole * percent + 50) // 100


def _planned(draws: Draws, made_up: SmallWorld, action: str, year: int) -> PlannedPayment:
    card, decline_code = draws.one_of(made_up.cards), None
    if action == "decline":
        card, decline_code = declined_card(draws, year)
    return PlannedPayment(
        merchant_id=draws.one_of(made_up.merchants).id,
        customer=draws.one_of(made_up.customers),
        card=card,
        amount_minor=amount_minor(draws),
        currency=draws.one_of(CURRENCIES),
        action=action,
        decline_code=decline_code,
    )
