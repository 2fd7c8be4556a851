"""POST /webhooks/provider: providers' notices, checked as bytes and handed to the gateway.

The order of the checks is: provider (401, 404), size (413), signature (401), shape and age (400).
No key and no Idempotency-Key: the signature says who speaks, and the same fact twice is one fact.
200 comes when the gateway has it durably. Never: repeats what was sent, or decides what it means.
"""

from collections.abc import Mapping

from aiohttp import web
from msgspec import structs

from actors.frontdoor import shown
from actors.frontdoor.asking import Asking
from actors.frontdoor.heads import must_hold_no_card, no_such
from payrail.domain.providers import public_name
from payrail.domain.words.disputes import DisputeFact
from payrail.domain.words.kinds import GATEWAY
from payrail.errors import RequestError
from payrail.runtime.ports import Clock
from payrail.security.notices import PROVIDER_HEADER, SCHEMES, Told, checked, notice_key
from payrail.web.bodies import read_bytes
from payrail.web.openapi import Route

#: What providers may send. What the gateway is told of it is a few hundred bytes.
BYTES_MAX = 64 * 1024


class Notices:
    """The handler, with the keys of this house's providers."""

    def __init__(self, asking: Asking, clock: Clock, house_secret: bytes) -> None:
        self._asking, self._clock = asking, clock
        self._keys: Mapping[str, str] = {name: notice_key(house_secret, name) for name in SCHEMES}

    async def receive(self, request: web.Request) -> web.Response:
        provider = self._provider(request)
        body = await read_bytes(request, BYTES_MAX)
        wall_ms = self._clock.now().wall_ms
        notice = checked(provider, body, request.headers, self._keys[provider], wall_ms)
        _must_hold_no_card(notice)
        if isinstance(notice, DisputeFact):
            return await self._asking.ask(
                request, GATEWAY, "dispute.notice", notice, notice.payment_id
            )
        payment_id = notice.reference.rpartition(".")[0]
        return await self._asking.ask(
            request, GATEWAY, "provider.notice", notice, payment_id or None
        )

    def _provider(self, request: web.Request) -> str:
        given = request.headers.getall(PROVIDER_HEADER, [])
        if len(given) != 1:
            detail = f"Send {PROVIDER_HEADER}, once: who speaks, for example providerA."
            raise RequestError(401, "signature-invalid", detail)
        try:
            name = public_name(given[0])
        except KeyError:
            raise no_such("provider") from None
        if name not in self._keys:
            raise no_such("provider")
        return name


def notice_routes(notices: Notices) -> list[Route]:
    """8026: the one route that providers use."""
    return [
        Route(
            "POST",
            "/webhooks/provider",
            notices.receive,
            "Take a provider's signed notice",
            shown.AnyObject,
            open_to_all=True,
            heads={PROVIDER_HEADER: {"type": "string", "examples": ["providerA"]}},
            codes=(
                "signature-invalid",
                "timestamp-out-of-tolerance",
                "malformed-notice",
                "validation-error",
            ),
        )
    ]


def _must_hold_no_card(notice: Told) -> None:
    """Raises RequestError 422: every word that is handed on stands in mailboxes in clear."""
    must_hold_no_card({"": [word for word in structs.astuple(notice) if isinstance(word, str)]})
