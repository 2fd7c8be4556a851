"""Refusals of this door itself, said as the addressed provider would say them as well.

What a provider refuses it says itself; here is only what never came to it: a body that cannot be
meant, a caller that nobody knows. Never: changes a refusal, it only adds to it.
"""

from aiohttp import web

from payrail.domain.provider_errors import native_error
from payrail.domain.providers import public_name
from payrail.errors import RequestError
from payrail.web.correlation import correlation_id
from payrail.web.metrics import Handler


def mannered(handler: Handler) -> Handler:
    """`handler`, whose refusals carry the error of the provider in the path."""

    async def handled(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except RequestError as refusal:
            provider = _named(request)
            if provider is not None:
                refusal.extra = _said(provider, refusal, request) | refusal.extra
            raise

    return handled


def _named(request: web.Request) -> str | None:
    try:
        return public_name(request.match_info["id"])
    except KeyError:
        return None


def _said(provider: str, refusal: RequestError, request: web.Request) -> dict[str, object]:
    return native_error(
        provider,
        refusal.status,
        refusal.code,
        refusal.detail,
        about=correlation_id(request),
        params=[str(error["field"]) for error in refusal.errors],
    )
