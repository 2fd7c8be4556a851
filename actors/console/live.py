"""The stream of one tab: server-sent events that carry regions of its page as they are now.

    event: patch
    data: {"region": "states", "html": "…"}

Never: queues; a tab that does not read in time is cut off, and its browser opens a new stream.
"""

import asyncio

import msgspec
from aiohttp import web
from aiohttp_sse import EventSourceResponse, sse_response

from actors.console.tabs import Tab, Tabs

#: A tab whose connection takes nothing for so long is gone or hangs.
SEND_S_MAX = 10.0
#: How often a silent stream is tried, so that a closed tab frees its place.
PING_S = 5.0
#: How soon a browser comes back after the stream broke off.
_RETRY_MS = 1_000


async def stream(request: web.Request, tab: Tab, tabs: Tabs) -> web.StreamResponse:
    """Tell the tab what changes until it is closed, by either side."""
    try:
        async with sse_response(request, ping_interval=PING_S, send_timeout=SEND_S_MAX) as answer:
            await answer.send("{}", event="open", retry=_RETRY_MS)
            await _tell(answer, tab)
        return answer
    except (ConnectionResetError, TimeoutError):
        return answer
    finally:
        tabs.forget(tab)


async def _tell(answer: EventSourceResponse, tab: Tab) -> None:
    while not tab.closed and answer.is_connected():
        try:
            async with asyncio.timeout(PING_S):
                await tab.news.wait()
        except TimeoutError:
            continue  # Nothing new; see whether somebody is still there.
        for region, html in tab.take().items():
            patch = msgspec.json.encode({"region": region, "html": html}).decode()
            await answer.send(patch, event="patch")
