"""`Prefer: wait=N` and `?dry_run=`: what the front door makes of them before anybody decides."""

import itertools
import time
from typing import Any

import msgspec
import pytest

from payrail.domain.words.dry_run import DryRun
from payrail.storage.lines import encode
from tests.actors.doors import open_door
from tests.actors.ordered import GOOD, PI, create

FLIGHT = encode({"code": "idempotency-in-flight", "retryable": True})


def after(looks, last, first=(409, {"Retry-After": "1"}, FLIGHT)):
    """A gateway that gives its last answer from look number `looks` on."""
    asked = itertools.count()
    return lambda _envelope: last if next(asked) >= looks else first


async def test_a_twin_waits_for_the_answer_and_gets_it_replayed(tmp_path):
    """In place of 409: the bytes of the final answer, and the header that says so."""
    final = 201, {"Idempotent-Replayed": "true"}, b'{"id":"pi_1"}'
    async with open_door(tmp_path, gateway=after(3, final)) as door:
        status, headers, body = await create(door, GOOD, Prefer="wait=10")
        asked = door.gateway.asked

    assert (status, body, len(asked)) == (201, {"id": "pi_1"}, 4)
    assert headers["Preference-Applied"] == "wait=10"
    assert headers["Idempotent-Replayed"] == "true"
    assert len({bytes(one.body) for one in asked}) == 1, "the same order each time"


async def test_a_provisional_answer_is_waited_for_too(tmp_path):
    """202 becomes final under the same key."""
    doubt: Any = 202, {}, encode({"state": "unknown"})
    async with open_door(tmp_path, gateway=after(2, (200, {}, b"{}"), doubt)) as door:
        status, _, _ = await create(door, GOOD, Prefer='respond-async, wait="5"')

    assert status == 200


async def test_who_waits_is_answered_when_the_time_is_over(tmp_path):
    """With how things stand then."""
    async with open_door(tmp_path, gateway=after(99, (200, {}, b"{}"))) as door:
        began = time.monotonic()
        status, headers, _ = await create(door, GOOD, Prefer="wait=1")
        took_s = time.monotonic() - began
        at_once, plain, _ = await create(door, GOOD)

    assert (status, headers["Preference-Applied"]) == (409, "wait=1")
    assert 0.9 < took_s < 5
    assert (at_once, "Preference-Applied" in plain) == (409, False)


@pytest.mark.parametrize(
    "bad", ["wait=31", "wait=-1", "wait", "wait=x", "wait=1, wait=2", "wait=٣"]
)
async def test_a_bad_preference_is_400_and_names_the_header(tmp_path, bad):
    async with open_door(tmp_path) as door:
        status, _, problem = await create(door, GOOD, Prefer=bad)

        assert (status, problem["errors"][0]["field"]) == (400, "Prefer")
        assert door.gateway.asked == []


@pytest.mark.parametrize("other", ["respond-async", "return=minimal", "handling=lenient"])
async def test_other_preferences_are_let_be(tmp_path, other):
    async with open_door(tmp_path) as door:
        status, headers, _ = await create(door, GOOD, Prefer=other)

    assert (status, "Preference-Applied" in headers) == (200, False)


async def test_a_dry_run_asks_what_the_order_would_do(tmp_path):
    """The whole order, under another kind; without the word it is the order itself."""
    async with open_door(tmp_path) as door:
        path = f"/payment-intents/{PI}/capture"
        await door.ask("POST", f"{path}?dry_run=true", {"amount": 5}, Idempotency_Key="k")
        await door.ask("POST", f"{path}?dry_run=false", {"amount": 5}, Idempotency_Key="k")
        first, second = door.gateway.asked
    order = msgspec.json.decode(first.body, type=DryRun).capture

    assert (first.kind, second.kind) == ("order.dry_run", "payment.capture")
    assert order is not None
    assert (order.id, order.amount, order.merchant_id) == (PI, 5, "m_001")


@pytest.mark.parametrize("query", ["dry_run=yes", "dry_run=", "dry_run=true&dry_run=true"])
async def test_a_dry_run_that_is_unclear_does_nothing(tmp_path, query):
    """422 that names the parameter: a typing error must not charge."""
    async with open_door(tmp_path) as door:
        path = f"/payment-intents/{PI}/capture?{query}"
        status, _, problem = await door.ask("POST", path, Idempotency_Key="k")

        assert (status, problem["errors"][0]["field"]) == (422, "dry_run")
        assert door.gateway.asked == []


async def test_a_dry_run_needs_a_key_as_the_order_does(tmp_path):
    async with open_door(tmp_path) as door:
        path = f"/payment-intents/{PI}/capture?dry_run=true"
        status, _, problem = await door.ask("POST", path)

    assert (status, problem["code"]) == (400, "idempotency-key-missing")
