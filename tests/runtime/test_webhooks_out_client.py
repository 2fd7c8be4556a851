"""What the outgoing client does on the wire, against a listener of the test's own."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from payrail.domain.webhooks import AllowList
from payrail.runtime.clocks import SystemClock
from payrail.web.outgoing import ANSWER_BYTES_MAX, Outgoing, Posted

ALLOWED = ("127.0.0.1",)


class Sink:
    """A listener that answers as it is told and remembers what it was told."""

    def __init__(self) -> None:
        self.seen: list[tuple[dict[str, str], bytes]] = []
        self.answer: dict[str, Any] = {"status": 204}
        self.url = ""

    async def hear(self, request: web.Request) -> web.StreamResponse:
        self.seen.append((dict(request.headers), await request.read()))
        return web.Response(**self.answer)


@asynccontextmanager
async def listening(sink: Sink) -> AsyncIterator[Sink]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", sink.hear)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sink.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hooks"
    try:
        yield sink
    finally:
        await runner.cleanup()


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    async with listening(Sink()) as made:
        yield made


class Spoken:
    """A resolver that says what it is told to, one answer after the other."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


async def post(
    url: str, *words: str, resolve: Spoken | None = None, total_ms: int = 5_000, times: int = 1
) -> Posted:
    """What came of the last of some posts by one client."""
    guard = AllowList(words)
    async with Outgoing(SystemClock(), guard=guard, resolve=resolve, total_ms=total_ms) as outgoing:
        for _ in range(times):
            posted = await outgoing.post(url, b'{"id":"evt_1"}', {"webhook-id": "evt_1"})
    return posted


async def test_bytes_and_headers_arrive_as_given(sink: Sink):
    """The body is sent as it is; no cookie and no make of a library goes with it."""
    posted = await post(sink.url, *ALLOWED)

    assert (posted.status, posted.error) == (204, None)
    ((headers, body),) = sink.seen
    assert body == b'{"id":"evt_1"}'
    assert headers["webhook-id"] == "evt_1"
    assert headers["User-Agent"] == "PayRail/1"
    assert "Cookie" not in headers


async def test_a_redirect_is_not_followed(sink: Sink):
    """A 302 to the inside is an answer like any other: nothing else is asked."""
    sink.answer = {"status": 302, "headers": {"Location": f"{sink.url}/inside"}}
    assert (await post(sink.url, *ALLOWED)).status == 302
    assert len(sink.seen) == 1


async def test_an_address_inside_is_not_connected_to(sink: Sink):
    """Without an allow list the listener at loopback never hears of us, by address or by name."""
    assert (await post(sink.url)).error == "address-refused"
    port = sink.url.rpartition(":")[2]
    for url in (f"http://localhost:{port}", f"https://localhost:{port}"):
        assert (await post(url)).error == "address-refused"
    assert sink.seen == []


async def test_a_name_that_moves_inside_is_refused_at_connect(sink: Sink):
    """A name that led outside when it was registered is judged again by what it says now."""
    names = Spoken(["127.0.0.1"])
    port = sink.url.rpartition(":")[2].partition("/")[0]
    assert (await post(f"https://moving.example:{port}/", resolve=names)).error == "address-refused"
    assert sink.seen == []


async def test_only_the_judged_address_is_connected_to(sink: Sink):
    """The name is asked once for a connection: a second, other answer is never looked at."""
    names = Spoken(["10.9.8.7", "127.0.0.1"], ["10.9.8.7"])
    port = sink.url.rpartition(":")[2]
    posted = await post(f"http://sink.test:{port}", *ALLOWED, resolve=names)
    assert posted.status == 204
    assert names.asked == ["sink.test"]


async def test_a_long_answer_is_dropped(sink: Sink):
    """Of an endless answer a bounded piece is read; its status counts all the same."""
    sink.answer = {"body": b"x" * (ANSWER_BYTES_MAX * 50)}
    assert (await post(sink.url, *ALLOWED)).status == 200


async def test_a_pause_that_is_asked_for_is_told(sink: Sink):
    """`Retry-After` comes back with the status."""
    sink.answer = {"status": 503, "headers": {"Retry-After": "3"}}
    posted = await post(sink.url, *ALLOWED)
    assert (posted.status, posted.retry_after_s) == (503, 3)


async def test_nobody_there_is_told_in_a_word(sink: Sink):
    """A closed port, an unknown name and a silent listener are outcomes, no exceptions."""

    hung_up = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        await writer.wait_closed()
        hung_up.set()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        assert (await post(f"http://127.0.0.1:{port}/", *ALLOWED, total_ms=50)).error == "timeout"
        await hung_up.wait()
    finally:
        server.close()
        await server.wait_closed()
    assert (await post(f"http://127.0.0.1:{port}/", *ALLOWED)).error == "refused"
    assert (await post("https://no-such-name.invalid/")).error == "name-unknown"


async def test_a_path_that_hangs_does_not_delay_its_neighbours_at_the_same_host():
    """Endpoints of many merchants may share one host."""
    hanging, released = asyncio.Semaphore(0), asyncio.Event()

    class Mixed(Sink):
        async def hear(self, request: web.Request) -> web.StreamResponse:
            if request.path == "/hangs":
                hanging.release()
                await released.wait()
            return web.Response(status=204)

    async with (
        listening(Mixed()) as sink,
        Outgoing(SystemClock(), guard=AllowList(ALLOWED), total_ms=30_000) as outgoing,
    ):
        slow_url = sink.url.replace("/hooks", "/hangs")
        slow = [asyncio.create_task(outgoing.post(slow_url, b"{}", {})) for _ in range(64)]
        for _ in slow:
            await asyncio.wait_for(hanging.acquire(), 5)
        quick = await asyncio.wait_for(outgoing.post(sink.url, b"{}", {}), 5)
        released.set()
        assert quick.status == 204
        assert {posted.status for posted in await asyncio.gather(*slow)} == {204}


async def test_without_a_guard_our_own_house_is_called(sink: Sink):
    """A provider's notice goes to our own door, which stands inside."""
    async with Outgoing(SystemClock(), guard=None) as outgoing:
        assert (await outgoing.post(sink.url, b"{}", {})).status == 204
        name = sink.url.replace("127.0.0.1", "localhost")
        assert (await outgoing.post(name, b"{}", {})).status == 204
