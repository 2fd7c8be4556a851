"""Webhook endpoints over HTTP: checked at the door, decided by the gateway, read from its book.

The order of the checks is: key (401), role (403), merchant (422), id (404), Idempotency-Key (400,
optional here), body (415, 413, 400, 422), and last whether the URL may be called: its name is
resolved here, so that a typing error is told to whoever made it. The dispatcher judges again at
each call. A secret is derived for the one answer that shows it, and written nowhere.
"""

import asyncio
import re
from typing import Annotated, Any, Literal

import msgspec
from aiohttp import web
from msgspec.structs import replace
from pydantic import AfterValidator, BaseModel, Field

from actors.frontdoor.asking import Asking
from actors.frontdoor.heads import command_head, idempotency_key, no_such
from actors.frontdoor.lists import Reads, answered, listed
from actors.frontdoor.models import COMMAND_BYTES_MAX, NoFields
from payrail.domain.access import ENDPOINT_KEEPERS
from payrail.domain.endpoints import DELETED, Endpoint, render_endpoint
from payrail.domain.webhooks import (
    FILTER_CHARACTERS_MAX,
    FILTER_PATTERN,
    FILTERS_MAX,
    URL_CHARACTERS_MAX,
    AllowList,
    UrlRefused,
    is_filter,
    parse_url,
)
from payrail.domain.words.endpoints import (
    AddEndpoint,
    DeleteEndpoint,
    RotateEndpointSecret,
    SwitchEndpoint,
    UpdateEndpoint,
)
from payrail.domain.words.kinds import GATEWAY
from payrail.errors import RequestError
from payrail.runtime.ports import Rng
from payrail.security.webhook_secrets import webhook_secret
from payrail.storage.lines import encode
from payrail.web.access import AccessView, Caller, must_name_merchant
from payrail.web.bodies import Body, checked, read_object
from payrail.web.openapi import Route
from payrail.web.outgoing import Resolve, permitted

#: How long the name of a new endpoint is looked for.
LOOKUP_SECONDS = 5.0
_ENDPOINT = re.compile(r"we_[a-z0-9]{16}")


def _a_filter(text: str) -> str:
    if not is_filter(text):
        raise ValueError("must be an event's type, a family such as payment.*, or *")
    return text


_FILTER_SHAPE: dict[str, Any] = {
    "pattern": FILTER_PATTERN,
    "maxLength": FILTER_CHARACTERS_MAX,
    "examples": ["payment.*"],
}
Url = Annotated[
    str,
    Field(
        min_length=1,
        max_length=URL_CHARACTERS_MAX,
        examples=["https://shop.example/hooks"],
        description="https to a public address; others must stand in PAYRAIL_WEBHOOK_ALLOW.",
    ),
]
Filters = Annotated[
    list[Annotated[str, AfterValidator(_a_filter), Field(json_schema_extra=_FILTER_SHAPE)]],
    Field(max_length=FILTERS_MAX, description="Types or families of events; none: all."),
]


class NewEndpoint(Body):
    url: Url
    events: Filters = Field(default_factory=list)


class ChangedEndpoint(Body):
    url: Url | None = None
    events: Filters | None = None


class EndpointShown(BaseModel):
    """What is answered; for the document alone. `secret` stands in the answers to adding and to
    rotating, and nowhere else."""

    id: str
    object: Literal["webhook_endpoint"]
    url: str
    events: list[str]
    state: Literal["enabled", "disabled", "deleted"]
    disabled_reason: str | None
    merchant_id: str
    secret_version: int
    previous_secret_until: str | None
    created_at: str
    updated_at: str
    secret: str | None = None


class EndpointsShown(BaseModel):
    object: Literal["list"]
    has_more: bool
    next_cursor: str | None
    data: list[EndpointShown]


class Endpoints:
    """Handlers of everything about webhook endpoints."""

    def __init__(
        self,
        *,
        asking: Asking,
        access: AccessView,
        reads: Reads,
        guard: AllowList,
        resolve: Resolve,
        house_secret: bytes,
        rng: Rng,
    ) -> None:
        self._asking, self._access, self._reads = asking, access, reads
        self._guard, self._resolve = guard, resolve
        self._house_secret, self._rng = house_secret, rng

    def routes(self) -> list[Route]:
        """8026: what merchants say about their endpoints."""
        path, about = "/webhook-endpoints", "/webhook-endpoints/{id}"
        shown, none = EndpointShown, NoFields
        added = Route(
            "POST", path, self.add, "Add an endpoint", shown, status=201, takes=NewEndpoint
        )
        orders = [
            Route("POST", f"{about}/{verb}", handler, summary, shown, takes=none, body_needed=False)
            for verb, handler, summary in (
                ("enable", self.enable, "Deliver to it again, and what it missed"),
                ("disable", self.disable, "Deliver nothing to it for now"),
                ("rotate-secret", self.rotate, "Give it a new secret; the old one lives a day"),
            )
        ]
        kept = [
            added,
            Route("PATCH", about, self.update, "Change an endpoint", shown, takes=ChangedEndpoint),
            Route("DELETE", about, self.delete, "Delete an endpoint", shown),
            *orders,
        ]
        return [
            Route("GET", path, self.all, "List endpoints", EndpointsShown),
            Route("GET", about, self.one, "Show an endpoint", shown),
            *(replace(route, roles=ENDPOINT_KEEPERS) for route in kept),
        ]

    async def add(self, request: web.Request) -> web.Response:
        caller = self._keeper(request)
        key = self._key(request)
        given = await read_object(request, COMMAND_BYTES_MAX)
        wanted = checked(NewEndpoint, given)
        head = command_head(request, caller, key, given)
        await self._must_be_allowed(wanted.url)
        order = AddEndpoint(url=wanted.url, events=wanted.events, **head)
        return self._with_secret(await self._ask(request, "endpoint.add", order))

    async def update(self, request: web.Request) -> web.Response:
        caller, known = self._about(request)
        key = self._key(request)
        given = await read_object(request, COMMAND_BYTES_MAX)
        wanted = checked(ChangedEndpoint, given)
        head = command_head(request, caller, key, given)
        if wanted.url is not None:
            await self._must_be_allowed(wanted.url)
        order = UpdateEndpoint(id=known.id, url=wanted.url, events=wanted.events, **head)
        return await self._ask(request, "endpoint.update", order)

    async def enable(self, request: web.Request) -> web.Response:
        return await self._switch(request, enabled=True)

    async def disable(self, request: web.Request) -> web.Response:
        return await self._switch(request, enabled=False)

    async def rotate(self, request: web.Request) -> web.Response:
        known, head = await self._bare(request)
        order = RotateEndpointSecret(id=known.id, **head)
        return self._with_secret(await self._ask(request, "endpoint.rotate", order))

    async def delete(self, request: web.Request) -> web.Response:
        known, head = await self._bare(request)
        return await self._ask(request, "endpoint.delete", DeleteEndpoint(id=known.id, **head))

    async def all(self, request: web.Request) -> web.Response:
        """There are few of a merchant's, so the list is one page."""
        caller = self._reads.reader(request)
        found = self._access.directory.endpoints.values()
        mine = [one for one in found if _is_of(one, caller.merchant_id)]
        return listed([render_endpoint(one) for one in reversed(mine)], None)

    async def one(self, request: web.Request) -> web.Response:
        caller = self._reads.reader(request)
        return answered(render_endpoint(self._known(request, caller)))

    async def _switch(self, request: web.Request, *, enabled: bool) -> web.Response:
        known, head = await self._bare(request)
        order = SwitchEndpoint(id=known.id, enabled=enabled, **head)
        return await self._ask(request, "endpoint.switch", order)

    async def _bare(self, request: web.Request) -> tuple[Endpoint, dict[str, Any]]:
        """An order about one endpoint whose body says nothing."""
        caller, known = self._about(request)
        key = self._key(request)
        given = await read_object(request, COMMAND_BYTES_MAX, empty_ok=True)
        checked(NoFields, given)
        return known, command_head(request, caller, key, given)

    def _keeper(self, request: web.Request) -> Caller:
        caller = self._access.in_role(request, ENDPOINT_KEEPERS)
        must_name_merchant(caller)
        return caller

    def _about(self, request: web.Request) -> tuple[Caller, Endpoint]:
        caller = self._keeper(request)
        return caller, self._known(request, caller)

    def _known(self, request: web.Request, caller: Caller) -> Endpoint:
        given = request.match_info["id"]
        known = self._access.directory.endpoints.get(given) if _ENDPOINT.fullmatch(given) else None
        if known is None or not _is_of(known, caller.merchant_id):
            raise no_such("webhook endpoint")
        return known

    def _key(self, request: web.Request) -> str:
        """The key that was sent, or one of our own: asked again after a rebirth of the gateway,
        an order has one effect also without a key."""
        if "Idempotency-Key" in request.headers:
            return idempotency_key(request)
        return f"door-{self._rng.token_hex(16)}"

    async def _must_be_allowed(self, url: str) -> None:
        """Raises RequestError 422 for a URL that is not called."""
        try:
            async with asyncio.timeout(LOOKUP_SECONDS):
                await permitted(parse_url(url), self._guard, self._resolve)
        except UrlRefused as refusal:
            raise _not_allowed(str(refusal)) from None
        except (OSError, UnicodeError):  # TimeoutError is one too
            raise _not_allowed(
                "must have a host name that resolves; check its spelling, or add the endpoint"
                " when its name is in place"
            ) from None

    async def _ask(self, request: web.Request, kind: str, order: Any) -> web.Response:
        return await self._asking.ask(request, GATEWAY, kind, order)

    def _with_secret(self, answer: web.Response) -> web.Response:
        """Show the secret beside the endpoint, in this answer alone."""
        if answer.status >= 300 or not isinstance(answer.body, bytes):
            return answer
        shown = msgspec.json.decode(answer.body)
        shown["secret"] = webhook_secret(self._house_secret, shown["id"], shown["secret_version"])
        answer.body = encode(shown)
        return answer


def _is_of(endpoint: Endpoint, merchant_id: str | None) -> bool:
    return endpoint.state != DELETED and merchant_id in (None, endpoint.merchant_id)


def _not_allowed(message: str) -> RequestError:
    return RequestError(
        422,
        "endpoint-not-allowed",
        f"The URL {message}.",
        errors=[{"field": "url", "message": message}],
    )
