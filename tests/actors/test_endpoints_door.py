"""Webhook endpoints and deliveries over HTTP: who may, what is checked, and when a secret shows."""

import json
from typing import Any

import pytest

from payrail.domain.books import ACCESS_BOOK
from payrail.domain.endpoints import Endpoint as Known
from payrail.domain.endpoints import EndpointAdded, EndpointDeleted, render_endpoint
from payrail.domain.webhooks import FILTERS_MAX
from payrail.security.webhook_secrets import webhook_secret
from payrail.storage.lines import encode
from tests.actors.doors import AT, HOUSE_SECRET, book, open_door

PATH = "/webhook-endpoints"
URL = "https://93.184.215.14/hooks"  # an address, so that no test asks a name server
MINE, THEIRS, GONE = (f"we_{letter * 16}" for letter in "abc")
DELIVERIES = "data/outbox/deliveries.jsonl"


def added(endpoint_id: str, merchant: str = "m_001") -> EndpointAdded:
    return EndpointAdded(endpoint_id, merchant, URL, ["payment.*"], 0, "usr_1", AT)


def known(home) -> None:
    """An endpoint of each merchant, and one that was deleted; behind the demo's records."""
    lines = (home / ACCESS_BOOK).read_bytes().splitlines()
    last = json.loads(lines[-1])
    records = [added(MINE), added(THEIRS, "m_002"), added(GONE), EndpointDeleted(GONE, "u", AT)]
    book(home, ACCESS_BOOK, records, last["seq"], last["hash"])


def gateway(envelope: Any) -> Any:
    """Answers as the gateway does: with the endpoint, and without a secret."""
    body = json.loads(bytes(envelope.body))
    shown = render_endpoint(Known(MINE, "m_001", URL, [], 0, AT, AT, version=3))
    return (201 if envelope.kind == "endpoint.add" else 200), {}, encode({**shown, "asked": body})


async def test_an_added_endpoint_shows_its_secret_once(tmp_path):
    """The 201 carries the secret; neither the mailbox nor any later read does."""
    async with open_door(tmp_path, gateway=gateway) as door:
        known(tmp_path)
        status, _, body = await door.ask("POST", PATH, {"url": URL, "events": ["refund.*"]})
        assert status == 201
        assert body["secret"] == webhook_secret(HOUSE_SECRET.encode(), MINE, 3)
        (asked,) = door.gateway.asked
        order = json.loads(bytes(asked.body))
        assert (asked.kind, order["url"], order["events"]) == ("endpoint.add", URL, ["refund.*"])
        assert (order["merchant_id"], order["role"]) == ("m_001", "admin")
        assert order["idempotency_key"].startswith("door-")

        status, _, body = await door.ask("POST", f"{PATH}/{MINE}/rotate-secret")
        assert (status, body["secret"][:6]) == (200, "whsec_")
        for path in (PATH, f"{PATH}/{MINE}"):
            _, _, body = await door.ask("GET", path)
            assert "secret" not in json.dumps(body).replace("secret_", "")
        status, _, body = await door.ask("POST", f"{PATH}/{MINE}/disable")
        assert (status, "secret" in body) == (200, False)
    assert b"whsec_" not in b"".join(
        path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()
    )


async def test_a_key_that_was_sent_is_the_one_that_counts(tmp_path):
    """An Idempotency-Key is optional here; a bad one is refused."""
    async with open_door(tmp_path, gateway=gateway) as door:
        await door.ask("POST", PATH, {"url": URL}, Idempotency_Key="k1")
        assert json.loads(bytes(door.gateway.asked[0].body))["idempotency_key"] == "k1"
        status, _, body = await door.ask("POST", PATH, {"url": URL}, Idempotency_Key='"')
        assert (status, body["code"]) == (400, "idempotency-key-invalid")


@pytest.mark.parametrize(
    "url",
    [
        "http://93.184.215.14/",
        "https://127.0.0.1/",
        "https://0x7f000001/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.1/",
        "https://100.64.0.1/",
        "https://0.0.0.0/",
        "https://user:pw@93.184.215.14/",
        "https://93.184.215.14:22/",
        "ftp://93.184.215.14/",
        "file:///etc/passwd",
        "https://localhost/",
        "https://no-such-name.invalid/",
        "not a url",
    ],
)
async def test_a_url_that_may_not_be_called_is_refused_at_once(tmp_path, url):
    """422 that names the field and the remedy and repeats nothing; the gateway is not asked."""
    async with open_door(tmp_path, gateway=gateway) as door:
        known(tmp_path)
        for method, path in (("POST", PATH), ("PATCH", f"{PATH}/{MINE}")):
            status, _, body = await door.ask(method, path, {"url": url})
            assert (status, body["code"]) == (422, "endpoint-not-allowed")
            assert body["errors"][0]["field"] == "url"
            assert url not in json.dumps(body)
        assert door.gateway.asked == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": ""}, "url"),
        ({"url": 7}, "url"),
        ({"url": URL + "a" * 1_024}, "url"),
        ({"url": URL, "events": ["payment"]}, "events.0"),
        ({"url": URL, "events": ["*"] * (FILTERS_MAX + 1)}, "events"),
        ({"url": URL, "secret": "mine"}, "secret"),
    ],
)
async def test_a_body_that_does_not_fit_names_its_field(tmp_path, body, field):
    """422 with the field; nothing is asked of the gateway."""
    async with open_door(tmp_path, gateway=gateway) as door:
        status, _, told = await door.ask("POST", PATH, body)
        assert (status, told["code"]) == (422, "validation-error")
        assert told["errors"][0]["field"] == field
        assert door.gateway.asked == []


async def test_only_admins_and_operators_say_where_webhooks_go(tmp_path):
    """Others read; without a key nobody does; a publishable key may neither."""
    async with open_door(tmp_path, gateway=gateway) as door:
        known(tmp_path)
        for role, may in (("operator", 201), ("approver", 403), ("viewer", 403), ("auditor", 403)):
            key = door.key(role)
            assert (await door.ask("POST", PATH, {"url": URL}, key=key))[0] == may
            assert (await door.ask("GET", PATH, key=key))[0] == 200
        assert (await door.ask("GET", PATH, key=door.key("publishable")))[0] == 403
        assert (await door.ask("GET", PATH, key=""))[0] == 401


async def test_another_merchants_endpoint_is_not_there(tmp_path):
    """404 as for one that never was, for each verb; the list has one's own alone."""
    async with open_door(tmp_path, gateway=gateway) as door:
        known(tmp_path)
        for about in (THEIRS, GONE, "we_none", "..%2Fsecrets"):
            for method, path, body in (
                ("GET", f"{PATH}/{about}", None),
                ("PATCH", f"{PATH}/{about}", {"events": []}),
                ("DELETE", f"{PATH}/{about}", None),
                ("POST", f"{PATH}/{about}/rotate-secret", None),
                ("POST", f"{PATH}/{about}/enable", None),
            ):
                status, _, told = await door.ask(method, path, body)
                assert (status, told["code"]) == (404, "not-found")
        _, _, listed = await door.ask("GET", PATH)
        assert [one["id"] for one in listed["data"]] == [MINE]
        assert door.gateway.asked == []


async def test_deliveries_are_read_newest_first_and_only_ones_own(tmp_path):
    """Filtered by endpoint and event, page by page, without the links of the chain; those of a
    deleted endpoint too."""

    def attempt(number: int, endpoint_id: str, event: str) -> dict[str, Any]:
        return {
            "event_id": event,
            "endpoint_id": endpoint_id,
            "attempt": number,
            "status": 204,
            "error": None,
            "latency_ms": 3,
            "at": AT,
            "next_at": None,
            "correlation_id": "cor_1",
        }

    rows = [
        attempt(number, endpoint, f"evt_{number:016}")
        for number, endpoint in enumerate([MINE, THEIRS, GONE, MINE, MINE], 1)
    ]
    book(tmp_path, DELIVERIES, rows)
    async with open_door(tmp_path, gateway=gateway) as door:
        known(tmp_path)

        async def page(query: str = "") -> tuple[list[int], str | None]:
            status, _, body = await door.ask("GET", f"/deliveries{query}")
            assert status == 200
            assert all("hash" not in row for row in body["data"])
            return [row["attempt"] for row in body["data"]], body["next_cursor"]

        assert await page() == ([5, 4, 3, 1], None)
        first, cursor = await page("?limit=2")
        assert first == [5, 4]
        assert await page(f"?limit=2&cursor={cursor}") == ([3, 1], None)
        assert await page(f"?endpoint_id={GONE}") == ([3], None)
        assert await page(f"?endpoint_id={THEIRS}") == ([], None)
        assert await page(f"?event_id=evt_{4:016}") == ([4], None)
        assert (await door.ask("GET", "/deliveries?limit=0"))[0] == 422
        for query in ("state=x", "event_id=evt_4", "endpoint_id=%9c"):
            assert (await door.ask("GET", f"/deliveries?{query}"))[0] == 422
        theirs = await door.ask("GET", "/deliveries", key=door.key(merchant="m_002"))
        assert [row["attempt"] for row in theirs[2]["data"]] == [2]


async def test_the_routes_stand_in_the_document(tmp_path):
    """Who reads the OpenAPI document finds the endpoints and the deliveries."""
    async with open_door(tmp_path, gateway=gateway) as door:
        _, _, document = await door.ask("GET", "/openapi.json", key="")
        assert {"get", "post"} <= set(document["paths"][PATH])
        assert {"get", "patch", "delete"} <= set(document["paths"][f"{PATH}/{{id}}"])
        assert "get" in document["paths"]["/deliveries"]
