"""A merchant's endpoint for one story: it takes every webhook, and remembers id and bytes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from actors.cli.listening import listening_at
from actors.cli.stories.houses import free_ports


class Endpoint:
    """`bodies`: by webhook-id, every body that came under it."""

    def __init__(self, port: int) -> None:
        self.place = f"127.0.0.1:{port}"
        self.url = f"http://{self.place}/webhooks"
        self.bodies: dict[str, set[bytes]] = {}

    async def take(self, request: web.Request) -> web.Response:
        self.bodies.setdefault(request.headers["webhook-id"], set()).add(await request.read())
        return web.Response(status=204)


@asynccontextmanager
async def listening() -> AsyncIterator[Endpoint]:
    """An endpoint at a free port of this machine, for as long as the story lasts."""
    (port,) = free_ports(1)
    endpoint = Endpoint(port)
    app = web.Application()
    app.router.add_post("/webhooks", endpoint.take)
    async with listening_at(app, port):
        yield endpoint
