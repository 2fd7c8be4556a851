"""An HTTP listener of our own for as long as somebody needs one: sinks and endpoints of shops."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web


@asynccontextmanager
async def listening_at(app: web.Application, port: int = 0) -> AsyncIterator[str]:
    """Serve `app` at `port` of this machine (0: a free one). Result: its address as a URL."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
