"""Webhooks of a real house: a slow endpoint, one that gives up, one that is gone, and a shop that
verifies with another language's library."""

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from actors.cli.chaos.house import House
from actors.cli.letters import read_letters
from actors.dispatcher.settings import Policy
from tests.scenarios.living import lines, living, until
from tests.scenarios.shop import Shop

pytestmark = pytest.mark.scenario
DELIVERIES = "data/outbox/deliveries.jsonl"


class Endpoint:
    """One path of the sink: what it answers, and what it heard."""

    def __init__(self) -> None:
        self.status = 204
        self.headers: dict[str, str] = {}
        self.open = threading.Event()  # while it is not set, nobody is answered
        self.open.set()
        self.heard: list[tuple[dict[str, str], bytes]] = []

    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.heard]


class Sink(ThreadingHTTPServer):
    """Endpoints by path; made when they are asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.endpoints: dict[str, Endpoint] = {}

    def at(self, path: str) -> Endpoint:
        return self.endpoints.setdefault(path, Endpoint())

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Sink

    def do_POST(self) -> None:
        endpoint = self.server.at(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        endpoint.heard.append(({k.lower(): v for k, v in self.headers.items()}, body))
        endpoint.open.wait(30)
        try:
            self.send_response(endpoint.status)
            for name, value in endpoint.headers.items():
                self.send_header(name, value)
            self.end_headers()
        except OSError:
            pass  # Whoever asked did not wait so long.

    def log_message(self, *_args: Any) -> None: ...


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    server = Sink()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        for endpoint in server.endpoints.values():
            endpoint.open.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def house(sink: Sink, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    settings = {"PAYRAIL_WEBHOOK_ALLOW": sink.place, "PAYRAIL_WEBHOOK_SCHEDULE": "demo"}
    with living(tmp_path_factory.mktemp("house"), settings) as house:
        yield house


def add(shop: Shop, sink: Sink, path: str, *events: str) -> dict[str, Any]:
    order = {"url": f"http://{sink.place}{path}", "events": list(events)}
    answer = shop.post("/webhook-endpoints", order)
    assert answer.status == 201
    found: dict[str, Any] = answer.body
    return found


def order(shop: Shop, endpoint: dict[str, Any], verb: str) -> dict[str, Any]:
    answer = shop.post(f"/webhook-endpoints/{endpoint['id']}/{verb}", {})
    assert answer.status == 200
    found: dict[str, Any] = answer.body
    return found


def attempts(house: House, endpoint: dict[str, Any]) -> list[dict[str, Any]]:
    found = lines(house.home / DELIVERIES)
    return [line for line in found if line["endpoint_id"] == endpoint["id"]]


def test_a_shop_verifies_what_it_gets_and_the_correlation_id_goes_with_it(
    house: House, shop: Shop, sink: Sink
):
    """The body is the event that `GET /events` shows; the head carries the request's id."""
    endpoint = add(shop, sink, "/plain")
    created = shop.create(shop.tokenize())

    (headers, body), *_ = until(lambda: sink.at("/plain").heard, "the event arrived")

    event = Webhook(endpoint["secret"]).verify(body, headers)
    assert event["type"] == "payment.created"
    assert event["data"]["object"]["id"] == created.body["id"]
    assert headers["x-correlation-id"] == created.headers["X-Correlation-Id"]
    assert headers["content-type"] == "application/json"
    listed = shop.get("/events?limit=1000").body["data"]
    assert json.loads(body) in listed
    until(lambda: attempts(house, endpoint), "the attempt is written down")
    (shown, *_) = shop.get(f"/deliveries?endpoint_id={endpoint['id']}").body["data"]
    assert (shown["event_id"], shown["status"]) == (event["id"], 204)
    order(shop, endpoint, "disable")


def test_a_slow_endpoint_delays_nobody(house: House, shop: Shop, sink: Sink):
    """While one endpoint answers nothing, another one has every event within moments."""
    slow, quick = add(shop, sink, "/slow"), add(shop, sink, "/quick")
    sink.at("/slow").open.clear()
    token = shop.tokenize()

    for _ in range(20):
        assert shop.create(token).status == 201
    until(lambda: len(sink.at("/quick").heard) == 20, "the quick one has all of them", 4)

    assert len(sink.at("/slow").heard) <= Policy().flying_max
    assert attempts(house, slow) == []
    sink.at("/slow").open.set()
    until(lambda: len(set(sink.at("/slow").ids())) == 20, "the slow one has all of them")
    for endpoint in (slow, quick):
        order(shop, endpoint, "disable")


def test_what_is_given_up_is_a_dead_letter_that_can_be_delivered_again(
    house: House, shop: Shop, sink: Sink
):
    """Four attempts, then `exhausted`; a replay delivers the same id; twice is harmless."""
    endpoint = add(shop, sink, "/broken", "payment.created")
    sink.at("/broken").status = 500
    shop.create(shop.tokenize())
    (letter,) = until(
        lambda: [one for one in read_letters(house.home) if one["actor"] == "dispatcher"],
        "it was given up",
    )
    assert (letter["why"], letter["state"]) == ("exhausted", "open")
    assert [line["status"] for line in attempts(house, endpoint)] == [500] * 4

    sink.at("/broken").status = 200
    for _ in range(2):
        assert house.cli("dlq", "replay", letter["id"]).returncode == 0
    until(lambda: len(attempts(house, endpoint)) == 5, "it was delivered")
    assert len(set(sink.at("/broken").ids())) == 1
    assert len({body for _, body in sink.at("/broken").heard}) == 1
    order(shop, endpoint, "disable")


def test_a_gone_endpoint_is_disabled_and_catches_up_when_it_is_enabled(
    house: House, shop: Shop, sink: Sink
):
    """410 disables it with the reason; what came meanwhile arrives when it is enabled again."""
    endpoint = add(shop, sink, "/gone", "payment.created")
    sink.at("/gone").status = 410
    token = shop.tokenize()
    shop.create(token)
    path = f"/webhook-endpoints/{endpoint['id']}"
    until(lambda: shop.get(path).body["state"] == "disabled", "it is disabled")
    assert shop.get(path).body["disabled_reason"] == "gone"
    shop.create(token)

    sink.at("/gone").status = 204
    order(shop, endpoint, "enable")
    until(lambda: len(set(sink.at("/gone").ids())) == 2, "both have arrived")
    until(lambda: [a["status"] for a in attempts(house, endpoint)][-2:] == [204] * 2, "written")
    order(shop, endpoint, "disable")


def test_two_secrets_sign_until_the_old_one_has_ended(house: House, shop: Shop, sink: Sink):
    """After a rotation both verify; a redirect meanwhile is a failure and is not followed."""
    endpoint = add(shop, sink, "/rotated", "payment.created")
    rotated = order(shop, endpoint, "rotate-secret")
    assert rotated["secret"] != endpoint["secret"]
    sink.at("/rotated").status = 302
    sink.at("/rotated").headers = {"Location": "/elsewhere"}
    shop.create(shop.tokenize())

    (headers, body), *_ = until(lambda: sink.at("/rotated").heard, "the event arrived")
    assert len(headers["webhook-signature"].split()) == 2
    for secret in (rotated["secret"], endpoint["secret"]):
        Webhook(secret).verify(body, headers)
    until(lambda: attempts(house, endpoint), "the attempt is written down")
    assert attempts(house, endpoint)[0]["status"] == 302
    assert sink.at("/elsewhere").heard == []
    order(shop, endpoint, "disable")


def test_no_secret_lies_in_any_file(house: House):
    """Secrets are derived where they are needed, and shown once."""
    for path in house.home.rglob("*"):
        if path.is_file():
            assert b"whsec_" not in path.read_bytes(), path


def test_the_library_of_another_language_verifies(
    house: House, shop: Shop, sink: Sink, tmp_path: Path
):
    """npm's `standardwebhooks` accepts our signature; without node there is nothing to show."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.xfail("node and npm are not installed")
    endpoint = add(shop, sink, "/node", "payment.created")
    shop.create(shop.tokenize())
    (headers, body), *_ = until(lambda: sink.at("/node").heard, "the event arrived")
    if not _fetched(tmp_path):
        pytest.xfail("npm cannot fetch the library here")
    script = (
        'const {Webhook} = require("standardwebhooks");'
        "const [secret, headers, body] = JSON.parse(require('fs').readFileSync(0, 'utf8'));"
        "console.log(new Webhook(secret).verify(body, headers).id);"
    )
    told = json.dumps([endpoint["secret"], headers, body.decode()])
    ran = subprocess.run(
        ["node", "-e", script], cwd=tmp_path, input=told, capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == headers["webhook-id"]


def _fetched(folder: Path) -> bool:
    """Whether npm could put the library there, within a while."""
    command = ["npm", "install", "--silent", "--no-fund", "--no-audit", "standardwebhooks@1"]
    try:
        ran = subprocess.run(command, cwd=folder, check=False, capture_output=True, timeout=30)
    except subprocess.TimeoutExpired:
        return False
    return ran.returncode == 0
