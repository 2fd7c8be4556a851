"""Dry runs at the gateway: the same decision, the same refusals, and nothing done."""

from typing import Any

import pytest

from actors.simulation.orders import Order, approve, authorize, cancel, capture, create, refund
from payrail.domain.fees import merchant_fee, provider_fee
from payrail.domain.words.dry_run import FIELD_OF, DryRun
from payrail.errors import RequestError
from tests.actors.gatewaydesk import TOKEN, Desk, answer, booked


@pytest.fixture
def desk() -> Desk:
    return Desk()


def dry(order: Order) -> Order:
    """The question what this order would do."""
    kind, body = order
    fields: dict[str, Any] = {FIELD_OF[kind]: body}
    return "order.dry_run", DryRun(**fields)


def would(desk: Desk, order: Order) -> dict[str, Any]:
    """The answer of a dry run, which leaves nothing behind."""
    before = desk.snapshot()
    step = desk.order(dry(order))
    assert (step.events, step.posts, step.out, step.timers, step.shows) == ([], [], [], [], [])
    assert desk.snapshot() == before
    status, body = answer(step)
    assert (status, body["object"]) == (200, "dry_run")
    return body


def paid(desk: Desk) -> str:
    payment_id = desk.authorized()
    desk.order(capture(payment_id, f"k_{payment_id}"))
    desk.says(f"{payment_id}.2", operation="capture")
    return payment_id


def real(desk: Desk, order: Order, *says: dict[str, Any]) -> list[str]:
    """Types of what the real order books until nothing is open any more."""
    step = desk.order(order)
    found = [p.record.type for p in step.posts if p.book in ("payments", "refunds")]
    payment_id = next(iter(desk.state.payments), "")
    for said in says:
        reference = f"{payment_id}.{desk.state.payments[payment_id].calls}"
        step = desk.says(reference, **said)
        found += [p.record.type for p in step.posts if p.book in ("payments", "refunds")]
    return found


def test_a_charge_with_its_capture_is_told_with_money_and_calls(desk: Desk) -> None:
    """Two calls by routing, the fees of the capture, and postings that sum to zero."""
    order = create(TOKEN, confirm=True, capture_method="automatic")
    told = would(desk, order)

    assert told["assuming"] == "approved"
    assert told["would"]["state"] == "captured"
    assert told["calls"] == [
        {"operation": "authorize", "provider": "providerA"},
        {"operation": "capture", "provider": "providerA"},
    ]
    assert told["fees"] == {
        "merchant": merchant_fee(1099, "USD"),
        "provider": provider_fee("providerA", 1099, "USD"),
    }
    assert sum(p["amount"] for entry in told["entries"] for p in entry["postings"]) == 0
    assert told["events"] == [entry["type"] for entry in told["entries"]]
    says: tuple[dict[str, Any], ...] = ({}, {"operation": "capture"})
    assert [entry["type"] for entry in told["entries"]] == real(desk, order, *says)


def test_what_asks_nobody_assumes_nothing(desk: Desk) -> None:
    """A payment that is only created; its key stays free."""
    order = create(TOKEN, "k_mine")
    told = would(desk, order)
    assert (told["assuming"], told["calls"], told["would"]["state"]) == (None, [], "created")
    assert desk.state.keys == {}
    assert answer(desk.order(order))[0] == 201


@pytest.mark.parametrize(
    ("make", "said", "state"),
    [
        (authorize, {}, "authorized"),
        (capture, {"operation": "capture"}, "captured"),
        (cancel, {"operation": "reverse"}, "reversed"),
    ],
)
def test_each_verb_tells_what_it_then_does(
    desk: Desk, make: Any, said: dict[str, Any], state: str
) -> None:
    payment_id = desk.created() if make is authorize else desk.authorized()
    told = would(desk, make(payment_id))

    assert told["would"]["state"] == state
    assert told["would"]["id"] == payment_id
    assert len(told["calls"]) == 1
    assert [e["type"] for e in told["entries"]] == real(desk, make(payment_id), said)


def test_a_refund_and_its_approval_are_told(desk: Desk) -> None:
    """Made, it waits; approved, it is taken to succeed, with its postings."""
    payment_id = paid(desk)
    made = would(desk, refund(payment_id, 300))
    assert (made["would"]["state"], made["calls"]) == ("pending_approval", [])
    refund_id = str(answer(desk.order(refund(payment_id, 300)))[1]["id"])
    told = would(desk, approve(refund_id))

    assert (told["would"]["id"], told["would"]["state"]) == (refund_id, "succeeded")
    assert told["calls"] == [{"operation": "refund", "provider": "providerA"}]
    assert [entry["type"] for entry in told["entries"]] == [
        "refund.approved",
        "refund.submitted",
        "refund.succeeded",
    ]
    assert booked(desk.order(approve(refund_id))) == []


def test_a_dry_run_refuses_what_the_order_refuses(desk: Desk) -> None:
    """With the same code and the same words, and keeps no key for it."""
    held, done = desk.authorized(), paid(desk)
    refund_id = str(answer(desk.order(refund(done, 300)))[1]["id"])
    orders = (
        create("tok_none"),
        capture(held, amount=2000),
        authorize(held, "k_a"),
        cancel("pi_none"),
        capture(held, "k_c", merchant="m_002"),
        refund(held, 100, "k_r"),
        approve(refund_id, user="usr_m001operator", role="admin"),
    )
    for order in orders:
        refusal = desk.refused(dry(order))
        assert _really(desk, order) == (refusal.status, refusal.detail)


def _really(desk: Desk, order: Order) -> tuple[int, str]:
    """Status and words of the order's own refusal, which may be kept under its key."""
    try:
        status, problem = answer(desk.order(order))
    except RequestError as refusal:
        return refusal.status, refusal.detail
    return status, problem["detail"]
