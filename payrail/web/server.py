"""An HTTP listener of the house: every answer JSON, every answer with its correlation id.

Never: answers with a library's own words, names its make, or writes an access log of its own.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import hdrs, web

from payrail.errors import Damage, RequestError
from payrail.runtime.ports import Rng
from payrail.web import correlation
from payrail.web.bodies import BODY_BYTES_MAX
from payrail.web.problems import code_of, from_http_error, from_request_error, problem

#: Longer than a load balancer's own 60 s, so that it is never us who hangs up on it.
KEEPALIVE_SECONDS = 75.0
#: After an early refusal, how long the rest of a body is thrown away so that the answer is read.
LINGER_SECONDS = 1.0
#: How long a connection may take to send its first request's head, and all of it.
HEAD_SECONDS = 15.0
#: How long open requests may go on once the listener is closed.
SHUTDOWN_SECONDS = 5.0

#: What a reader is told of a book that has lines which nobody wrote so.
_DAMAGED = (
    "A book of the house does not read. What a power cut has torn is mended when its writer is "
    "back; `payrail verify` names the file and the line of anything else."
)

_RNG = web.AppKey("rng", Rng)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_app(*, rng: Rng, log: Any, body_bytes_max: int = BODY_BYTES_MAX) -> web.Application:
    """An application with the house's manners and no routes yet."""
    app = web.Application(middlewares=[_manners(rng, log)], client_max_size=body_bytes_max)
    app[_RNG] = rng
    app.on_response_prepare.append(_sign)
    return app


async def serve(app: web.Application, host: str, port: int) -> web.AppRunner:
    """Listen. The runner's `addresses` tell a port that was given as 0; `cleanup()` ends it."""
    runner = await set_up(app)
    try:
        await web.TCPSite(runner, host, port).start()
    except BaseException:
        await runner.cleanup()
        raise
    return runner


async def set_up(app: web.Application) -> web.AppRunner:
    """Ready for connections, and listening to nobody yet: its `server` makes their protocols."""
    runner = _Runner(
        app,
        access_log=None,
        keepalive_timeout=KEEPALIVE_SECONDS,
        lingering_time=LINGER_SECONDS,
        shutdown_timeout=SHUTDOWN_SECONDS,
        auto_decompress=False,
        handler_cancellation=False,
    )
    await runner.setup()
    return runner


def _manners(rng: Rng, log: Any) -> Any:
    """The one middleware: a correlation id first, a problem for whatever goes wrong."""

    @web.middleware
    async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
        correlation.begin(request, rng)
        try:
            return await handler(request)
        except RequestError as refusal:
            return from_request_error(request, refusal)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            return from_http_error(request, error)
        except Damage as damage:
            log.error("http.damaged", method=request.method, path=request.path, error=damage)
            return problem(request, 503, "file-damaged", _DAMAGED)
        except Exception as error:
            log.error("http.failed", method=request.method, path=request.path, exc_info=error)
            return problem(
                request,
                500,
                "internal-error",
                "This is our fault; the correlation id finds it in the logs.",
            )

    return answer


async def _sign(request: web.Request, response: web.StreamResponse) -> None:
    """Runs for every answer, streams included, when its head is about to be written."""
    response.headers[correlation.HEADER] = correlation.correlation_id(request)
    response.headers.popall(hdrs.SERVER, None)


class _Protocol(web.RequestHandler):
    """One connection. What is not HTTP at all meets no middleware, so it is answered here; and
    one that never gets to its first request is closed, which the library leaves to us."""

    __slots__ = ("_head_timer",)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        loop = asyncio.get_running_loop()
        self._head_timer = loop.call_later(HEAD_SECONDS, transport.close)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._waiter is None or self._waiter.done():  # a whole head has come
            self._head_timer.cancel()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._head_timer.cancel()
        super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,  # noqa: ARG002
        message: str | None = None,  # noqa: ARG002
    ) -> web.StreamResponse:
        """A problem in place of the library's page, and no log of bytes that could be anything."""
        rng: Rng = self._manager.rng  # type: ignore[union-attr]
        correlation.begin(request, rng)
        answer = problem(request, status, code_of(status), "This is not a request we can read.")
        answer.headers[correlation.HEADER] = correlation.correlation_id(request)
        answer.headers[hdrs.SERVER] = ""
        answer.force_close()
        return answer


class _Server(web.Server):
    rng: Rng

    def __call__(self) -> web.RequestHandler:
        return _Protocol(self, loop=self._loop, **self._kwargs)


class _Runner(web.AppRunner):
    async def _make_server(self) -> web.Server:
        plain = await super()._make_server()
        server = _Server(
            plain.request_handler,
            request_factory=plain.request_factory,
            handler_cancellation=plain.handler_cancellation,
            loop=plain._loop,
            **plain._kwargs,
        )
        server.rng = self.app[_RNG]
        return server
