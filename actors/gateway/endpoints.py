"""Webhook endpoints: merchants add, change and delete them; each fact is a line of the access book.

Another merchant's endpoint is as unknown as one that never was. Whether a URL may be called was
judged at the door, which can resolve names, and is judged again by the dispatcher at each call.
"""

from typing import Any

from actors.gateway import idempotency as keys
from actors.gateway.booking import ACCESS
from actors.gateway.settings import Rules
from actors.gateway.state import GatewayState
from payrail.domain.endpoints import (
    BY_HAND,
    DELETED,
    DISABLED,
    ENABLED,
    OLD_SECRET_MS,
    Endpoint,
    EndpointAdded,
    EndpointDeleted,
    EndpointDisabled,
    EndpointEnabled,
    EndpointRecord,
    EndpointSecretRotated,
    EndpointUpdated,
    endpoint_after,
    render_endpoint,
)
from payrail.domain.timestamps import iso
from payrail.domain.webhooks import ENDPOINTS_MAX
from payrail.domain.words.endpoints import (
    AddEndpoint,
    DeleteEndpoint,
    DisableEndpoint,
    RotateEndpointSecret,
    SwitchEndpoint,
    UpdateEndpoint,
)
from payrail.errors import RequestError
from payrail.runtime.actor import Message, Moment, Post, Show, Step

VIEW = "data/access/endpoints.json"
#: Who disables an endpoint where nothing arrives.
DISPATCHER = "dispatcher"


def add(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """A new endpoint; it gets what is booked from now on. Refuses one too many."""
    order: AddEndpoint = message.body
    owned = sum(known.merchant_id == order.merchant_id for known in state.endpoints.values())
    if owned >= ENDPOINTS_MAX:
        raise RequestError(
            422,
            "validation-error",
            f"A merchant has at most {ENDPOINTS_MAX} endpoints; delete one first.",
            errors=[{"field": "url", "message": f"is one more than {ENDPOINTS_MAX}"}],
        )
    record = EndpointAdded(
        moment.new_id("we"),
        order.merchant_id or "",
        order.url,
        order.events,
        state.outbox,
        order.user_id,
        iso(moment.wire_ms),
    )
    return _booked(state, record, message, moment, 201)


def update(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """Another URL, or other events."""
    order: UpdateEndpoint = message.body
    known = _found(state, order)
    url = known.url if order.url is None else order.url
    events = known.events if order.events is None else order.events
    record = EndpointUpdated(known.id, url, events, order.user_id, iso(moment.wire_ms))
    return _booked(state, record, message, moment)


def switch(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """Enable or disable; as it is already, nothing is booked."""
    order: SwitchEndpoint = message.body
    known = _found(state, order)
    if (known.state == ENABLED) == order.enabled:
        return _answered(known, message, moment)
    at = iso(moment.wire_ms)
    record: EndpointRecord = (
        EndpointEnabled(known.id, order.user_id, at)
        if order.enabled
        else EndpointDisabled(known.id, BY_HAND, order.user_id, at)
    )
    return _booked(state, record, message, moment)


def rotate(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """A new secret; the one before signs too for a day."""
    order: RotateEndpointSecret = message.body
    known = _found(state, order)
    old_until = iso(moment.business_ms + OLD_SECRET_MS)
    record = EndpointSecretRotated(
        known.id, known.version + 1, old_until, order.user_id, iso(moment.wire_ms)
    )
    return _booked(state, record, message, moment)


def delete(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """Nothing is delivered there any more, nor what was waiting."""
    order: DeleteEndpoint = message.body
    known = _found(state, order)
    record = EndpointDeleted(known.id, order.user_id, iso(moment.wire_ms))
    return _booked(state, record, message, moment)


def disable(state: GatewayState, message: Message, moment: Moment) -> Step:
    """The dispatcher gave an endpoint up. One that is gone or disabled already stays as it is."""
    word: DisableEndpoint = message.body
    known = state.endpoints.get(word.endpoint_id)
    if known is None or known.state == DISABLED:
        return Step()
    at = iso(moment.wire_ms)
    record = EndpointDisabled(known.id, word.reason, DISPATCHER, at)
    return Step(posts=[Post(ACCESS, record)], shows=view(state, endpoint_after(known, record)))


def view(state: GatewayState, changed: Endpoint | None = None) -> list[Show]:
    """`endpoints.json`, as it is after `changed`."""
    endpoints = dict(state.endpoints)
    if changed is not None:
        endpoints[changed.id] = changed
    shown = [render_endpoint(one) for one in endpoints.values() if one.state != DELETED]
    return [Show(VIEW, {"endpoints": shown})]


def _found(state: GatewayState, order: Any) -> Endpoint:
    known = state.endpoints.get(order.id)
    if known is None or order.merchant_id not in (None, known.merchant_id):
        raise RequestError(404, "not-found", "There is no such webhook endpoint.")
    return known


def _booked(
    state: GatewayState,
    record: EndpointRecord,
    message: Message,
    moment: Moment,
    status: int = 200,
) -> Step:
    changed = endpoint_after(state.endpoints.get(record.endpoint_id), record)
    step = _answered(changed, message, moment, status)
    step.posts = [Post(ACCESS, record)]
    step.shows = view(state, changed)
    return step


def _answered(known: Endpoint, message: Message, moment: Moment, status: int = 200) -> Step:
    return keys.done(Step(), message, moment, None, status, render_endpoint(known))
