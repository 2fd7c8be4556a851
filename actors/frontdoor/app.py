"""The two applications of the front door: its routes with the house's manners around them."""

from collections.abc import Callable, Sequence
from typing import Any

from aiohttp import web

from actors.frontdoor.shown import Problem
from payrail.runtime.ports import Rng
from payrail.web import openapi
from payrail.web.metrics import CONTENT_TYPE, Metrics
from payrail.web.openapi import Route
from payrail.web.server import make_app

TITLE = "PayRail"
VERSION = "1"


def plain_app(routes: Sequence[Route], metrics: Metrics, rng: Rng, log: Any) -> web.Application:
    """An application of these routes alone."""
    app = make_app(rng=rng, log=log)
    for route in routes:
        handler = metrics.counted(route.method, route.path, route.handler)
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
) -> web.Application:
    """The public API with its document, its page and its metrics."""
    documented = [
        *routes,
        Route("GET", "/metrics", _text(scraped), "Counts and latencies", open_to_all=True),
    ]
    made: dict[str, bytes] = {}

    async def document(_request: web.Request) -> web.Response:
        if not made:  # Made when somebody asks: a restart must not wait for it.
            made["json"] = openapi.document(TITLE, VERSION, documented, Problem)
        return web.Response(body=made["json"], content_type="application/json")

    async def docs(_request: web.Request) -> web.Response:
        return openapi.page_answer(openapi.page(TITLE, documented))

    app = plain_app(documented, metrics, rng, log)
    app.router.add_get("/openapi.json", document)
    app.router.add_get("/docs", docs)
    return app


def _text(scraped: Callable[[], str]) -> Callable[[web.Request], Any]:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=scraped().encode(), headers={"Content-Type": CONTENT_TYPE})

    return answer
