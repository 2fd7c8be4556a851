"""Webhook endpoints: the facts about them in the book of access, and what these facts make.

    added ─▶ enabled ⇄ disabled          a disabled one keeps its place in the events, and goes on
               │          │              from there when it is enabled again
               └──────────┴──▶ deleted

Never: holds a secret. It is derived from id and version wherever it is needed.
"""

from typing import Any

from msgspec import Struct, structs

ENABLED, DISABLED, DELETED = "enabled", "disabled", "deleted"
#: Why an endpoint is disabled: somebody said so, it answered 410, or nothing arrived for days.
BY_HAND, GONE, FAILING = "by_hand", "gone", "failing"
#: How long the secret before the newest one signs too, in business time.
OLD_SECRET_MS = 24 * 3_600_000


class EndpointAdded(Struct, frozen=True, tag_field="type", tag="endpoint.added"):
    """It gets events from `after_seq` on: those booked after its registration."""

    endpoint_id: str
    merchant_id: str
    url: str
    events: list[str]  # filters; none: all
    after_seq: int
    user_id: str
    at: str


class EndpointUpdated(Struct, frozen=True, tag_field="type", tag="endpoint.updated"):
    """Another URL or other filters; attempts that are under way end as they began."""

    endpoint_id: str
    url: str
    events: list[str]
    user_id: str
    at: str


class EndpointDisabled(Struct, frozen=True, tag_field="type", tag="endpoint.disabled"):
    """Nothing is sent there until it is enabled; `reason`: by_hand, gone (a 410) or failing."""

    endpoint_id: str
    reason: str
    user_id: str
    at: str


class EndpointEnabled(Struct, frozen=True, tag_field="type", tag="endpoint.enabled"):
    """It goes on where it stopped."""

    endpoint_id: str
    user_id: str
    at: str


class EndpointSecretRotated(Struct, frozen=True, tag_field="type", tag="endpoint.secret_rotated"):
    """A newer secret signs; the one before signs beside it until `old_until`."""

    endpoint_id: str
    version: int
    old_until: str  # business time
    user_id: str
    at: str


class EndpointDeleted(Struct, frozen=True, tag_field="type", tag="endpoint.deleted"):
    """It is forgotten with all that was still to be delivered there."""

    endpoint_id: str
    user_id: str
    at: str


EndpointRecord = (
    EndpointAdded
    | EndpointUpdated
    | EndpointDisabled
    | EndpointEnabled
    | EndpointSecretRotated
    | EndpointDeleted
)


class Endpoint(Struct, frozen=True):
    """One endpoint as its facts have made it."""

    id: str
    merchant_id: str
    url: str
    events: list[str]
    after_seq: int
    created_at: str
    updated_at: str
    state: str = ENABLED
    reason: str | None = None  # why it is disabled
    version: int = 1  # of its secret
    old_until: str | None = None  # until then the version before signs too; business time


def endpoint_after(known: Endpoint | None, record: EndpointRecord) -> Endpoint:
    """The endpoint after one more fact. Raises ValueError for a fact about nothing."""
    if isinstance(record, EndpointAdded):
        return Endpoint(
            record.endpoint_id,
            record.merchant_id,
            record.url,
            record.events,
            record.after_seq,
            record.at,
            record.at,
        )
    if known is None:
        raise ValueError(f"{record.endpoint_id} was never added")
    return structs.replace(known, updated_at=record.at, **_changed(record))


def _changed(record: EndpointRecord) -> dict[str, Any]:
    match record:
        case EndpointUpdated():
            return {"url": record.url, "events": record.events}
        case EndpointDisabled():
            return {"state": DISABLED, "reason": record.reason}
        case EndpointEnabled():
            return {"state": ENABLED, "reason": None}
        case EndpointSecretRotated():
            return {"version": record.version, "old_until": record.old_until}
        case _:
            return {"state": DELETED, "reason": None}


def render_endpoint(endpoint: Endpoint) -> dict[str, Any]:
    """As the API shows it: without its secret."""
    return {
        "id": endpoint.id,
        "object": "webhook_endpoint",
        "url": endpoint.url,
        "events": endpoint.events,
        "state": endpoint.state,
        "disabled_reason": endpoint.reason,
        "merchant_id": endpoint.merchant_id,
        "secret_version": endpoint.version,
        "previous_secret_until": endpoint.old_until,
        "created_at": endpoint.created_at,
        "updated_at": endpoint.updated_at,
    }
