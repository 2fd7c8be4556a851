"""Whatever can be posted, posted wrongly: every order of the three documents, out of themselves.

A new route is tried as soon as it is in a table. Each answer is a clear no in JSON, and no book, no
mailbox and no restart tells of the attempt.
"""

import json
import socket
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from actors.cli.chaos.house import House
from payrail.domain.books import CARD_ACCESS_BOOK
from tests.scenarios.living import lines, raw_request, sizes
from tests.scenarios.shop import Shop

pytestmark = pytest.mark.scenario
TRACES = ("data/ledger", "data/outbox", "data/access", "data/vault", "mailboxes")
#: What is said before a body is looked at: whose key it is, and what the path names.
FIRST = ("not-found", "forbidden", "unauthenticated")
NUMBERS = ("1e400", "NaN", "1.5", "true", '"\u0661\u0662"', "[1]", "9" * 400, str(2**64))
BODIES = {
    "half": b'{"a":1',
    "a key twice": b'{"a":1,"a":2}',
    "NaN": b'{"a":NaN}',
    "1e400": b'{"a":1e400}',
    "deep": b'{"a":' * 1_000 + b"1" + b"}" * 1_000,
    "bad UTF-8": b'{"a":"\xff\xfe"}',
    "half a surrogate": rb'{"a":"\ud800"}',
    "a zero": rb'{"a":"\u0000"}',
    "UTF-16": '{"a":1}'.encode("utf-16"),
}


class Order(NamedTuple):
    """One operation that takes a body: where, and what it would take."""

    door: str
    method: str
    path: str
    example: dict[str, Any]
    properties: dict[str, Any]


@pytest.fixture(autouse=True)
def nothing_is_written(house: House) -> Iterator[None]:
    """The sizes of books and mailboxes are the same before and after; and the house serves. A look
    for a card without a right key is nothing but its line in the access log."""
    before, looked = sizes(house.home, *TRACES), len(lines(house.home / CARD_ACCESS_BOOK))
    yield
    refused = [line["outcome"] for line in lines(house.home / CARD_ACCESS_BOOK)[looked:]]
    assert set(refused) <= {"refused:unauthenticated"}
    for path in (CARD_ACCESS_BOOK, "mailboxes/vault/vault.http.jsonl"):
        before[path] += len(refused)
    assert sizes(house.home, *TRACES) == before
    assert all((row["state"], row["restarts"]) == ("serving", 0) for row in house.rows())


@pytest.fixture(scope="module")
def orders(house: House) -> list[Order]:
    found = []
    for door in ("API", "VAULT", "PROVIDER"):
        told = _document(house, door)
        for path, operations in told["paths"].items():
            for method, operation in operations.items():
                body = operation.get("requestBody", {}).get("content", {}).get("application/json")
                if body is not None and not path.startswith("/challenges"):
                    name = body["schema"]["$ref"].rpartition("/")[2]
                    properties = told["components"]["schemas"][name].get("properties", {})
                    made = _path(path, operation)
                    found.append(Order(door, method.upper(), made, body["example"], properties))
    assert len(found) > 20
    return found


class Asking:
    """Sends bytes to any door with a key that may do everything there."""

    def __init__(self, house: House, shop: Shop) -> None:
        internal = (house.home / "data/secrets/internal").read_text().strip()
        self._house = house
        self._keys = {"API": shop.keys["admin"], "VAULT": shop.keys["admin"], "PROVIDER": internal}

    def post(
        self, order: Order, body: bytes, head: str = "", kind: str = "application/json"
    ) -> Any:
        """The problem, after it was checked for being one."""
        text = (
            f"{order.method} {order.path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            f"Authorization: Bearer {self._keys[order.door]}\r\nIdempotency-Key: k_hostile\r\n"
            f"Content-Type: {kind}\r\n{head or _length(body)}\r\n"
        )
        status, headers, answer = raw_request(
            self._house.ports[order.door], text.encode("utf-8", "surrogateescape") + body
        )
        assert 400 <= status < 500, (order, body[:80], answer)
        assert headers["content-type"].startswith("application/problem+json")
        problem = json.loads(answer)
        assert problem["status"] == status
        assert problem["detail"]
        return problem


@pytest.fixture(scope="module")
def asking(house: House, shop: Shop) -> Asking:
    return Asking(house, shop)


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_what_is_no_strict_json_is_refused_by_every_order(
    asking: Asking, orders: list[Order], body: bytes
):
    """400 `malformed-json`, unless the key may not, or what the path names is not there."""
    for order in orders:
        assert asking.post(order, body)["code"] in ("malformed-json", *FIRST), order


def test_a_field_that_nobody_knows_is_named_by_every_order(asking: Asking, orders: list[Order]):
    """422 with the field, however good the rest is."""
    for order in orders:
        body = json.dumps({**order.example, "surprise": 1}).encode()
        problem = asking.post(order, body)
        if problem["code"] not in FIRST:
            assert problem["code"] == "validation-error", order
            assert "surprise" in [one["field"] for one in problem["errors"]], order


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_that_is_none_is_refused_by_every_order(
    asking: Asking, orders: list[Order], number: str
):
    """In each whole-number field: 422 that names it and what it must be; 400 for what JSON has
    not."""
    for order in orders:
        for field, schema in order.properties.items():
            if schema.get("type") != "integer":
                continue
            rest = {name: value for name, value in order.example.items() if name != field}
            body = json.dumps(rest).removesuffix("}") + f',"{field}":{number}}}'
            problem = asking.post(order, body.replace("{,", "{").encode())
            assert problem["code"] in ("validation-error", "malformed-json", *FIRST)
            if problem["code"] == "validation-error":
                wrong = {
                    one["field"].partition(".")[0]: one["message"] for one in problem["errors"]
                }
                assert wrong.get(field), (order, problem)


def test_bodies_that_are_too_long_or_of_another_kind_are_refused(
    asking: Asking, orders: list[Order]
):
    """413 for more than it takes, before it is parsed; 415 for what does not say it is JSON."""
    for order in orders:
        assert asking.post(order, b"[" * 100_000)["code"] in ("body-too-large", *FIRST)
        told = asking.post(order, b"{}", kind="text/plain")["code"]
        assert told in ("unsupported-media-type", *FIRST), order


@pytest.mark.parametrize(
    "head",
    [
        "Content-Length: 2\r\nContent-Length: 3\r\n",
        "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Content-Length: +2\r\n",
        "Content-Length: 2, 2\r\n",
        "Content-Length : 2\r\n",
        "Transfer-Encoding: chunked\r\nX: a\r\n b\r\n",
    ],
)
def test_a_body_with_two_ends_is_refused_and_nothing_follows(
    asking: Asking, orders: list[Order], head: str
):
    """What two readers could cut differently is cut by none: 400, and the connection closes."""
    for order in orders[:6]:
        assert asking.post(order, b"{}", head)["status"] == 400


def test_chunks_that_are_garbage_are_refused(asking: Asking, orders: list[Order]):
    """A length that is none, or a body that stops within its chunk."""
    for garbage in (b"zz\r\n{}\r\n0\r\n\r\n", b"-1\r\n{}\r\n0\r\n\r\n", b"2;\n{}\r\n0\r\n\r\n"):
        for order in orders[:6]:
            told = asking.post(order, garbage, "Transfer-Encoding: chunked\r\n")
            assert told["status"] in (400, 404), (order, garbage)


@pytest.mark.parametrize(
    "query", ["surprise=1", "limit=\u0661\u0660", "limit=1&limit=2", "limit=-1", "limit=1e2"]
)
def test_every_list_says_which_parameter_cannot_be_meant(house: House, shop: Shop, query: str):
    """422 that names it: unknown ones, Arabic digits, one that is there twice."""
    paths = _document(house, "API")["paths"]
    asked = 0
    for path, operations in paths.items():
        names = [one["name"] for one in operations.get("get", {}).get("parameters", ())]
        if "limit" in names and "{" not in path:
            answer = shop.get(f"{path}?{query.encode().decode('latin-1').translate(_QUOTED)}")
            assert answer.status == 422, (path, answer.body)
            assert answer.body["errors"][0]["field"] == query.partition("=")[0]
            asked += 1
    assert asked >= 6


def test_a_path_of_another_method_says_which_it_takes(house: House, orders: list[Order]):
    """405 with Allow, at every path that takes an order."""
    for order in orders:
        text = f"PUT {order.path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        status, headers, _ = raw_request(house.ports[order.door], text.encode())
        assert status == 405
        assert order.method in headers["allow"]


def test_long_addresses_and_heads_are_refused(house: House):
    """The answer is JSON also when the request never got as far as a route."""
    for line in (f"GET /{'a' * 20_000} HTTP/1.1\r\n", f"GET / HTTP/1.1\r\nA: {'b' * 20_000}\r\n"):
        for door in ("API", "VAULT", "PROVIDER"):
            data = f"{line}Host: x\r\nConnection: close\r\n\r\n".encode()
            status, headers, _ = raw_request(house.ports[door], data)
            assert status in (400, 414, 431)
            assert headers["content-type"].startswith("application/problem+json")


def test_a_hundred_bytes_one_by_one_end_nobody_else(house: House, shop: Shop):
    """Whoever dawdles over a head keeps nobody waiting."""
    with socket.create_connection(("127.0.0.1", house.ports["API"])) as slow:
        for byte in b"POST /payment-intents HTTP/1.1\r\nHost":
            slow.send(bytes([byte]))
            assert byte
        assert shop.get("/ready").status == 200


_QUOTED = {code: f"%{code:02X}" for code in range(0x80, 0x100)}


def _length(body: bytes) -> str:
    return f"Content-Length: {len(body)}\r\n"


def _document(house: House, door: str) -> dict[str, Any]:
    data = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    status, _, body = raw_request(house.ports[door], data)
    assert status == 200
    found: dict[str, Any] = json.loads(body)
    return found


def _path(path: str, operation: dict[str, Any]) -> str:
    """The path with the examples of its parameters in their places."""
    for one in operation.get("parameters", ()):
        if one["in"] == "path":
            schema = one["schema"]
            value = schema.get("examples", [schema.get("minimum", "x")])[0]
            path = path.replace(f"{{{one['name']}}}", str(value))
    return path
