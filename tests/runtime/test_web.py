"""The HTTP listener on a real socket, with the requests that people send who mean no good."""

import asyncio
import io
import json

import pytest
from aiohttp import web

from payrail.errors import RequestError
from payrail.logs import make_logger
from payrail.web.bodies import Body, read_json, read_object
from payrail.web.heads import bearer, path_id
from payrail.web.server import make_app, serve

CARD = "4000000000000002"


class Counting:
    def __init__(self):
        self.made = 0

    def token_hex(self, size_bytes):
        self.made += 1
        return f"{self.made:0{2 * size_bytes}x}"


class Order(Body):
    amount: int


async def create(request):
    order = await read_json(request, Order)
    return web.json_response({"amount": order.amount}, status=201)


async def confirm(request):
    return web.json_response(await read_object(request, empty_ok=True))


async def show(request):
    return web.json_response({"id": path_id(request)})


async def refuse(request):
    raise RequestError(409, "illegal-transition", "Not now.", extra={"legal": ["cancel"]})


async def fail(request):
    number = CARD
    raise RuntimeError(f"lost {number}")


async def whoami(request):
    return web.json_response({"key": bearer(request)})


async def stream(request):
    answer = web.StreamResponse()
    await answer.prepare(request)
    await answer.write(b"x")
    return answer


class House:
    """A listener, and a way to send it raw bytes."""

    def __init__(self, port, logged):
        self.port, self.logged = port, logged

    async def send(self, data, *, end=False):
        """Status, headers by lower-case name and body of the first answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(data)
            await writer.drain()
            if end:
                writer.write_eof()
            return await asyncio.wait_for(self._answer(reader), 5)
        finally:
            writer.close()

    async def ask(self, method, path, body=b"", **headers):
        shown = {
            "Host": "x",
            "Content-Length": str(len(body)),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in shown.items())
        return await self.send(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body)

    async def post(self, body, path="/orders"):
        return await self.ask("POST", path, body, Content_Type="application/json")

    async def _answer(self, reader):
        status = int((await reader.readline()).split()[1])
        headers = {}
        while (line := await reader.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        return status, headers, body


@pytest.fixture
async def house():
    logged = io.BytesIO()
    app = make_app(rng=Counting(), log=make_logger("frontdoor", logged))
    app.router.add_post("/orders", create)
    app.router.add_post("/orders/{id}/confirm", confirm)
    app.router.add_get("/orders/{id}", show)
    app.router.add_get("/refuse", refuse)
    app.router.add_get("/fail", fail)
    app.router.add_get("/whoami", whoami)
    app.router.add_get("/stream", stream)
    runner = await serve(app, "127.0.0.1", 0)
    yield House(runner.addresses[0][1], logged)
    await runner.cleanup()


def is_problem(answer, status, code):
    """Check an answer as a problem with every field, and give its fields."""
    found, headers, body = answer
    fields = json.loads(body)
    assert (found, fields["status"], fields["code"]) == (status, status, code)
    assert headers["content-type"].startswith("application/problem+json")
    assert fields["correlation_id"] == headers["x-correlation-id"]
    assert fields.keys() >= {"type", "title", "detail", "retryable", "errors"}
    return fields


async def test_a_good_request_is_served(house):
    """The answer carries a made correlation id and names no library."""
    status, headers, body = await house.post(b'{"amount":5}')

    assert (status, body) == (201, b'{"amount": 5}')
    assert headers["x-correlation-id"] == "cor_0000000000000001"
    assert not headers.get("server")


@pytest.mark.parametrize("path", ["/orders/pi_1", "/stream", "/nowhere", "/refuse", "/fail"])
async def test_a_given_correlation_id_is_on_every_answer(house, path):
    """Found, streamed, missing, refused or failed: the client's id comes back."""
    _, headers, _ = await house.ask("GET", path, X_Correlation_Id="mine-1")

    assert headers["x-correlation-id"] == "mine-1"


@pytest.mark.parametrize("given", ["x" * 8_000, "a\x1b[31mb", "a b", "é", CARD])
async def test_a_bad_correlation_id_is_not_repeated(house, given):
    """Whatever was sent instead of an id, it is in no answer."""
    status, headers, body = await house.ask("GET", "/orders/pi_1", X_Correlation_Id=given)

    assert headers["x-correlation-id"].startswith("cor_")
    assert given.encode() not in body
    assert status in (200, 400)  # The parser itself refuses control characters.


async def test_no_path_is_a_problem(house):
    """404 is JSON."""
    is_problem(await house.ask("GET", "/nowhere"), 404, "not-found")


async def test_a_wrong_method_names_the_right_ones(house):
    """405 is JSON and has Allow."""
    answer = await house.ask("DELETE", "/orders")

    is_problem(answer, 405, "method-not-allowed")
    assert answer[1]["allow"] == "POST"


async def test_a_refusal_is_a_problem(house):
    """A handler's refusal reaches the client with its own fields."""
    assert is_problem(await house.ask("GET", "/refuse"), 409, "illegal-transition")["legal"] == [
        "cancel"
    ]


async def test_a_fault_is_ours_and_keeps_its_secrets(house):
    """500 says nothing of the error; the log has it under the same id, without the card."""
    answer = await house.ask("GET", "/fail")

    fields = is_problem(answer, 500, "internal-error")
    line = json.loads(house.logged.getvalue())
    assert b"lost" not in answer[2]
    assert line["correlation_id"] == fields["correlation_id"]
    assert line["error"]["message"] == "lost ************0002"
    assert CARD.encode() not in house.logged.getvalue()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{'amount':5}",
        b'{"amount":5,"amount":6}',
        b'{"amount":NaN}',
        b'{"amount":1e400}',
        b'{"amount":5,"x":"\xe2\x80\xa8"}',
        b'{"amount":5,"x":"\\u2028"}',
        b'{"amount":5,"x":"\\ud800"}',
        b'{"amount":5}\xff',
        b"[" * 10_000,
        b'{"a":' * 2_000 + b"1" + b"}" * 2_000,
    ],
)
async def test_anything_but_strict_json_is_refused(house, body):
    """400 for bytes that two readers could read in two ways, or none can."""
    is_problem(await house.post(body), 400, "malformed-json")


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"5", b"null", b"{}", b'{"amount":"5"}'])
async def test_the_wrong_shape_is_refused(house, body):
    """422 for JSON that is no such object."""
    is_problem(await house.post(body), 422, "validation-error")


async def test_depth_of_a_hundred_thousand_is_refused_by_size(house):
    """Nothing is parsed of a body that is too large."""
    is_problem(await house.post(b"[" * 100_000), 413, "body-too-large")


async def test_a_hundred_megabytes_are_refused_at_once(house):
    """By its announced length, before a byte of it was sent; the connection ends."""
    answer = await house.ask(
        "POST", "/orders", Content_Type="application/json", Content_Length="104857600"
    )

    is_problem(answer, 413, "body-too-large")
    assert answer[1]["connection"] == "close"


async def test_an_unannounced_length_is_refused_while_reading(house):
    """Chunks without end are cut off at the limit."""
    head = b"POST /orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    chunk = b"1000\r\n" + b" " * 0x1000 + b"\r\n"

    answer = await house.send(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 6)

    is_problem(answer, 413, "body-too-large")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content_Type": "text/plain"},
        {"Content_Type": "application/x-www-form-urlencoded"},
        {"Content_Type": "application/jsonp"},
        {"Content_Type": "application/json", "Content_Encoding": "gzip"},
    ],
)
async def test_only_json_is_taken(house, headers):
    """415 for any other content type, and for compressed bodies."""
    answer = await house.ask("POST", "/orders", b'{"amount":5}', **headers)

    is_problem(answer, 415, "unsupported-media-type")


async def test_a_charset_does_no_harm(house):
    """`application/json; charset=utf-8`, in any case, is JSON."""
    answer = await house.ask(
        "POST", "/orders", b'{"amount":5}', Content_Type="Application/JSON; charset=utf-8"
    )

    assert answer[0] == 201


async def test_a_verb_may_come_without_a_body(house):
    """Where a body is optional, none is an empty object, and one is still checked."""
    assert (await house.ask("POST", "/orders/pi_1/confirm"))[2] == b"{}"
    assert (await house.post(b'{"a":1}', "/orders/pi_1/confirm"))[2] == b'{"a": 1}'
    is_problem(await house.post(b"{", "/orders/pi_1/confirm"), 400, "malformed-json")


@pytest.mark.parametrize(
    "path",
    [
        "/orders/../orders",
        "/orders/..",
        "/orders/..%2F..%2Fetc",
        "/orders/%2e%2e",
        "/orders/a%00b",
        "/orders/%0d%0aX:1",
        "/orders/a%20b",
        "/orders/" + "x" * 65,
        "/orders/%E2%80%A8",
    ],
)
async def test_a_path_holds_ids_and_nothing_else(house, path):
    """Steps upwards, controls and lengths that no id has are 404 (or 405), and never repeated."""
    status, headers, body = await house.ask("GET", path)

    assert status in (404, 405)
    assert headers["content-type"].startswith("application/problem+json")
    assert b"etc" not in body


async def test_a_key_in_the_query_is_not_seen(house):
    """401 with the challenge, whatever the query says."""
    answer = await house.ask("GET", "/whoami?authorization=Bearer%20sk_test_1&api_key=sk_test_1")

    is_problem(answer, 401, "unauthenticated")
    assert answer[1]["www-authenticate"].startswith("Bearer")
    assert (await house.ask("GET", "/whoami", Authorization="Bearer sk_test_1"))[0] == 200


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk_canary\x00\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Big: " + b"a" * 20_000 + b"\r\n\r\n",
        b"POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
        b"POST /orders HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
async def test_what_is_not_http_gets_a_problem_too(house, data):
    """Bytes that the parser refuses meet JSON with an id, and are neither repeated nor logged."""
    answer = await house.send(data)

    assert 400 <= answer[0] < 500
    is_problem(answer, answer[0], json.loads(answer[2])["code"])
    assert not answer[1].get("server")
    assert b"canary" not in answer[2] + house.logged.getvalue()


async def test_a_connection_serves_many_requests(house):
    """Two requests on one connection get two answers, each with an id of its own."""
    data = b"GET /orders/pi_1 HTTP/1.1\r\nHost: x\r\n\r\n"
    last = b"GET /orders/pi_2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(data + last)
    answers = (await asyncio.wait_for(reader.read(), 5)).decode()
    writer.close()

    assert answers.count("HTTP/1.1 200") == 2
    assert "cor_0000000000000001" in answers
    assert "cor_0000000000000002" in answers
