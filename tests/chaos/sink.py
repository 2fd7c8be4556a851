"""A merchant's end of webhooks that fails on purpose, and remembers everything it was sent."""

import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from aiohttp import web
from standardwebhooks.webhooks import Webhook

#: How it fails: with a status, or (0) by hanging up without an answer.
FAILURES = (500, 502, 404, 302, 0)


class Sink:
    """Verifies each delivery as a shop would, with the library that shops use."""

    def __init__(self, *, failing: float, seed: int) -> None:
        self._failing, self._chance = failing, random.Random(seed)
        self.secrets: dict[str, str] = {}  # by merchant
        self.bodies: dict[str, set[bytes]] = {}  # by webhook-id
        self.arrived: Counter[str] = Counter()  # answered with 2xx, by webhook-id
        self.failed = 0
        self.refused: list[str] = []  # what no shop would accept
        self.url = ""

    @property
    def heard(self) -> int:
        return self.failed + self.arrived.total()

    async def hear(self, request: web.Request) -> web.Response:
        body = await request.read()
        self._check(request.match_info["merchant"], body, request.headers)
        webhook_id = request.headers["webhook-id"]
        self.bodies.setdefault(webhook_id, set()).add(body)
        if self._chance.random() >= self._failing:
            self.arrived[webhook_id] += 1
            return web.Response(status=204)
        self.failed += 1
        status = self._chance.choice(FAILURES)
        if not status and request.transport is not None:
            request.transport.close()
        return web.Response(status=status or 500, headers={"Location": "/elsewhere"})

    def _check(self, merchant: str, body: bytes, headers: Mapping[str, str]) -> None:
        try:
            told = Webhook(self.secrets[merchant]).verify(body, dict(headers))
        except Exception as error:
            self.refused.append(f"{type(error).__name__}: {error}")
            return
        if (told["id"], told["merchant_id"]) != (headers["webhook-id"], merchant):
            self.refused.append(f"{told['id']} came as {headers['webhook-id']} to {merchant}")


@asynccontextmanager
async def listening(sink: Sink) -> AsyncIterator[Sink]:
    """The sink at a free port, `/<merchant>`."""
    app = web.Application()
    app.router.add_post("/{merchant}", sink.hear)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        sink.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield sink
    finally:
        await runner.cleanup()
