"""From lines of two books to what is to be delivered: facts about endpoints, and events.

An event of no merchant (a provider's) goes to no endpoint. Events are journaled as places in the
outbox: the content stays there, and is read again when it is sent.
"""

from collections.abc import Sequence

from actors.dispatcher.attempts import deliver, launches, look_at
from actors.dispatcher.outbox import heads
from actors.dispatcher.settings import Policy
from actors.dispatcher.state import (
    PROCESSED_PATH,
    DispatcherState,
    Read,
    ReadOn,
    Route,
    Started,
    Told,
    processed,
)
from payrail.domain.access import read_record
from payrail.domain.endpoints import EndpointRecord
from payrail.domain.words.endpoints import EventsFound, FoundEvent
from payrail.errors import LineDamaged
from payrail.runtime.actor import Moment, Show, Step


def facts(lines: Sequence[bytes], moment: Moment) -> Step:
    """New lines of the book of access. Each endpoint that is told of is looked at next."""
    step, about = Step(), dict[str, None]()
    for line in lines:
        try:
            record = read_record(line)
        except LineDamaged:
            continue  # Of a kind that we do not know, so it is about no endpoint.
        if isinstance(record, EndpointRecord):
            step.events.append(Told(record))
            about[record.endpoint_id] = None
    step.timers = [look_at(endpoint_id, moment) for endpoint_id in about]
    return step


def events(state: DispatcherState, lines: Sequence[bytes], moment: Moment, policy: Policy) -> Step:
    """New lines of the outbox: each endpoint that keeps up takes its share, and begins with it."""
    found, seq, offset = heads(lines, state.offset)
    keeping_up = [route for route in state.routes.values() if state.keeps_up(route)]
    wanted: dict[int, FoundEvent] = {}
    step = Step()
    for route in keeping_up:
        mine = {event.seq: event for event in route.share(found)}
        wanted.update((event.seq, event) for event in route.wanted(found))
        seqs = launches(route, policy, more=list(mine))
        if seqs:
            step.events.append(Started(route.endpoint.id, seqs))
            known = {**{s: one.event for s, one in route.pending.items() if s in seqs}, **mine}
            step.errands.extend(deliver(route, known[s], _attempt(route, s), moment) for s in seqs)
    step.events.insert(0, Read([wanted[s] for s in sorted(wanted)], seq, offset))
    if state.routes and not wanted and not any(r.pending for r in state.routes.values()):
        step.shows = [Show(PROCESSED_PATH, _shown(state, seq))]
    return step


def found(state: DispatcherState, piece: EventsFound, moment: Moment) -> Step:
    """A piece of what an endpoint missed was read; it is looked at next."""
    route = state.routes.get(piece.endpoint_id)
    if route is None or not route.reading:
        return Step()
    event = ReadOn(piece.endpoint_id, piece.events, piece.through_seq, piece.offset)
    return Step(events=[event], timers=[look_at(piece.endpoint_id, moment)])


def _attempt(route: Route, seq: int) -> int:
    known = route.pending.get(seq)
    return known.attempt if known else 1


def _shown(state: DispatcherState, seq: int) -> dict[str, object]:
    """As `processed`, with everyone who keeps up at `seq`."""
    shown = processed(state)
    for endpoint_id, route in state.routes.items():
        if state.keeps_up(route):
            shown[endpoint_id]["through_seq"] = seq
    return shown
