"""The query of a request against the names that its route knows.

A question that we would answer as if it had not been asked is refused: a filter that is not there
yet must not come back as the unfiltered list. Routes that are open to all ignore what they do not
know, since probes and redirects add words of their own. Never: repeats a value.
"""

import re
from collections.abc import Callable

from aiohttp import web

from payrail.errors import RequestError
from payrail.web.metrics import Handler
from payrail.web.openapi import Route

#: A parameter's name that may be repeated in a refusal: it is no number of a card.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z_-]{0,39}")


#: Lets a request in by its key. Raises RequestError 401.
Admit = Callable[[web.Request], object]


def only_known(route: Route, admit: Admit) -> Handler:
    """The route's handler behind that check. Whoever has no key is told that first."""
    if route.open_to_all:
        return route.handler

    async def handler(request: web.Request) -> web.StreamResponse:
        if request.query_string:
            try:
                _must_be_known(request, route.query)
            except RequestError:
                admit(request)
                raise
        return await route.handler(request)

    return handler


def bad_query(name: str, message: str) -> RequestError:
    """422 that names the parameter; never repeats its value."""
    return RequestError(
        422,
        "validation-error",
        f"The query's {name} {message}.",
        errors=[{"field": name, "message": message}],
    )


def _must_be_known(request: web.Request, names: tuple[str, ...]) -> None:
    """Raises RequestError 422 for a parameter that is not ours, or that is there twice."""
    for name in request.query:
        if _CONTROL.search(request.query[name]):
            raise bad_query(name if name in names else "query", "must hold no control character")
        if name not in names:
            told = name if _PLAIN_NAME.fullmatch(name) else "query"
            raise bad_query(told, f"is not known here; known are: {', '.join(names) or 'none'}")
    if len(request.query) > len(set(request.query)):
        twice = next(name for name in names if len(request.query.getall(name, ())) > 1)
        raise bad_query(twice, "must be given once")
