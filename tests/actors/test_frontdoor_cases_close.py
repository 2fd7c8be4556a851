"""Closing a case over HTTP: who may, what is needed, and what reaches the gateway."""

import msgspec
import pytest

from payrail.domain.words.cases import CloseCase
from tests.actors.doors import open_door

CASE = "case_0000000000000001"
PATH = f"/cases/{CASE}/close"


async def test_closing_reaches_the_gateway_with_who_closed_it(tmp_path):
    """And with the words of how it ended."""
    async with open_door(tmp_path) as door:
        status, _, _ = await door.ask(
            "POST",
            PATH,
            {"resolution": "called them"},
            key=door.key("operator"),
            Idempotency_Key="k",
        )
        (asked,) = door.gateway.asked
    order = msgspec.json.decode(asked.body, type=CloseCase)

    assert (status, asked.kind, order.id, order.resolution) == (
        200,
        "case.close",
        CASE,
        "called them",
    )
    assert (order.user_id, order.merchant_id, order.role) == (
        "usr_m001_operator",
        "m_001",
        "operator",
    )


@pytest.mark.parametrize(
    ("path", "body", "role", "key", "expected"),
    [
        (PATH, {"resolution": "x"}, "viewer", "k", (403, "forbidden")),
        (PATH, {"resolution": "x"}, "admin", "", (400, "idempotency-key-missing")),
        (PATH, {}, "admin", "k", (422, "validation-error")),
        (PATH, {"resolution": " "}, "admin", "k", (422, "validation-error")),
        (PATH, {"resolution": "x" * 501}, "admin", "k", (422, "validation-error")),
        ("/cases/nope/close", {"resolution": "x"}, "admin", "k", (404, "not-found")),
    ],
)
async def test_what_is_no_closing_never_reaches_the_gateway(
    tmp_path, path, body, role, key, expected
):
    """Role, id, key and body, each with its own answer."""
    async with open_door(tmp_path) as door:
        sent = {"Idempotency_Key": key} if key else {}
        status, _, problem = await door.ask("POST", path, body, key=door.key(role), **sent)

        assert (status, problem["code"], door.gateway.asked) == (*expected, [])
