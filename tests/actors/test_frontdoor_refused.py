"""A request that its asker may not make leaves one line, and who guesses by the thousand leaves
few."""

import json
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from payrail.errors import RequestError
from payrail.web.correlation import begin
from payrail.web.refused import LINES_AT_ONCE, LINES_PER_S, Refusals
from tests.actors.doors import open_door
from tests.actors.pure import StillClock


def refused_lines(home):
    found = [json.loads(line) for line in (Path(home) / "log").read_bytes().splitlines()]
    return [line for line in found if line["event"] == "access.refused"]


def another_merchants(envelope):
    """A gateway that knows no such payment, as it answers for another merchant's."""
    return 404, {}, json.dumps({"code": "not-found", "status": 404}).encode()


async def test_a_refusal_is_told_with_who_and_what(tmp_path):
    """Another's id, a role that is too low, a key that is none: user, key id, route and code; the
    key itself stands nowhere, and what was allowed leaves no such line."""
    async with open_door(tmp_path, gateway=another_merchants) as door:
        viewer = door.key("viewer")
        await door.ask(
            "POST", "/payment-intents/pi_x/cancel", {}, Idempotency_Key="k", X_Correlation_Id="c1"
        )
        await door.ask("GET", "/payment-intents/pi_x", X_Correlation_Id="c2")
        order = {"payment_intent": "pi_x", "amount": 1, "reason": "x"}
        await door.ask(
            "POST", "/refunds", order, key=viewer, Idempotency_Key="k", X_Correlation_Id="c3"
        )
        await door.ask("GET", "/payment-intents", key=viewer + "0", X_Correlation_Id="c4")
        assert (await door.ask("GET", "/payment-intents", key=viewer))[0] == 200
    told = {line["correlation_id"]: line for line in refused_lines(tmp_path)}
    names = ("user", "key_id", "role", "method", "route", "status", "code")
    admin = ("usr_m001_admin", "m001admin", "admin")
    cancel = ("POST", "/payment-intents/{id}/cancel", 404, "not-found")
    assert {ident: tuple(line[n] for n in names) for ident, line in told.items()} == {
        "c1": (*admin, *cancel),
        "c2": (*admin, "GET", "/payment-intents/{id}", 404, "not-found"),
        "c3": ("usr_m001_viewer", "m001viewer", "viewer", "POST", "/refunds", 403, "forbidden"),
        "c4": (None, None, None, "GET", "/payment-intents", 401, "unauthenticated"),
    }
    assert viewer not in (tmp_path / "log").read_text()


class Fixed:
    def token_hex(self, size_bytes):
        return "ab" * size_bytes


class Going(StillClock):
    def __init__(self):
        self.ms = 0

    def monotonic_ms(self):
        return self.ms


async def test_a_flood_of_refusals_is_counted_and_not_written():
    """No more lines than the bound; the next one tells how many there were between."""

    async def forbidden(_request: web.Request) -> web.StreamResponse:
        raise RequestError(403, "forbidden", "no")

    clock, lines = Going(), []
    refusals = Refusals(clock, lambda event, fields: lines.append((event, fields)), lambda _: None)
    handler = refusals.heard("GET", "/x", forbidden)
    request = make_mocked_request("GET", "/x")
    begin(request, Fixed())

    async def asks(times):
        for _ in range(times):
            with pytest.raises(RequestError):
                await handler(request)

    await asks(1_000)
    assert len(lines) == LINES_AT_ONCE
    clock.ms = 1_000
    await asks(1_000)
    assert len(lines) == LINES_AT_ONCE + LINES_PER_S
    assert lines[LINES_AT_ONCE][1]["unsaid"] == 1_000 - LINES_AT_ONCE
    assert lines[-1][1]["unsaid"] == 0
