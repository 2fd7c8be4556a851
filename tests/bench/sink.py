"""A merchant's endpoint that takes everything at once: what a delivery costs without its receiver.

    python -m tests.bench.sink PORT

`POST /` is counted, `GET /` says how many different events came. A process of its own, so that its
CPU is nobody else's.
"""

import sys

from aiohttp import web


def app() -> web.Application:
    """Counts by webhook-id."""
    seen: set[str] = set()

    async def take(request: web.Request) -> web.Response:
        await request.read()
        seen.add(request.headers["webhook-id"])
        return web.Response(status=204)

    async def count(_request: web.Request) -> web.Response:
        return web.json_response({"events": len(seen)})

    made = web.Application()
    made.router.add_post("/", take)
    made.router.add_get("/", count)
    return made


if __name__ == "__main__":
    web.run_app(app(), host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)
