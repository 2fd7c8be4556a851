"""Bodies of orders at the front door: which are none, and what is said of them."""

import asyncio
import json
import re

from tests.actors.doors import open_door
from tests.actors.ordered import GOOD, TOKEN, create, with_field

BAD_BODIES = {
    "amount zero": (with_field(amount=0), "amount"),
    "amount negative": (with_field(amount=-1), "amount"),
    "amount with a fraction": (with_field(amount=1.5), "amount"),
    "amount whole but a float": (with_field(amount=10.0), "amount"),
    "amount as text": (with_field(amount="1"), "amount"),
    "amount true": (with_field(amount=True), "amount"),
    "amount null": (with_field(amount=None), "amount"),
    "amount 2^63": (with_field(amount=2**63), "amount"),
    "amount over the maximum": (with_field(amount=100_000_000), "amount"),
    "amount in Arabic digits": (with_field(amount="١٠٩٩"), "amount"),
    "amount a list": (with_field(amount=[1]), "amount"),
    "no amount": ({"currency": "USD", "payment_method": TOKEN}, "amount"),
    "unknown field": (with_field(amuont=1), "amuont"),
    "currency in lower case": (with_field(currency="usd"), "currency"),
    "currency that is none": (with_field(currency="ZZZ"), "currency"),
    "currency without exponent": (with_field(currency="XAU"), "currency"),
    "token that is none": (with_field(payment_method="4242424242424242"), "payment_method"),
    "token with a path": (with_field(payment_method="tok_../../etc"), "payment_method"),
    "capture method": (with_field(capture_method="later"), "capture_method"),
    "confirm as text": (with_field(confirm="true"), "confirm"),
    "confirm as number": (with_field(confirm=1), "confirm"),
    "customer a text": (with_field(customer="Ada"), "customer"),
    "customer's unknown field": (with_field(customer={"age": 3}), "customer.age"),
    "metadata nested": (with_field(metadata={"a": {"b": "c"}}), "metadata.a"),
    "metadata a number": (with_field(metadata={"a": 1}), "metadata.a"),
    "metadata too many": (with_field(metadata={str(i): "x" for i in range(51)}), "metadata"),
    "not an object": ([GOOD], ""),
    "null": (None, ""),
}


async def test_a_bad_field_is_named_and_never_reaches_the_gateway(tmp_path):
    """Every wrong field is 422 with its name, and nothing is written for the gateway."""
    async with open_door(tmp_path) as door:
        for what, (body, field) in BAD_BODIES.items():
            status, headers, problem = await create(door, raw=json.dumps(body).encode())
            assert (status, problem["code"]) == (422, "validation-error"), what
            assert headers["Content-Type"] == "application/problem+json"
            assert field in [error["field"] for error in problem["errors"]], (what, problem)
            assert "4242424242424242" not in json.dumps(problem)
        assert door.gateway.asked == []


BAD_JSON = {
    "1e400": b'{"amount":1e400}',
    "NaN": b'{"amount":NaN}',
    "a key twice": b'{"amount":1,"amount":2}',
    "deep": b"[" * 100_000,
    "deep object": b'{"a":' * 2_000,
    "U+2028": '{"metadata":{"a":"\u2028"}}'.encode(),
    "U+2028 escaped": rb'{"metadata":{"a":"\u2028"}}',
    "half a surrogate": rb'{"metadata":{"a":"\ud800"}}',
    "a control": rb'{"metadata":{"a":"\u0000"}}',
    "not UTF-8": b'{"metadata":{"a":"\xff"}}',
    "cut": b'{"amount":1',
    "nothing": b"",
}


async def test_json_that_is_not_strict_is_refused(tmp_path):
    """What other tools could read otherwise is 400 malformed-json, or too large to be read."""
    async with open_door(tmp_path) as door:
        for what, raw in BAD_JSON.items():
            status, _, problem = await create(door, raw=raw)
            assert status in (400, 413), what
            assert problem["code"] in ("malformed-json", "body-too-large"), what
        assert door.gateway.asked == []


async def test_a_huge_body_is_refused_by_its_length(tmp_path):
    """100 MB announced is 413 before they are sent."""
    async with open_door(tmp_path) as door:
        reader, writer = await asyncio.open_connection("127.0.0.1", door.settings.api_port)
        head = (
            f"POST /payment-intents HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {door.key()}\r\n"
            "Idempotency-Key: k\r\nContent-Type: application/json\r\n"
            "Content-Length: 104857600\r\n\r\n"
        )
        writer.write(head.encode())
        line = await asyncio.wait_for(reader.readline(), 2)
        writer.close()
        assert b"413" in line


async def test_other_content_types_are_refused(tmp_path):
    """A form, a missing type and a compressed body are 415."""
    async with open_door(tmp_path) as door:
        for more in (
            {"Content_Type": "application/x-www-form-urlencoded"},
            {"Content_Type": "text/plain"},
            {"Content_Encoding": "gzip"},
        ):
            status, _, problem = await create(door, raw=json.dumps(GOOD).encode(), **more)
            assert (status, problem["code"]) == (415, "unsupported-media-type")


async def test_a_card_number_in_a_body_is_refused(tmp_path):
    """A number that slipped into metadata reaches no mailbox."""
    async with open_door(tmp_path) as door:
        for text in ("4242424242424242", "my card is 4242 4242 4242 4242"):
            status, _, problem = await create(door, with_field(metadata={"note": text}))
            assert (status, problem["code"]) == (422, "validation-error")
        found = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
        assert not re.search(rb"4242 ?4242 ?4242", found)
