"""Facts about disputes that came too early: their charge is not known, or not captured yet.

They wait as notices do: looked at again when the payment is captured, and dropped after a while,
but never while a call about their charge is in doubt.
"""

from actors.gateway.dispute_state import FactParked, FactUnparked
from actors.gateway.notices import PARKED_MAX, PARKED_MS
from actors.gateway.state import GatewayState
from payrail.domain.ledger import LedgerEntry
from payrail.domain.words.disputes import DisputeFact, ParkedFactDue
from payrail.runtime.actor import CancelTimer, Moment, SetTimer, Step


def parked(state: GatewayState, told: DisputeFact, moment: Moment) -> Step:
    """Keep the fact for a while. The same fact again changes nothing."""
    waiting = state.disputes.parked
    key = _key(told)
    if key in waiting:
        return Step()
    step = Step(events=[FactParked(key, told)])
    step.timers = [_timer(key, moment.business_ms + PARKED_MS, business=True)]
    if len(waiting) >= PARKED_MAX:
        oldest = next(iter(waiting))
        step.events.insert(0, FactUnparked(oldest, "crowded_out"))
        step.timers.append(CancelTimer(_timer_id(oldest)))
    return step


def woken(state: GatewayState, step: Step, moment: Moment) -> Step:
    """`step`, after which a parked fact may be due: its payment has been captured."""
    if not state.disputes.parked:
        return step
    entries = (post.record for post in step.posts if isinstance(post.record, LedgerEntry))
    captured = {entry.ref for entry in entries if entry.type == "payment.captured"}
    step.timers += [
        _timer(key, moment.wire_ms)
        for key, told in state.disputes.parked.items()
        if told.payment_id in captured
    ]
    return step


def unparked(key: str) -> FactUnparked:
    """Its charge is there: it is booked."""
    return FactUnparked(key, "applied")


def kept(key: str, moment: Moment) -> Step:
    """Its charge may be captured, and nobody has said so yet: for as long once more."""
    return Step(timers=[_timer(key, moment.business_ms + PARKED_MS, business=True)])


def dropped(key: str) -> Step:
    """Nobody knows of such a charge."""
    return Step(events=[FactUnparked(key, "expired")])


def _timer(key: str, due_ms: int, *, business: bool = False) -> SetTimer:
    return SetTimer(_timer_id(key), "dispute.parked", ParkedFactDue(key), due_ms, business=business)


def _timer_id(key: str) -> str:
    return f"dispute_fact:{key}"


def _key(told: DisputeFact) -> str:
    """Each fact of each stage waits once, in the order in which they came."""
    return f"{told.provider} {told.provider_reference} {told.stage} {told.fact}"
