"""An API that says what a test wants, and a visitor of the console in front of it."""

import asyncio
import json
from contextlib import asynccontextmanager

from aiohttp import web

from payrail.runtime.clocks import SystemRng
from payrail.web.server import make_app, serve
from tests.actors.doors import free_port

AT = "2026-02-09T12:00:00.123Z"


class FakeApi:
    """Ten lines of a front door: a payment, its events, the house. `asked`: what came, and how."""

    def __init__(self):
        self.port = free_port()
        self.asked = []
        self.events, self.payments = [], {}
        self.broken = False
        self._runner = None

    def pay(self, number, state="captured"):
        payment = {"id": f"pi_{number}", "object": "payment_intent", "state": state}
        payment |= {"amount": 1099, "currency": "USD", "merchant_id": "m_001"}
        payment |= {"payment_method": {"brand": "visa", "last4": "4242"}, "created_at": AT}
        self.payments[payment["id"]] = payment
        seq = len(self.events) + 1
        head = {"id": f"evt_{seq}", "seq": seq, "type": f"payment.{state}", "timestamp": AT}
        self.events.append({**head, "data": {"object": payment}})

    def answer(self, path, query):
        names = ("gateway", "frontdoor")
        rows = [{"name": name, "state": "serving", "epoch": 7, "restarts": 2} for name in names]
        if path == "/health":
            return 200, {"status": "ok", "actors": rows}
        if path == "/events":
            return 200, {"data": self.events[int(query["after"]) :], "has_more": False}
        if path == "/payment-intents":
            if query.get("state") == "bogus":
                return 422, {
                    "code": "validation-error",
                    "detail": "The query's state must be one of these.",
                }
            return 200, {"data": list(self.payments.values())[::-1], "next_cursor": None}
        if path.startswith("/payment-intents/") and path.split("/")[2] in self.payments:
            return 200, self.payments[path.split("/")[2]]
        if path.startswith("/ledger/"):
            return 200, {"entries": []}
        if path in ("/providers", "/balances"):
            return 200, {"data": []}
        return 404, {"code": "not-found", "detail": "There is no such payment."}

    async def handle(self, request):
        self.asked.append((request.method, request.path_qs, dict(request.headers)))
        if self.broken:
            return web.Response(text="<html>")
        status, body = self.answer(request.path, request.query)
        return web.json_response(body, status=status)

    async def up(self):
        app = make_app(rng=SystemRng(), log=None)
        app.router.add_route("*", "/{path:.*}", self.handle)
        self._runner = await serve(app, "127.0.0.1", self.port)

    async def down(self):
        if self._runner:
            await self._runner.cleanup()
            self._runner = None


class Visitor:
    """A browser without a window."""

    def __init__(self, port, session, control, api):
        self.url, self.session = f"http://127.0.0.1:{port}", session
        self.control, self.api = control, api

    async def get(self, path, method="GET", **headers):
        """(status, headers, text)."""
        sent = {name.replace("_", "-"): text for name, text in headers.items()}
        async with self.session.request(method, self.url + path, headers=sent) as answer:
            return answer.status, answer.headers, await answer.text()

    @asynccontextmanager
    async def stream(self, path):
        async with self.session.get(self.url + path) as answer:
            assert answer.status == 200
            yield patches(answer)


async def patches(answer):
    """(region, html) as they come."""
    kind = b""
    async for line in answer.content:
        if line.startswith(b"event: "):
            kind = line[7:].strip()
        elif line.startswith(b"data: ") and kind == b"patch":
            patch = json.loads(line[6:])
            yield patch["region"], patch["html"]


async def until(stream, region, text):
    """The first patch of that region with that text."""
    async with asyncio.timeout(10):
        async for name, html in stream:
            if name == region and text in html:
                return html
    raise AssertionError(f"the stream ended without {text!r} in {region}")
