"""What an attacker tries on the listeners, and what it gets."""

import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from actors.frontdoor.heads import idempotency_key
from payrail.errors import RequestError
from payrail.logs import make_logger
from payrail.runtime.sim import SimRng
from payrail.web import server


@pytest.mark.parametrize(
    "key",
    [
        "4111111111111111",
        "4111-1111-1111-1111",
        "order:4111 1111 1111 1111",
        "3782-822463-10005",
        "abc4242424242424242def",
    ],
)
def test_a_card_number_as_an_idempotency_key_is_refused(key: str):
    """Keys are written to books in clear, so a card number must not be one, however grouped."""
    with pytest.raises(RequestError) as refused:
        idempotency_key(make_mocked_request("POST", "/", headers={"Idempotency-Key": key}))
    assert refused.value.code == "idempotency-key-invalid"


@pytest.mark.parametrize(
    "key",
    [
        "2026-02-09-1234-5678",
        "4111-1111-1111-1112",
        "41111111-1111-1111-1111-111111111111",
        "order-4111-1111",
        "a371449635398001",
        "4992739871600bff",
    ],
)
def test_a_key_that_only_looks_like_numbers_is_taken(key: str):
    request = make_mocked_request("POST", "/", headers={"Idempotency-Key": key})
    assert idempotency_key(request) == key


async def health(_request: web.Request) -> web.Response:
    return web.json_response({})


@pytest.mark.parametrize("sent", [b"", b"GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: "])
async def test_a_connection_that_never_asks_is_closed(sent: bytes, monkeypatch: pytest.MonkeyPatch):
    """Thousands of half-open requests must not use up the front door's descriptors."""
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.05)
    app = server.make_app(rng=SimRng(1), log=make_logger("frontdoor", _Nowhere()))
    app.router.add_get("/health", health)
    runner = await server.serve(app, "127.0.0.1", 0)
    try:
        port = runner.addresses[0][1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
        await _stays_open_once_it_asked(port)
    finally:
        await runner.cleanup()


async def _stays_open_once_it_asked(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(2):
        writer.write(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        await reader.readexactly(2)
        await asyncio.sleep(0.1)
    writer.close()


class _Nowhere:
    def write(self, data: bytes) -> object:
        return data
