"""Attempts: which begin, what comes of them, when the next one is, and when it is given up.

Only 2xx is a delivery. 410 disables the endpoint at once, and so do five days in which nothing
arrived; what is open then stays, and goes on when the endpoint is enabled again.
"""

from collections.abc import Sequence

from actors.dispatcher.deliveries import DELIVERIES, Attempted
from actors.dispatcher.errands import Deliver, ReadMore
from actors.dispatcher.settings import FAILING_MS_MAX, Policy
from actors.dispatcher.state import (
    FAILURES_MANY,
    PROCESSED_PATH,
    CameDue,
    Delivered,
    Delivery,
    DispatcherState,
    Failed,
    Grounded,
    ReadingOn,
    Replayed,
    Route,
    Started,
    Stopped,
    processed,
)
from payrail.domain.endpoints import FAILING
from payrail.domain.endpoints import GONE as ENDPOINT_GONE
from payrail.domain.timestamps import iso, parse_iso
from payrail.domain.webhooks import GONE, THROTTLED, is_received
from payrail.domain.words.endpoints import (
    DeliveryDone,
    DeliveryDue,
    DisableEndpoint,
    EndpointLook,
    FoundEvent,
    Redeliver,
)
from payrail.domain.words.kinds import GATEWAY
from payrail.errors import RequestError
from payrail.runtime.actor import Errand, Moment, Post, Send, SetTimer, Show, Step
from payrail.runtime.deadletters import set_aside

#: How far each endpoint is, is shown after so many ends of deliveries, and whenever none is open.
SHOW_EVERY = 64
#: Events read at once for an endpoint that is behind.
READ_MAX = 64


def launches(
    route: Route, policy: Policy, *, more: Sequence[int] = (), ended: int | None = None
) -> list[int]:
    """The deliveries that begin now, oldest first: what is ready, and `more` that becomes ready in
    this step. `ended` is one that just came to its end."""
    if not route.is_open:
        return []
    at_once = 1 if route.failures >= FAILURES_MANY else policy.flying_max
    flying = len(route.flying) - (ended in route.flying)
    free = max(0, at_once - flying)
    if not free:
        return []
    waiting = [seq for _, seq in zip(range(free), route.ready, strict=False)]
    return [*waiting, *more][:free]


def deliver(route: Route, event: FoundEvent, attempt: int, moment: Moment) -> Errand:
    """The errand of one attempt, the same whenever it is begun."""
    endpoint = route.endpoint
    body = Deliver(
        endpoint_id=endpoint.id,
        url=endpoint.url,
        versions=_versions(route, moment),
        attempt=attempt,
        seq=event.seq,
        event_id=event.id,
        at=event.at,
        size=event.size,
        correlation_id=event.correlation_id,
    )
    name = f"{endpoint.id}:{event.seq}:{attempt}"
    return Errand(name, "deliver", body, event.correlation_id)


def _versions(route: Route, moment: Moment) -> list[int]:
    """The secrets that sign: the newest, and for a day the one before."""
    newest, until = route.endpoint.version, route.endpoint.old_until
    is_old_live = until is not None and moment.business_ms < parse_iso(until)
    return [newest, newest - 1] if is_old_live else [newest]


def begun_again(state: DispatcherState, moment: Moment) -> Step:
    """All that had an intent and no outcome."""
    step = Step()
    for endpoint_id, route in state.routes.items():
        if route.reading:
            step.errands.append(_read_more(state, route))
        if route.flying and not route.is_open:
            step.events.append(Grounded(endpoint_id))
            continue
        for seq in route.flying:
            known = route.pending[seq]
            step.errands.append(deliver(route, known.event, known.attempt, moment))
    return step


def look(state: DispatcherState, endpoint_id: str, moment: Moment, policy: Policy) -> Step:
    """Something changed about an endpoint: begin what can begin, read what it missed."""
    route = state.routes.get(endpoint_id)
    step = Step()
    if route is None:
        return step
    _launch(step, route, moment, policy)
    _catch_up(step, state, route)
    return step


def look_at(endpoint_id: str, moment: Moment) -> SetTimer:
    """See at once, in a step of its own, what there is to do for an endpoint."""
    body = EndpointLook(endpoint_id)
    return SetTimer(f"look:{endpoint_id}", "delivery.look", body, moment.wire_ms)


def came_due(state: DispatcherState, due: DeliveryDue, moment: Moment, policy: Policy) -> Step:
    """A pause is over: the delivery is ready, and begins if there is a place."""
    route = state.routes.get(due.endpoint_id)
    known = route.pending.get(due.seq) if route else None
    if route is None or known is None or due.seq in route.flying or due.seq in route.ready:
        return Step()
    step = Step(events=[CameDue(due.endpoint_id, due.seq)])
    _launch(step, route, moment, policy, more=[due.seq])
    return step


def redeliver(state: DispatcherState, order: Redeliver, moment: Moment) -> Step:
    """People replay a delivery that was given up; one that is open again already stays as it is.
    Refuses when the endpoint is deleted."""
    route = state.routes.get(order.endpoint_id)
    if route is None:
        raise RequestError(404, "not-found", "The endpoint is deleted; drop this dead letter.")
    if order.event.seq in route.pending:
        return Step()
    event = Replayed(order.endpoint_id, order.event)
    return Step(events=[event], timers=[look_at(order.endpoint_id, moment)])


def done(state: DispatcherState, told: DeliveryDone, moment: Moment, policy: Policy) -> Step:
    """What came of an attempt. One about a delivery that ended or went on is heard already."""
    route = state.routes.get(told.endpoint_id)
    known = route.pending.get(told.seq) if route else None
    if route is None or known is None or told.seq not in route.flying:
        return Step()
    if told.attempt != known.attempt:
        return Step()
    if is_received(told.status):
        return _arrived(state, route, known, told, moment, policy)
    return _failed(state, route, known, told, moment, policy)


def _arrived(
    state: DispatcherState,
    route: Route,
    known: Delivery,
    told: DeliveryDone,
    moment: Moment,
    policy: Policy,
) -> Step:
    step = Step(
        events=[Delivered(told.endpoint_id, told.seq)],
        posts=[_line(known, told, moment, None)],
    )
    _launch(step, route, moment, policy, ended=told.seq)
    _catch_up(step, state, route)
    _show(step, state, route, told.seq)
    return step


def _failed(
    state: DispatcherState,
    route: Route,
    known: Delivery,
    told: DeliveryDone,
    moment: Moment,
    policy: Policy,
) -> Step:
    due_ms = _due_ms(known, told, moment, policy)
    step = Step(
        events=[Failed(told.endpoint_id, told.seq, moment.wire_ms, due_ms is not None)],
        posts=[_line(known, told, moment, due_ms)],
    )
    if due_ms is None:
        step.posts.append(_given_up(known, told, moment))
        step.errors = 1
        _show(step, state, route, told.seq)
    else:
        step.timers = [_timer(told, due_ms)]
    reason = _reason_to_stop(route, told, moment)
    if reason is not None and route.is_open:
        step.events.append(Stopped(told.endpoint_id, reason))
        step.out = [Send(GATEWAY, "endpoint.disable", DisableEndpoint(told.endpoint_id, reason))]
        return step
    _launch(step, route, moment, policy, ended=told.seq)
    _catch_up(step, state, route)
    return step


def _due_ms(known: Delivery, told: DeliveryDone, moment: Moment, policy: Policy) -> int | None:
    """When the next attempt is; None when this was the last one."""
    seed = f"{known.event.id}:{told.endpoint_id}"
    wait_ms = policy.schedule.wait_ms(told.attempt, seed)
    if wait_ms is None:
        return None
    if told.status in THROTTLED and told.retry_after_s is not None:
        wait_ms = max(wait_ms, told.retry_after_s * 1_000)
    return moment.wire_ms + wait_ms


def _reason_to_stop(route: Route, told: DeliveryDone, moment: Moment) -> str | None:
    if told.status == GONE:
        return ENDPOINT_GONE
    since_ms = route.failing_since_ms
    return FAILING if since_ms and moment.wire_ms - since_ms >= FAILING_MS_MAX else None


def _launch(
    step: Step,
    route: Route,
    moment: Moment,
    policy: Policy,
    *,
    more: Sequence[int] = (),
    ended: int | None = None,
) -> None:
    seqs = launches(route, policy, more=more, ended=ended)
    if not seqs:
        return
    step.events.append(Started(route.endpoint.id, seqs))
    for seq in seqs:
        known = route.pending[seq]
        step.errands.append(deliver(route, known.event, known.attempt, moment))
        step.retries += known.attempt > 1


def _catch_up(step: Step, state: DispatcherState, route: Route) -> None:
    """Read what an endpoint missed, once there is room for a whole piece of it."""
    is_behind = route.is_open and route.offset < state.offset
    if is_behind and not route.reading and route.room >= READ_MAX:
        step.events.append(ReadingOn(route.endpoint.id))
        step.errands.append(_read_more(state, route))


def _read_more(state: DispatcherState, route: Route) -> Errand:
    endpoint = route.endpoint
    body = ReadMore(
        endpoint_id=endpoint.id,
        merchant_id=endpoint.merchant_id,
        filters=endpoint.events,
        after_seq=endpoint.after_seq,
        seq=route.seq,
        offset=route.offset,
        until=state.offset,
        events_max=READ_MAX,
    )
    return Errand(f"read:{endpoint.id}:{route.offset}", "read", body, f"cor_{endpoint.id}")


def _line(known: Delivery, told: DeliveryDone, moment: Moment, due_ms: int | None) -> Post:
    record = Attempted(
        event_id=known.event.id,
        endpoint_id=told.endpoint_id,
        attempt=told.attempt,
        status=told.status,
        error=told.error,
        latency_ms=told.latency_ms,
        at=iso(moment.wire_ms),
        next_at=None if due_ms is None else iso(due_ms),
        correlation_id=known.event.correlation_id,
    )
    return Post(DELIVERIES, record)


def _given_up(known: Delivery, told: DeliveryDone, moment: Moment) -> Post:
    last = f"status {told.status}" if told.status is not None else told.error or ""
    return set_aside(
        moment,
        why="exhausted",
        error={
            "type": "Exhausted",
            "message": f"{told.attempt} attempts, the last one: {last}",
            "where": told.endpoint_id,
        },
        kind="delivery.redo",
        body=Redeliver(told.endpoint_id, known.event),
        correlation_id=known.event.correlation_id,
    )


def _timer(told: DeliveryDone, due_ms: int) -> SetTimer:
    body = DeliveryDue(told.endpoint_id, told.seq)
    return SetTimer(f"due:{told.endpoint_id}:{told.seq}", "delivery.due", body, due_ms)


def _show(step: Step, state: DispatcherState, route: Route, ended: int) -> None:
    """Show how far everyone is, now and then: a view costs a file."""
    is_idle = len(route.pending) == 1  # the one that ends
    if is_idle or state.closed % SHOW_EVERY == 0:
        data = processed(state, without=(route.endpoint.id, ended))
        step.shows = [Show(PROCESSED_PATH, data)]
