"""The console's routes and manners: pages, their streams, its own files, errors as pages.

Never: takes anything but GET; there is nothing here yet that changes the house.
"""

from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from actors.console.api import ApiRefused
from actors.console.guards import from_elsewhere, is_ours, sign
from actors.console.live import stream
from actors.console.pages import FILTERS, PAGES, PAYMENT, Page, facts_of
from actors.console.render import Renderer
from actors.console.tabs import Tabs, View
from actors.console.watch import Watch
from payrail.errors import RequestError
from payrail.runtime.ports import Rng
from payrail.storage.lines import encode
from payrail.web.heads import path_id, plain_id
from payrail.web.metrics import Handler
from payrail.web.server import make_app

#: An asset with its version in its address never changes.
_FOREVER = "public, max-age=31536000, immutable"
_QUERY_CHARACTERS_MAX = 64
_WORDS = {
    403: ("Not for you", "The API refuses this to the console."),
    404: ("Nothing here", "There is no page under this address."),
    405: ("Not like this", "This page is only looked at."),
    422: ("Not understood", "The address asks for something that cannot be."),
    421: ("Not our name", "Open the console by its address or as localhost."),
    503: ("Not now", "The console takes no visitors at the moment."),
}


class Console:
    """Handlers of all routes."""

    def __init__(
        self, watch: Watch, tabs: Tabs, renderer: Renderer, host: str, paused: Callable[[], bool]
    ) -> None:
        self._watch, self._tabs, self._renderer = watch, tabs, renderer
        self._host, self._paused = host, paused

    async def health(self, _request: web.Request) -> web.Response:
        """The console's own state: it serves also while the API does not."""
        seen = self._watch.seen
        api = "up" if seen.api_up else "down" if seen.down else "unknown"
        body = {"status": "ok", "actor": "console", "api": api, "tabs": len(self._tabs)}
        return web.Response(body=encode(body), content_type="application/json")

    def page(self, page: Page) -> Handler:
        async def handler(request: web.Request) -> web.Response:
            return await self._shown(page, _query(request))

        return handler

    async def payment(self, request: web.Request) -> web.Response:
        return await self._shown(PAYMENT, {"id": path_id(request)})

    async def live(self, request: web.Request) -> web.StreamResponse:
        """The stream of one page: `?of=` its name, and what else its address says."""
        if from_elsewhere(request):
            raise RequestError(403, "forbidden", "Only pages of the console have a stream.")
        page = PAGES.get(request.query.get("of", ""))
        if page is None:
            raise RequestError(404, "not-found", "There is no such stream.")
        query = _query(request)
        if page is PAYMENT:  # As strict as its page: this text goes into an address of the API.
            query = {"id": plain_id(request.query.get("id", ""))}
        tab = self._tabs.open(View(page, tuple(sorted(query.items()))))
        if tab is None:
            raise RequestError(
                503,
                "overloaded",
                "Too many tabs are open; this one is not live.",
                retryable=True,
                headers={"Retry-After": "10"},
            )
        return await stream(request, tab, self._tabs)

    async def asset(self, request: web.Request) -> web.Response:
        found = self._renderer.assets.get(request.match_info["name"])
        if found is None:
            raise RequestError(404, "not-found", "There is no such file.")
        kept = _FOREVER if request.query.get("v") == found.version else "no-cache"
        return web.Response(
            body=found.data,
            content_type=found.content_type,
            charset="utf-8",
            headers={"Cache-Control": kept},
        )

    async def _shown(self, page: Page, query: Mapping[str, str]) -> web.Response:
        await self._watch.fresh()
        try:
            facts = await facts_of(page, self._watch, query)
        except ApiRefused as refused:
            raise RequestError(refused.status, refused.code, refused.detail) from refused
        stream_of = {"of": page.name, **query}
        return _html(self._renderer.page(page.template, {**facts, "stream_of": stream_of}))

    def _error(
        self, status: int, title: str, detail: str, headers: Mapping[str, str] | None = None
    ) -> web.Response:
        facts: dict[str, Any] = {"status": status, "title": title, "detail": detail}
        facts |= {"page": None, "seen": self._watch.seen, "api_url": self._watch.api.url}
        return _html(self._renderer.page("error.html", facts), status, headers)

    @property
    def manners(self) -> Any:
        """The middleware inside the house's own: refusals as pages, for whoever reads pages."""

        @web.middleware
        async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
            try:
                self._let_in(request)
                return await handler(request)
            except (RequestError, web.HTTPException) as error:
                if _wants_json(request) or error.status < 400:
                    raise
                return self._refused(error)

        return answer

    def _let_in(self, request: web.Request) -> None:
        if not is_ours(request.headers.get("Host"), self._host):
            raise RequestError(421, "misdirected-request", _WORDS[421][1])
        if self._paused() and request.path != "/health":
            raise RequestError(
                503,
                "actor-restarting",
                "The console is paused: `payrail resume console`.",
                retryable=True,
                headers={"Retry-After": "1"},
            )

    def _refused(self, error: RequestError | web.HTTPException) -> web.Response:
        title, detail = _WORDS.get(error.status, ("That did not work", "The request was refused."))
        kept = ("Allow", "Retry-After")
        headers = {name: error.headers[name] for name in kept if name in error.headers}
        if isinstance(error, RequestError):
            detail = error.detail
        return self._error(error.status, title, detail, headers)


def console_app(console: Console, rng: Rng, log: Any) -> web.Application:
    """The application: the house's manners, then the console's, then its routes."""
    app = make_app(rng=rng, log=log)
    app.middlewares.append(console.manners)
    app.on_response_prepare.append(sign)
    for page in PAGES.values():
        if page.path:
            app.router.add_get(page.path, console.page(page))
    app.router.add_get("/payments/{id}", console.payment)
    app.router.add_get("/live", console.live, allow_head=False)
    app.router.add_get("/health", console.health)
    app.router.add_get("/static/{name}", console.asset)
    return app


def _query(request: web.Request) -> dict[str, str]:
    """What a page asks for. Longer than any value that is known is not looked at."""
    found = {name: request.query.get(name, "") for name in (*FILTERS, "cursor")}
    return {n: text for n, text in found.items() if 0 < len(text) <= _QUERY_CHARACTERS_MAX}


def _wants_json(request: web.Request) -> bool:
    accepted = request.headers.get("Accept", "")
    return request.path == "/health" or (
        "application/json" in accepted and "text/html" not in accepted
    )


def _html(text: str, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(
        text=text, status=status, content_type="text/html", charset="utf-8", headers=headers
    )
