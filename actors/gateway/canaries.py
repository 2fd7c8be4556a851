"""What issuers answer at each provider, and a canary that does worse than the others: it ends.

Its end is an entry of the provider and stays until people ask for another canary. Never: reads a
rule, or chooses a provider.
"""

from collections.abc import Sequence
from dataclasses import replace

from actors.gateway import breakers
from actors.gateway.booking import Booking
from actors.gateway.facts import CanarySet, ChargeAnswered
from actors.gateway.settings import Rules
from actors.gateway.state import GatewayState
from payrail.domain.breaker import copied as copied_breaker
from payrail.domain.ledger import CanaryRolledBack
from payrail.domain.messages import Outcome
from payrail.domain.routing import RoutingTable
from payrail.domain.timestamps import iso
from payrail.domain.trials import ROLLED_BACK, Canary, copied
from payrail.runtime.actor import Moment, Show, Step

_ANSWERS = {"approved": True, "declined": False}


def answered(
    state: GatewayState, booking: Booking, step: Step, told: Outcome, moment: Moment
) -> Step:
    """`step`, and what an issuer's word about a charge adds to it."""
    authorized = _ANSWERS.get(told.result)
    if authorized is None or told.operation != "authorize":
        return step
    step.events.append(ChargeAnswered(told.provider, authorized))
    if state.canary is None or state.canary.rolled_back_ms is not None:
        return step
    canary = copied(state.canary)
    canary.note(told.provider, authorized=authorized)
    if canary.must_end:
        _end(step, state, booking, canary, moment)
    return step


def is_over(state: GatewayState) -> bool:
    """Whether the canary that people asked for has ended by itself."""
    return state.canary is not None and state.canary.rolled_back_ms is not None


def without(rules: Rules) -> Rules:
    """The rules, with no canary."""
    return replace(rules, routing=replace(rules.routing, canary_percent=0))


def set_by(table: RoutingTable, known: Canary | None) -> Sequence[CanarySet]:
    """What people ask for now, if it is not what they asked for before."""
    asked = None
    if table.canary_provider is not None and table.canary_percent:
        asked = Canary(
            table.canary_provider,
            table.canary_percent,
            table.canary_answers_min,
            table.canary_points_max,
        )
    same = asked is None and known is None
    if same or (asked is not None and asked.is_set_as(known)):
        return []
    return [CanarySet(asked)]


def _end(step: Step, state: GatewayState, booking: Booking, canary: Canary, moment: Moment) -> None:
    data = CanaryRolledBack(
        at=iso(moment.business_ms),
        percent=canary.percent,
        answered=canary.own.answered,
        authorized=canary.own.authorized,
        others_answered=canary.others.answered,
        others_authorized=canary.others.authorized,
        points_max=canary.points_max,
    )
    breaker = copied_breaker(state.breaker(canary.provider))
    booking.book_provider(ROLLED_BACK, data, canary.provider, breaker.entries + 1)
    canary.rolled_back_ms = moment.business_ms
    _show(step, breakers.show(canary.provider, breaker, canary, moment))


def _show(step: Step, view: Show) -> None:
    """Beside a move of the breaker in the same step, only what is new of the canary."""
    moved = next((show for show in step.shows if show.path == view.path), None)
    if moved is None:
        step.shows.append(view)
    else:
        moved.data["canary"] = view.data["canary"]
