"""Let pages of some origins call one path from a browser, and no others.

A browser asks first (OPTIONS, a preflight), and keeps an answer from its page unless the answer
names the page's origin: refusals do so as well, or nobody could show them. No cookie, no header of
the browser's own counts here, so credentials are never allowed.
Never: answers an origin that was not named, or `*`.
"""

from collections.abc import Collection

from aiohttp import hdrs, web

from payrail.web.correlation import HEADER as CORRELATION

#: How long a browser may remember a preflight.
REMEMBERED_S = 600
_TAKEN = f"Authorization, Content-Type, {CORRELATION}"
_SHOWN = f"{CORRELATION}, Retry-After"


def let_in(app: web.Application, method: str, path: str, origins: Collection[str]) -> None:
    """`path` takes `method` from pages of these origins too."""

    async def preflight(request: web.Request) -> web.Response:
        asked = request.headers.get(hdrs.ACCESS_CONTROL_REQUEST_METHOD)
        if request.headers.get(hdrs.ORIGIN) not in origins or asked != method:
            raise web.HTTPMethodNotAllowed(hdrs.METH_OPTIONS, [method])
        headers = {
            hdrs.ACCESS_CONTROL_ALLOW_METHODS: method,
            hdrs.ACCESS_CONTROL_ALLOW_HEADERS: _TAKEN,
            hdrs.ACCESS_CONTROL_MAX_AGE: str(REMEMBERED_S),
        }
        return web.Response(status=204, headers=headers)

    async def name_origin(request: web.Request, response: web.StreamResponse) -> None:
        if request.path != path:
            return
        response.headers[hdrs.VARY] = hdrs.ORIGIN
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is not None and origin in origins:
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
            response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = _SHOWN

    app.router.add_route(hdrs.METH_OPTIONS, path, preflight)
    app.on_response_prepare.append(name_origin)


def origins_of(url: str) -> frozenset[str]:
    """A listener of this machine as pages name it: its own URL, and the same by `localhost`."""
    scheme, _, rest = url.partition("://")
    port = rest.rpartition(":")[2]
    return frozenset({url, f"{scheme}://localhost:{port}"})
