"""What calls say about their providers: noted, and booked and shown when a breaker moves.

Owns: data/providers/providerA_state.json and its sibling, views that are written and never read.
A call is judged once, by the first that is heard of it: an outcome, or that its time was over.
"""

from typing import Any

from msgspec import Struct

from actors.gateway.booking import Booking
from actors.gateway.facts import CallJudged
from actors.gateway.provider_folds import fold_breaker
from actors.gateway.state import GatewayState
from payrail.domain.breaker import (
    CLOSED,
    HALF_OPENED,
    HEALTH,
    OPENED,
    Breaker,
    BreakerState,
    copied,
    note,
    shown,
    verdict,
)
from payrail.domain.ledger import BreakerClosed, BreakerHalfOpened, BreakerOpened
from payrail.domain.messages import BreakerPause
from payrail.domain.timestamps import iso
from payrail.domain.trials import Canary
from payrail.domain.trials import shown as shown_canary
from payrail.runtime.actor import Message, Moment, SetTimer, Show, Step

#: What the first word about a call makes of it; `declined` is the issuer's and counts for nothing.
_FAILED = {"approved": False, "refused": True, "ambiguous": True, "timeout": True}


def judged(
    state: GatewayState, booking: Booking, provider: str, result: str, moment: Moment
) -> Step:
    """Note one call that ended. Result: events and timers; entries are booked in `booking`."""
    failed = _FAILED.get(result)
    if failed is None:
        return Step()
    step = Step(events=[CallJudged(provider, moment.business_ms, failed)])
    known = state.breaker(provider)
    if known.state is BreakerState.CLOSED and not failed:
        return step  # the usual case: a good call moves nothing
    breaker = copied(known)
    note(breaker, moment.business_ms, failed=failed)
    moved = verdict(breaker, moment.business_ms)
    if moved == OPENED:
        _open(step, state, booking, provider, breaker, moment)
    elif moved == CLOSED:
        data = BreakerClosed(iso(moment.business_ms), breaker.good)
        _move(step, state, booking, provider, breaker, moved, data, moment)
    return step


def pause_over(state: GatewayState, message: Message, moment: Moment) -> Step:
    """The pause of an open breaker has ended."""
    timer: BreakerPause = message.body
    breaker = copied(state.breaker(timer.provider))
    if breaker.state is not BreakerState.OPEN or breaker.moves != timer.move:
        return Step()
    booking = Booking(None, message, moment)
    step = Step(posts=booking.posts)
    data = BreakerHalfOpened(iso(moment.business_ms))
    _move(step, state, booking, timer.provider, breaker, HALF_OPENED, data, moment)
    return step


def views(state: GatewayState, providers: tuple[str, ...], moment: Moment) -> list[Show]:
    """How every provider stands."""
    return [show(name, state.breaker(name), state.canary, moment) for name in providers]


def show(provider: str, breaker: Breaker, canary: Canary | None, moment: Moment) -> Show:
    """The view of one provider."""
    content: dict[str, Any] = {
        "provider": provider,
        "health": HEALTH[breaker.state],
        "breaker": shown(breaker, moment.business_ms),
        "canary": shown_canary(canary, provider),
    }
    return Show(state_path(provider), content)


def state_path(provider: str) -> str:
    return f"data/providers/{provider}_state.json"


def _open(
    step: Step,
    state: GatewayState,
    booking: Booking,
    provider: str,
    breaker: Breaker,
    moment: Moment,
) -> None:
    now_ms = moment.business_ms
    due_ms = now_ms + breaker.pause_ms
    data = BreakerOpened(breaker.in_a_row, *breaker.counts(now_ms), iso(now_ms), iso(due_ms))
    _move(step, state, booking, provider, breaker, OPENED, data, moment)
    body = BreakerPause(provider, breaker.moves)
    step.timers.append(
        SetTimer(f"breaker:{provider}", "breaker.pause", body, due_ms, business=True)
    )


def _move(
    step: Step,
    state: GatewayState,
    booking: Booking,
    provider: str,
    breaker: Breaker,
    entry_type: str,
    data: Struct,
    moment: Moment,
) -> None:
    """Book a move, and show the provider as it stands after it."""
    entry = booking.book_provider(entry_type, data, provider, breaker.entries + 1)
    fold_breaker(breaker, entry)
    step.shows.append(show(provider, breaker, state.canary, moment))
