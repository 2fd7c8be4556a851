"""What the dispatcher remembers: for each endpoint its place in the outbox and what is under way.

    outbox ──read──▶ ready ──started──▶ flying ──delivered──▶ forgotten
                       ▲                  │ └─given up──────▶ a dead letter
                       └──due── waiting ◀─failed

An endpoint that has too much under way, or is disabled, stays behind in the outbox instead: its
place is two numbers, and what it missed is read again when there is room. So memory grows with
what is open, up to a bound, and never with what was.
Never: holds an event's content or a secret.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import msgspec
from msgspec import Struct, field, structs

from payrail.domain.endpoints import (
    DELETED,
    DISABLED,
    ENABLED,
    Endpoint,
    EndpointAdded,
    EndpointRecord,
    endpoint_after,
)
from payrail.domain.webhooks import wants
from payrail.domain.words.endpoints import FoundEvent
from payrail.errors import LineDamaged

STATE_PATH = "data/actors/dispatcher/state.json"
PROCESSED_PATH = "data/outbox/processed_events.json"
#: Deliveries of one endpoint that are remembered at once; what is beyond waits in the outbox.
PENDING_MAX = 1_000
#: Places in the outbox that are remembered, for an endpoint whose registration is read late.
MARKS_MAX = 64
#: So many failures in a row, and an endpoint is tried with one delivery at a time.
FAILURES_MANY = 5


class Delivery(Struct):
    """One event on its way to one endpoint."""

    event: FoundEvent
    attempt: int = 1  # the one under way, or the next one
    again: bool = False  # it had been given up, and people replayed it


class Route(Struct):
    """An endpoint with what is under way to it. Everything up to `seq` was looked at."""

    endpoint: Endpoint
    seq: int
    offset: int  # in bytes, behind the event `seq`
    pending: dict[int, Delivery] = field(default_factory=dict)  # by seq
    ready: dict[int, None] = field(default_factory=dict)  # in the order they are sent
    flying: dict[int, None] = field(default_factory=dict)
    reading: bool = False  # what it missed is being read
    failures: int = 0  # in a row
    failing_since_ms: int = 0

    @property
    def is_open(self) -> bool:
        return self.endpoint.state == ENABLED

    @property
    def room(self) -> int:
        return max(0, PENDING_MAX - len(self.pending))

    def wanted(self, events: Sequence[FoundEvent]) -> list[FoundEvent]:
        """Those that this endpoint is to get."""
        mine = self.endpoint
        return [
            event
            for event in events
            if event.merchant_id == mine.merchant_id
            and event.seq > mine.after_seq
            and wants(mine.events, event.type)
        ]

    def share(self, events: Sequence[FoundEvent]) -> list[FoundEvent]:
        """As many of them as there is room for."""
        return self.wanted(events)[: self.room]


class DispatcherState(Struct):
    """The whole of it. Mutable: `apply` changes it in place."""

    routes: dict[str, Route] = field(default_factory=dict)  # by endpoint
    seq: int = 0  # of the last event read
    offset: int = 0  # behind it
    marks: list[tuple[int, int]] = field(default_factory=list)  # (seq, offset) of earlier reads
    closed: int = 0  # deliveries that came to an end

    def keeps_up(self, route: Route) -> bool:
        """Whether a route is at the end of what was read, and takes what comes next."""
        return route.is_open and route.offset == self.offset and not route.reading


class Told(Struct, tag="told", tag_field="type"):
    """A fact about an endpoint."""

    record: EndpointRecord


class Read(Struct, tag="read", tag_field="type"):
    """Events that somebody gets, and how far the outbox was read."""

    events: list[FoundEvent]
    seq: int
    offset: int


class ReadingOn(Struct, tag="reading_on", tag_field="type"):
    """What an endpoint missed is being read."""

    endpoint_id: str


class ReadOn(Struct, tag="read_on", tag_field="type"):
    """What an endpoint missed was read so far, with the events that it gets of it."""

    endpoint_id: str
    events: list[FoundEvent]
    seq: int
    offset: int


class Started(Struct, tag="started", tag_field="type"):
    """Attempts that begin once this is durable."""

    endpoint_id: str
    seqs: list[int]


class Grounded(Struct, tag="grounded", tag_field="type"):
    """What was under way when we died is not sent again now: the endpoint is disabled."""

    endpoint_id: str


class Delivered(Struct, tag="delivered", tag_field="type"):
    endpoint_id: str
    seq: int


class Failed(Struct, tag="failed", tag_field="type"):
    """An attempt failed; `again` says whether there will be another."""

    endpoint_id: str
    seq: int
    at_ms: int
    again: bool


class CameDue(Struct, tag="came_due", tag_field="type"):
    endpoint_id: str
    seq: int


class Stopped(Struct, tag="stopped", tag_field="type"):
    """We ask the gateway to disable an endpoint, and send nothing more meanwhile."""

    endpoint_id: str
    reason: str


class Replayed(Struct, tag="replayed", tag_field="type"):
    """People want a delivery that was given up."""

    endpoint_id: str
    event: FoundEvent


Event = (
    Told
    | Read
    | ReadingOn
    | ReadOn
    | Started
    | Grounded
    | Delivered
    | Failed
    | CameDue
    | Stopped
    | Replayed
)
_decode_event = msgspec.json.Decoder(Event).decode


class _Whole(Struct):
    state: DispatcherState


_decode_whole = msgspec.json.Decoder(_Whole).decode


def read_event(line: bytes) -> Event:
    """An event of the dispatcher. Raises LineDamaged."""
    try:
        event: Event = _decode_event(line)
        return event
    except msgspec.MsgspecError as error:
        raise LineDamaged(f"not an event of the dispatcher: {error}") from error


def documents(state: DispatcherState) -> dict[str, Any]:
    return {STATE_PATH: {"state": msgspec.to_builtins(state, str_keys=True)}}


def load(files: dict[str, bytes]) -> DispatcherState:
    """The state that `documents` wrote. Raises LineDamaged."""
    try:
        return _decode_whole(files[STATE_PATH]).state
    except (KeyError, msgspec.MsgspecError) as error:
        raise LineDamaged(f"not a snapshot of the dispatcher: {error}") from error


def apply(state: DispatcherState, event: Any) -> None:
    """Fold one event; a line of the book of deliveries is the same fact once more."""
    match event:
        case Told(record):
            _fold_record(state, record)
        case Read():
            _fold_read(state, event)
        case Started() | Delivered() | Failed() | CameDue():
            _fold_delivery(state, event)
        case ReadingOn() | ReadOn() | Grounded() | Stopped() | Replayed():
            route = state.routes.get(event.endpoint_id)
            if route is not None:
                _fold_route(route, event)
        case _:
            pass


def _fold_record(state: DispatcherState, record: EndpointRecord) -> None:
    route = state.routes.get(record.endpoint_id)
    if isinstance(record, EndpointAdded):
        seq, offset = _place(state, record.after_seq)
        state.routes[record.endpoint_id] = Route(endpoint_after(None, record), seq, offset)
    elif route is not None:
        route.endpoint = endpoint_after(route.endpoint, record)
        if route.endpoint.state == DELETED:
            del state.routes[record.endpoint_id]


def _place(state: DispatcherState, after_seq: int) -> tuple[int, int]:
    """A place in the outbox before which a new endpoint gets nothing: as late as is sure."""
    if after_seq >= state.seq:
        return state.seq, state.offset
    return max((mark for mark in state.marks if mark[0] <= after_seq), default=(0, 0))


def _fold_read(state: DispatcherState, read: Read) -> None:
    for route in state.routes.values():
        if state.keeps_up(route):
            _take(route, read.events, read.seq, read.offset)
    state.marks = [*state.marks[1 - MARKS_MAX :], (state.seq, state.offset)]
    state.seq, state.offset = read.seq, read.offset


def _take(route: Route, events: Sequence[FoundEvent], seq: int, offset: int) -> None:
    """Take what there is room for, and stay behind at the first one that there is none for."""
    mine = route.wanted(events)
    taken = mine[: route.room]
    for event in taken:
        route.pending[event.seq] = Delivery(event)
        route.ready[event.seq] = None
    if len(taken) < len(mine):
        first = mine[len(taken)]
        route.seq, route.offset = first.seq - 1, first.at
    else:
        route.seq, route.offset = seq, offset


def _fold_route(route: Route, event: Any) -> None:
    match event:
        case ReadingOn():
            route.reading = True
        case ReadOn():
            route.reading = False
            _take(route, event.events, event.seq, event.offset)
        case Grounded():
            route.ready = {**route.flying, **route.ready}
            route.flying = {}
        case Stopped():
            route.endpoint = structs.replace(route.endpoint, state=DISABLED, reason=event.reason)
        case Replayed():
            route.pending[event.event.seq] = Delivery(event.event, again=True)
            route.ready[event.event.seq] = None


def _fold_delivery(state: DispatcherState, event: Any) -> None:
    route = state.routes.get(event.endpoint_id)
    if route is None:
        return
    match event:
        case Started():
            for seq in event.seqs:
                route.ready.pop(seq, None)
                route.flying[seq] = None
        case CameDue(_, seq):
            route.ready[seq] = None
        case Delivered(_, seq):
            route.failures = route.failing_since_ms = 0
            _close(state, route, seq)
        case Failed(_, seq, at_ms, again):
            route.failures += 1
            route.failing_since_ms = route.failing_since_ms or at_ms
            if again:
                route.flying.pop(seq, None)
                route.pending[seq].attempt += 1
            else:
                _close(state, route, seq)


def _close(state: DispatcherState, route: Route, seq: int) -> None:
    route.flying.pop(seq, None)
    route.pending.pop(seq, None)
    state.closed += 1


def processed(state: DispatcherState, *, without: tuple[str, int] | None = None) -> dict[str, Any]:
    """How far each endpoint is, for people: every event up to `through_seq` came to an end, and so
    did those in the ranges `above`. `without`: a delivery that comes to its end in this step."""
    return {
        endpoint_id: _progress(route, without[1] if without and without[0] == endpoint_id else -1)
        for endpoint_id, route in state.routes.items()
    }


def _progress(route: Route, ended: int) -> dict[str, Any]:
    open_seqs = sorted(seq for seq, one in route.pending.items() if seq != ended and not one.again)
    if not open_seqs:
        return {"through_seq": route.seq, "above": []}
    edges = [*open_seqs, route.seq + 1]
    above = [[low + 1, high - 1] for low, high in pairwise(edges)]
    return {
        "through_seq": open_seqs[0] - 1,
        "above": [span for span in above if span[0] <= span[1]],
    }
