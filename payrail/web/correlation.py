"""The correlation id of a request: the client's own when it is fit for every file, else made.

Never: takes a card number for an id, since the id is written to every log and book.
"""

import re

from aiohttp import web

from payrail import logs
from payrail.domain.cards import find_pans
from payrail.runtime.ports import Rng

HEADER = "X-Correlation-Id"
_FIT = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_MADE_BYTES = 8
_KEY = web.RequestKey("correlation_id", str)


def fit_or_made(given: str | None, rng: Rng) -> str:
    """The id to use for a request whose client gave `given`."""
    if given is not None and _FIT.fullmatch(given) and not find_pans(given):
        return given
    return f"cor_{rng.token_hex(_MADE_BYTES)}"


def begin(request: web.BaseRequest, rng: Rng) -> None:
    """Give the request its id, for its answers and for what is logged meanwhile."""
    request[_KEY] = chosen = fit_or_made(request.headers.get(HEADER), rng)
    logs.correlation.set(chosen)


def correlation_id(request: web.BaseRequest) -> str:
    """The id that `begin` gave; empty before that."""
    given: str = request.get(_KEY, "")
    return given
