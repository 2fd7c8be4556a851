"""The two applications of the front door: its routes with the house's manners around them."""

from collections.abc import Callable, Sequence
from typing import Any

from aiohttp import web
from msgspec.structs import replace

from payrail.domain.access import READERS
from payrail.runtime.ports import Rng
from payrail.web import docs_page, openapi
from payrail.web.metrics import CONTENT_TYPE, Metrics
from payrail.web.openapi import Route
from payrail.web.problems import Problem
from payrail.web.questions import Admit, only_known
from payrail.web.refused import Refusals
from payrail.web.server import make_app

TITLE = "PayRail"
VERSION = "1"


def plain_app(
    routes: Sequence[Route],
    metrics: Metrics,
    rng: Rng,
    log: Any,
    admit: Admit,
    refusals: Refusals | None = None,
) -> web.Application:
    """An application of these routes alone."""
    app = make_app(rng=rng, log=log)
    for route in routes:
        handler = only_known(route, admit)
        if refusals is not None:
            handler = refusals.heard(route.method, route.path, handler)
        handler = metrics.counted(route.method, route.path, handler)
        app.router.add_route(route.method, route.path, handler)
        if route.method == "GET":
            app.router.add_route("HEAD", route.path, handler)
    return app


def public_app(
    routes: Sequence[Route],
    metrics: Metrics,
    rng: Rng,
    log: Any,
    scraped: Callable[[], str],
    admit: Admit,
    refusals: Refusals,
) -> web.Application:
    """The public API with its document, its page and its metrics."""
    documented = [
        *map(_for_readers, routes),
        Route("GET", "/metrics", _text(scraped), "Counts and latencies", open_to_all=True),
    ]

    app = inner_app(TITLE, documented, metrics, rng, log, admit, refusals)
    app.router.add_get("/docs", docs_page.page_handler(TITLE, VERSION, documented))
    return app


def _for_readers(route: Route) -> Route:
    """A look at something is for every reader, unless the route says otherwise. An order says
    itself who may give it."""
    if route.method != "GET" or route.open_to_all or route.roles is not None:
        return route
    return replace(route, roles=READERS)


def inner_app(
    title: str,
    routes: Sequence[Route],
    metrics: Metrics,
    rng: Rng,
    log: Any,
    admit: Admit,
    refusals: Refusals | None = None,
) -> web.Application:
    """An application of these routes with its document."""
    app = plain_app(routes, metrics, rng, log, admit, refusals)
    document = openapi.document_handler(title, VERSION, routes, Problem)
    app.router.add_get("/openapi.json", document)
    return app


def _text(scraped: Callable[[], str]) -> Callable[[web.Request], Any]:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=scraped().encode(), headers={"Content-Type": CONTENT_TYPE})

    return answer
