"""Every kind of fault at every operation that it fits: what the client hears, what the payment
becomes once it was asked about, what really happened, and what the log is told.

By the header, over the real API of the simulated house; the other doors at the end.
"""

import gc
from collections.abc import Iterator
from typing import Any

import pytest

from tests.actors.sealed import GENERATED
from tests.scenarios.shelf import Shelf

OPERATIONS = ("authorize", "capture", "reverse", "refund")
FENCED = ("declined", "authorized", "authorized", "failed")
DONE = ("authorized", "captured", "reversed", "succeeded")
#: kind -> statuses of the first answer to authorize, capture and cancel, in that order, and the
#: state in the end of the payment, or of the refund, whose approval is answered at once.
ENDS: dict[str, tuple[tuple[int, int, int], tuple[str, ...]]] = {
    "down": ((200, 402, 402), ("authorized", "authorized", "authorized", "failed")),
    "error": ((200, 402, 402), ("authorized", "authorized", "authorized", "failed")),
    "http:500": ((202, 202, 202), FENCED),
    "http:502": ((202, 202, 202), FENCED),
    "http:504": ((202, 202, 202), FENCED),
    "reset": ((202, 202, 202), FENCED),
    "garbage": ((202, 202, 202), FENCED),
    "hang": ((202, 202, 202), ("unknown", "authorized", "authorized", "processing")),
    "approve_then_hang": ((202, 202, 202), DONE),
    "slow:2000": ((200, 200, 200), DONE),
    "slow:20000": ((202, 202, 202), FENCED),
    "decline:lost_card": ((402, 402, 402), FENCED),
    "wrong_amount": ((402, 200, 200), ("declined", "captured", "reversed", "succeeded")),
}
#: Kinds after which something really happened, so that a line of the truth names them.
WITH_EFFECT = ("approve_then_hang", "slow:2000", "wrong_amount")
WEBHOOKS = {"duplicate_webhook": 2, "late_webhook:60": 1, "early_webhook": 1, "reorder_webhooks": 1}


@pytest.fixture(scope="module")
def house() -> Iterator[Shelf]:
    house = Shelf("providerA")
    house.start()
    yield house
    house.end()
    gc.collect()


def subject(house: Shelf, operation: str) -> tuple[str, str, str]:
    """(payment, path of the order that leads to the operation, path of what it changes)."""
    house.bought()  # something goes well between two faults, or the breaker opens
    if operation == "refund":
        payment_id = house.bought()
        refund_id = house.requested(payment_id)
        return payment_id, f"/refunds/{refund_id}/approve", f"/refunds/{refund_id}"
    payment_id = house.made() if operation == "authorize" else house.held()
    verb = {"reverse": "cancel"}.get(operation, operation)
    path = f"/payment-intents/{payment_id}"
    return payment_id, f"{path}/{verb}", path


def answered(house: Shelf, path: str, fault: dict[str, Any]) -> int:
    """The status of the first answer; a client waits as long as a provider may take."""
    came = house.asked(path, fault)
    for _ in range(10):
        if came:
            break
        house.wait(500)
    return int(came[0].status)


def truths(house: Shelf, payment_id: str, operation: str) -> list[dict[str, Any]]:
    return [
        line
        for line in house.truths
        if line["reference"].startswith(payment_id) and line["operation"] == operation
    ]


def notes(house: Shelf, payment_id: str) -> list[tuple[str, str, str]]:
    found = [note.fields for name in ("providerA", "providerB") for note in house.notes_of(name)]
    return [
        (one["door"], one["do"], one["operation"])
        for one in found
        if one["reference"].startswith(payment_id)
    ]


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("do", ENDS)
def test_a_fault_ends_as_its_kind_says(house: Shelf, do: str, operation: str) -> None:
    """The answer, the end, the truth, and one line for the log."""
    payment_id, path, about = subject(house, operation)
    status = answered(house, path, {"do": do})
    for _ in range(5):
        house.wait(5_000)
    house.wait(60_000)
    statuses, ends = ENDS[do]
    shown = house.get(about)
    assert shown["state"] == ends[OPERATIONS.index(operation)]
    if operation == "refund":
        assert status == 200
    else:
        assert status == statuses[OPERATIONS.index(operation)]
    named = [line for line in truths(house, payment_id, operation) if line.get("fault") == do]
    assert len(named) == (do in WITH_EFFECT)
    assert notes(house, payment_id) == [("header", do, operation)]


@pytest.mark.parametrize("do", ["down", "error"])
def test_a_safe_refusal_goes_elsewhere_without_its_fault(house: Shelf, do: str) -> None:
    """The second attempt is a call of its own."""
    payment_id, path, about = subject(house, "authorize")
    assert answered(house, path, {"do": do}) == 200
    attempts = [(one["provider"], one["outcome"]) for one in house.get(about)["attempts"]]
    assert attempts == [("providerA", "not_accepted"), ("providerB", "approved")]
    assert notes(house, payment_id) == [("header", do, "authorize")]


@pytest.mark.parametrize("operation", ["capture", "reverse"])
def test_a_call_that_hangs_stays_open(house: Shelf, operation: str) -> None:
    """Doubt belongs to the operation, which is named; another verb is refused meanwhile."""
    payment_id, path, about = subject(house, operation)
    assert answered(house, path, {"do": "hang"}) == 202
    assert house.get(about)["pending_operation"]["operation"] == operation
    assert house.post(f"/payment-intents/{payment_id}/capture")[1]["code"] == "operation-in-doubt"


@pytest.mark.parametrize("do", ["down", "error", "http:500", "reset", "garbage", "hang"])
def test_an_ask_that_fails_is_asked_again(house: Shelf, do: str) -> None:
    """It fences nothing; the next one finds what had happened."""
    payment_id, path, about = subject(house, "authorize")
    rule = {"operation": "status", "do": do, "count": 1, "match": {"payment": payment_id}}
    assert house.http("POST", "/providers/providerA/inject-failure", rule)[0] == 201
    assert answered(house, path, {"do": "approve_then_hang"}) == 202
    assert house.get(about)["state"] == "unknown"
    house.wait(5_000)
    assert house.get(about)["state"] == "authorized"
    assert notes(house, payment_id) == [
        ("header", "approve_then_hang", "authorize"),
        ("rule", do, "status"),
    ]


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("do", WEBHOOKS)
def test_a_fault_of_the_webhook_changes_no_end(house: Shelf, do: str, operation: str) -> None:
    """Twice, late, before its reply or behind another: the fact is applied once."""
    payment_id, path, about = subject(house, operation)
    posted = len(house.trace)
    status = answered(house, path, {"do": do})
    at_once = told_of(house, posted, payment_id)
    house.wait(60_000)
    assert (status, house.get(about)["state"]) == (200, DONE[OPERATIONS.index(operation)])
    assert len(told_of(house, posted, payment_id)) == WEBHOOKS[do]
    if do == "late_webhook:60":
        assert at_once == []
    if do == "duplicate_webhook":
        assert len(set(told_of(house, posted, payment_id))) == 1
    assert notes(house, payment_id) == [("header", do, "webhook")]


def told_of(house: Shelf, since: int, payment_id: str) -> list[bytes]:
    """Bodies of the notices that came in about a payment."""
    return [body for at, body in house.notices if at >= since and payment_id.encode() in body]


@pytest.mark.parametrize("provider", ["providerA", "providerB"])
def test_a_name_and_an_amount_decide_at_b_alone(provider: str) -> None:
    """What a person's name leaves alone, and what a test's says."""
    house = Shelf(provider)
    house.start()
    try:
        told = house.paid(GENERATED, "NOT_ENOUGH_BALANCE")[1]
        by_amount = house.paid(GENERATED, amount=200_300)[1]
        decline_codes = [told.get("decline_code"), by_amount.get("decline_code")]
        if provider == "providerB":
            assert decline_codes == ["insufficient_funds", "card_velocity_exceeded"]
            assert house.noted("name") == [("name:NOT_ENOUGH_BALANCE", "authorize")]
            assert house.noted("amount") == [("amount:2003", "authorize")]
        else:
            assert decline_codes == [None, None]
            assert house.noted("name") == house.noted("amount") == []
    finally:
        house.end()
        gc.collect()


def test_a_pending_charge_and_a_declined_settlement_at_b() -> None:
    """202 and unknown until it is approved a minute later; a capture that is declined leaves the
    hold, which can be given back."""
    house = Shelf("providerB")
    house.start()
    try:
        order = {"amount": 5_000, "currency": "USD", "payment_method": house.card(name="PENDING")}
        payment_id = house.post("/payment-intents", order)[1]["id"]
        path = f"/payment-intents/{payment_id}"
        assert answered(house, f"{path}/authorize", {"do": "duplicate_webhook"}) == 202
        house.wait(60_000)
        assert house.get(path)["state"] == "authorized"
        assert notes(house, payment_id)[0] == ("name", "name:PENDING", "authorize")

        other = f"/payment-intents/{house.made(GENERATED, amount=400_100)}"
        assert house.post(f"{other}/authorize")[0] == 200
        status, told = house.post(f"{other}/capture")
        assert (status, told["decline_code"]) == (402, "settlement_declined")
        assert house.get(other)["state"] == "authorized"
        assert house.post(f"{other}/cancel")[1]["state"] == "reversed"
    finally:
        house.end()
        gc.collect()
