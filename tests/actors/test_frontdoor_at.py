"""Points in time: a payment and a refund as their entries told them then."""

import msgspec
import pytest

from payrail.domain.books import LEDGER_BOOK, REFUNDS_BOOK
from payrail.domain.claim_entries import RefundApproved, RefundRequested
from tests.actors.booked import captured, entry, pi
from tests.actors.doors import book, open_door

REFUND = "re_0000000000000001"


def times(records):
    """Each entry a second after the one before."""
    return [
        msgspec.structs.replace(one, timestamp=f"2026-02-09T12:00:{n:02d}.000Z")
        for n, one in enumerate(records)
    ]


def refund_entries():
    ends = "2026-02-12T12:00:00.000Z"
    asked = RefundRequested(pi(1), "providerA", "back", "usr_1", ends, "approver")
    more = {"amount": 100}
    return [
        entry(REFUND, "refund.requested", asked, **more),
        entry(REFUND, "refund.approved", RefundApproved(pi(1), "usr_2"), **more),
    ]


@pytest.mark.parametrize(
    ("at", "state"),
    [
        ("2026-02-09T12:00:00Z", "created"),
        ("2026-02-09T12:00:01.500Z", "processing"),
        ("2026-02-09T12:00:02Z", "authorized"),
        ("2026-02-09T13:00:03.999%2B01:00", "authorized"),
        ("2026-02-09T12:00:04Z", "captured"),
        ("2030-01-01T00:00:00Z", "captured"),
    ],
)
async def test_a_payment_is_shown_as_it_was(tmp_path, at, state):
    """Entries of that very time included; the future is as now."""
    book(tmp_path, LEDGER_BOOK, times(captured(pi(1))))
    async with open_door(tmp_path) as door:
        status, _, body = await door.ask("GET", f"/payment-intents/{pi(1)}?at={at}")

    assert (status, body["state"]) == (200, state)


async def test_before_it_was_made_there_was_no_payment(tmp_path):
    """The same 404 as for one that never was; a time that is none is 422 and named."""
    book(tmp_path, LEDGER_BOOK, times(captured(pi(1))))
    async with open_door(tmp_path) as door:
        path = f"/payment-intents/{pi(1)}"
        early, _, problem = await door.ask("GET", f"{path}?at=2026-02-09T11:59:59Z")
        bad, _, refusal = await door.ask("GET", f"{path}?at=yesterday")
        other, _, _ = await door.ask(
            "GET", f"{path}?at=2030-01-01T00:00:00Z", key=door.key(merchant="m_002")
        )

    assert (early, problem["code"], other) == (404, "not-found", 404)
    assert (bad, refusal["errors"][0]["field"]) == (422, "at")


async def test_a_refund_is_shown_as_it_was(tmp_path):
    """Out of its own book."""
    end = book(tmp_path, LEDGER_BOOK, times(captured(pi(1))))
    book(tmp_path, REFUNDS_BOOK, times(refund_entries()), seq=end[0])
    async with open_door(tmp_path) as door:
        states = {}
        for at in ("2026-02-09T11:00:00Z", "2026-02-09T12:00:00Z", "2026-02-09T12:00:01Z"):
            status, _, body = await door.ask("GET", f"/refunds/{REFUND}?at={at}")
            states[at[11:19]] = body.get("state", status)

    assert states == {"11:00:00": 404, "12:00:00": "pending_approval", "12:00:01": "approved"}
