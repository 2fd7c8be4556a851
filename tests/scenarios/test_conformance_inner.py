"""8028 as whoever stands outside hears it: each kind of fault as real HTTP, with the header.

Refused is 503, broken answers are a 5xx whose problem says that it says nothing, a reset drops the
connection, and a call that hangs is given up by the door. Every answer that is one is JSON.
"""

import gc
from collections.abc import Iterator
from typing import Any

import pytest

from payrail.web.simwire import Answer, NoAnswer
from tests.scenarios.shelf import Shelf

ANSWERS = {
    "down": (503, "not-accepted"),
    "error": (503, "not-accepted"),
    "http:500": (500, "provider-broken"),
    "http:502": (502, "provider-broken"),
    "http:504": (504, "provider-broken"),
    "garbage": (502, "provider-broken"),
}


@pytest.fixture(scope="module", params=["providerA", "providerB"])
def house(request: pytest.FixtureRequest) -> Iterator[Shelf]:
    house = Shelf(request.param)
    house.start()
    yield house
    house.end()
    gc.collect()


def called(house: Shelf, fault: dict[str, Any] | None = None, name: str = "A B") -> list[Any]:
    """What comes of a charge at the inner door, which may need time."""
    house.orders += 1
    reference = f"pi_outside{house.orders}.1"
    asked = {
        "token": house.card(name=name),
        "provider": house.first,
        "payment_id": "pi_outside",
        "operation_id": reference,
        "purpose": "charge.authorize",
    }
    came = house.send("POST", "/charge-token", asked, host="vault", inside=True)
    house.run()
    order = {"reference": reference, "amount": 1099, "currency": "USD"}
    path, body = (
        f"/providers/{house.first}/authorize",
        {**order, "sealed": came[0].json()["sealed"]},
    )
    came = house.send("POST", path, body, host="inner", fault=fault)
    house.run()
    return came


def last(house: Shelf) -> str:
    return f"pi_outside{house.orders}.1"


def looked(house: Shelf, reference: str) -> Any:
    came = house.send("GET", f"/providers/{house.first}/status?reference={reference}", host="inner")
    house.run()
    return came


@pytest.mark.parametrize("do", ANSWERS)
def test_a_fault_is_told_by_status_and_problem(house: Shelf, do: str) -> None:
    """In JSON, with our code; nothing happened, and the same reference may be sent again."""
    (answer,) = called(house, {"do": do})
    assert isinstance(answer, Answer)
    assert (answer.status, answer.json()["code"]) == ANSWERS[do]  # type: ignore[index]
    assert looked(house, last(house))[0].status == 404
    assert house.noted("header")[-1] == (do, "authorize")


def test_a_reset_drops_the_connection(house: Shelf) -> None:
    """No answer at all, and nothing happened."""
    (answer,) = called(house, {"do": "reset"})
    assert isinstance(answer, NoAnswer)
    assert answer.word == "disconnected"
    assert looked(house, last(house))[0].status == 404


def test_a_slow_call_is_answered_when_it_is_done(house: Shelf) -> None:
    """Two seconds later, with the charge itself."""
    came = called(house, {"do": "slow:2000"})
    assert came == []
    house.wait(2_000)
    assert came[0].status == 200
    assert looked(house, last(house))[0].json()["status"] == "approved"


@pytest.mark.parametrize(("do", "known"), [("hang", "pending"), ("approve_then_hang", "approved")])
def test_a_call_that_hangs_is_given_up_by_the_door(house: Shelf, do: str, known: str) -> None:
    """504 after the house's budget; a look tells what became of it."""
    came = called(house, {"do": do})
    for _ in range(12):
        house.wait(1_000)
    assert came[0].status == 504
    assert looked(house, last(house))[0].json()["status"] == known


@pytest.mark.parametrize("do", ["down", "http:500", "reset"])
def test_a_look_fails_as_an_ask_does(house: Shelf, do: str) -> None:
    """A rule about status touches it, once, and fences nothing."""
    called(house)
    rule = {"operation": "status", "do": do, "count": 1}
    assert house.http("POST", f"/providers/{house.first}/inject-failure", rule)[0] == 201
    (answer,) = looked(house, last(house))
    if do == "reset":
        assert isinstance(answer, NoAnswer)
    else:
        assert (answer.status, answer.json()["code"]) == ANSWERS[do]
    assert looked(house, last(house))[0].json()["status"] == "approved"
    assert house.noted("rule")[-1] == (do, "status")


def test_a_pending_name_is_received_at_b(house: Shelf) -> None:
    """Told so at once, in B's words, and approved a minute later; A charges it as any."""
    (answer,) = called(house, name="PENDING")
    if house.first == "providerA":
        assert looked(house, last(house))[0].json()["status"] == "approved"
        return
    assert (answer.status, answer.json()["resultCode"]) == (200, "Received")
    assert looked(house, last(house))[0].json()["status"] == "pending"
    house.wait(60_000)
    assert looked(house, last(house))[0].json()["status"] == "approved"


def test_a_name_has_its_own_number_at_b(house: Shelf) -> None:
    """The refusal's number is the name's."""
    (answer,) = called(house, name="ACQUIRER_FRAUD")
    if house.first == "providerB":
        assert answer.json()["refusalReasonCode"] == "14"
        assert answer.json()["refusalReason"] == "Acquirer Fraud"
        assert answer.json()["decline_code"] == "fraudulent"
