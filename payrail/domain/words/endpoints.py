"""Webhooks out: what merchants say about their endpoints, what the dispatcher tells itself."""

import msgspec
from msgspec import Struct

from payrail.domain.words.kinds import ERRAND, TIMER, asked, kind
from payrail.domain.words.payments import Command


class AddEndpoint(Command, kw_only=True):
    url: str
    events: list[str] = msgspec.field(default_factory=list)


class UpdateEndpoint(Command, kw_only=True):
    """What is not told stays as it is."""

    id: str
    url: str | None = None
    events: list[str] | None = None


class SwitchEndpoint(Command, kw_only=True):
    """Enable it, or disable it."""

    id: str
    enabled: bool


class RotateEndpointSecret(Command, kw_only=True):
    id: str


class DeleteEndpoint(Command, kw_only=True):
    id: str


class DisableEndpoint(Struct, forbid_unknown_fields=True):
    """Dispatcher to gateway: nothing arrives there any more."""

    endpoint_id: str
    reason: str  # gone | failing


class DeliveryDone(Struct):
    """What came of one attempt: an answer's status, or a word for why there was none."""

    endpoint_id: str
    seq: int
    attempt: int
    status: int | None
    error: str | None
    latency_ms: int
    retry_after_s: int | None


class DeliveryDue(Struct):
    """The dispatcher's timer: a delivery may be tried again."""

    endpoint_id: str
    seq: int


class EndpointLook(Struct):
    """The dispatcher's timer: something about an endpoint changed; see what there is to do."""

    endpoint_id: str


class FoundEvent(Struct, array_like=True):
    """Where one event stands in the outbox."""

    seq: int
    id: str
    at: int  # offset in bytes
    size: int
    type: str
    booked_ms: int
    merchant_id: str
    correlation_id: str


class EventsFound(Struct):
    """A piece of the outbox, read again for an endpoint that is behind."""

    endpoint_id: str
    events: list[FoundEvent]
    through_seq: int
    offset: int  # behind the last line that was looked at


class Redeliver(Struct, forbid_unknown_fields=True):
    """A delivery that was given up: it lies in a dead letter until people replay it."""

    endpoint_id: str
    event: FoundEvent


KINDS = (
    asked("endpoint.add", "frontdoor", AddEndpoint),
    asked("endpoint.update", "frontdoor", UpdateEndpoint),
    asked("endpoint.switch", "frontdoor", SwitchEndpoint),
    asked("endpoint.rotate", "frontdoor", RotateEndpointSecret),
    asked("endpoint.delete", "frontdoor", DeleteEndpoint),
    kind("endpoint.disable", "dispatcher", DisableEndpoint),
    kind("delivery.done", ERRAND, DeliveryDone),
    kind("delivery.due", TIMER, DeliveryDue),
    kind("delivery.look", TIMER, EndpointLook),
    kind("events.found", ERRAND, EventsFound),
    kind("delivery.redo", "dispatcher", Redeliver),
)
