"""Payouts over HTTP: read from the payments' book, ordered from the gateway."""

import msgspec
import pytest

from payrail.domain.books import LEDGER_BOOK
from payrail.domain.claim_entries import PayoutCreated, PayoutFailed, PayoutPaid
from payrail.domain.postings import payout_created_postings
from tests.actors.booked import entry
from tests.actors.doors import AT, book, open_door


def po(number):
    return f"po_{number:016d}"


def made(number, **more):
    data = PayoutCreated("2026-02-10", None, "2026-02-09")
    return entry(po(number), "payout.created", data, **more)


def paid(number, **more):
    return entry(po(number), "payout.paid", PayoutPaid("bank_7", AT), **more)


def returned(number, **more):
    return entry(po(number), "payout.failed", PayoutFailed("account_closed", True), **more)


async def ids(door, query="", **more):
    status, _, page = await door.ask("GET", f"/payouts?{query}", **more)
    assert status == 200, page
    return [one["id"] for one in page["data"]], page["next_cursor"]


async def test_a_payout_is_what_its_entries_tell(tmp_path):
    """As soon as they are booked, without asking the gateway."""
    end = book(tmp_path, LEDGER_BOOK, [made(1)])
    async with open_door(tmp_path) as door:
        _, _, before = await door.ask("GET", f"/payouts/{po(1)}")
        book(tmp_path, LEDGER_BOOK, [paid(1), returned(1)], *end)
        status, _, after = await door.ask("GET", f"/payouts/{po(1)}")
        asked = door.gateway.asked

    assert (before["state"], before["date"], before["value_date"]) == (
        *("in_transit", "2026-02-09"),
        "2026-02-10",
    )
    assert (status, after["state"], after["failure_reason"]) == (200, "failed", "account_closed")
    assert (after["object"], after["bank_reference"], asked) == ("payout", "bank_7", [])


async def test_payouts_are_filtered_and_paged_newest_first(tmp_path):
    """By state and currency; a page goes on where the last one ended."""
    entries = [made(1), paid(1), made(2, currency="EUR"), made(3), made(4)]
    book(tmp_path, LEDGER_BOOK, entries)
    async with open_door(tmp_path) as door:
        assert (await ids(door))[0] == [po(4), po(3), po(2), po(1)]
        assert (await ids(door, "state=paid"))[0] == [po(1)]
        assert (await ids(door, "currency=EUR"))[0] == [po(2)]
        first, cursor = await ids(door, "limit=3")
        assert (await ids(door, f"limit=3&cursor={cursor}"))[0] == [po(1)]
        for query, field in (("state=sent", "state"), ("currency=usd", "currency")):
            status, _, problem = await door.ask("GET", f"/payouts?{query}")
            assert (status, problem["errors"][0]["field"]) == (422, field)

    assert first == [po(4), po(3), po(2)]


async def test_another_merchants_payout_is_as_one_that_never_was(tmp_path):
    """The same body; the house sees all."""
    book(tmp_path, LEDGER_BOOK, [made(1), made(2, merchant="m_002")])
    async with open_door(tmp_path) as door:
        _, _, foreign = await door.ask("GET", f"/payouts/{po(2)}", X_Correlation_Id="c")
        status, _, unknown = await door.ask("GET", f"/payouts/{po(9)}", X_Correlation_Id="c")
        assert (await ids(door))[0] == [po(1)]
        assert (await ids(door, key=door.service))[0] == [po(2), po(1)]

    assert (status, foreign) == (404, unknown)


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        ("/payouts", {"currency": "USD"}, "payout.create"),
        (f"/payouts/{po(1)}/resolve", {"outcome": "paid"}, "payout.resolve"),
        (f"/payouts/{po(1)}/resolve", {"outcome": "failed", "code": "returned"}, "payout.resolve"),
    ],
)
async def test_who_may_pay_orders_with_a_key(tmp_path, path, body, kind):
    """Admins and operators; without a key nothing about the body is looked at."""
    async with open_door(tmp_path) as door:
        status, _, told = await door.ask("POST", path, body, Idempotency_Key="k")
        assert (status, told["kind"]) == (200, kind)
        order = told["order"]
        assert {name: order[name] for name in body} == body
        assert (order["merchant_id"], order["idempotency_key"]) == ("m_001", "k")
        status, _, problem = await door.ask("POST", path, {"no": 1})
        assert (status, problem["code"]) == (400, "idempotency-key-missing")
        for role in ("approver", "viewer", "auditor"):
            key = door.key(role)
            status, _, _ = await door.ask("POST", path, body, key=key, Idempotency_Key="k")
            assert status == 403, role


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/payouts", {"currency": "usd"}, "currency"),
        ("/payouts", {"currency": "USD", "amount": 5}, "amount"),
        (f"/payouts/{po(1)}/resolve", {"outcome": "lost"}, "outcome"),
        (f"/payouts/{po(1)}/resolve", {"outcome": "paid", "code": "x"}, ""),
    ],
)
async def test_an_order_that_cannot_be_used_names_its_field(tmp_path, path, body, field):
    """And reaches nobody."""
    async with open_door(tmp_path) as door:
        status, _, problem = await door.ask("POST", path, body, Idempotency_Key="k")
        asked = door.gateway.asked

    assert (status, problem["errors"][0]["field"], asked) == (422, field, [])


async def test_balances_show_what_is_on_its_way(tmp_path):
    """What was available is in transit, and then has left our bank."""
    postings = payout_created_postings("m_001", 700, "USD")
    moved = msgspec.structs.replace(made(1), postings=postings)
    book(tmp_path, LEDGER_BOOK, [moved])
    async with open_door(tmp_path) as door:
        _, _, page = await door.ask("GET", "/balances")

    shown = {row["account"]: row["amount"] for row in page["data"]}
    assert shown["liability:m_001:payout_in_transit"] == 700
