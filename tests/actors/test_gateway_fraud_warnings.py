"""Warnings of fraud at the gateway: one case each, no money, in any order and however often."""

from typing import Any

import pytest

from actors.gateway.notices import PARKED_MS
from actors.simulation import orders
from tests.actors.disputed import CAPTURED, captured, case_of, money, notes, types
from tests.actors.gatewaydesk import Desk, answer

WARNING: dict[str, Any] = {
    "stage": "",
    "reason": "unauthorized_use_of_card",
    "provider_reference": "issfr_1",
}


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def paid(desk: Desk) -> str:
    return captured(desk)


def warns(desk: Desk, payment_id: str, **more: Any) -> Any:
    return notes(desk, payment_id, "warned", **{**WARNING, **more})


def test_a_warning_opens_one_case_and_moves_nothing(desk: Desk, paid: str) -> None:
    """About all that was captured, whatever amount is told; the payment stays as it was."""
    before, owned = desk.state.payments[paid], money(desk)
    step = warns(desk, paid, amount=CAPTURED - 1)
    assert (types(step), case_of(step)) == (
        [("payments", "case.opened")],
        ("early_fraud_warning", CAPTURED),
    )
    (case,) = desk.state.cases.values()
    assert (case.payment_id, case.merchant_id, case.provider) == (paid, "m_001", "providerA")
    assert case.references == [f"{paid}.1", "issfr_1"]
    assert (desk.state.payments[paid], money(desk)) == (before, owned)
    assert answer(step)[1]["outcome"] == "applied"
    assert desk.replayed() == desk.state


def test_the_same_warning_again_changes_nothing(desk: Desk, paid: str) -> None:
    """Also when people have closed its case; another name is another warning."""
    step = warns(desk, paid)
    ident = next(p.record.ref for p in step.posts if p.book == "payments")
    assert answer(warns(desk, paid))[1]["outcome"] == "duplicate"
    assert answer(desk.order(orders.case_closed(ident, "paid back")))[0] == 200
    again = warns(desk, paid, occurred_at="2026-02-10T12:00:00.000Z")
    assert (types(again), answer(again)[1]["outcome"]) == ([], "duplicate")
    assert types(warns(desk, paid, provider_reference="issfr_2")) == [("payments", "case.opened")]
    assert desk.replayed() == desk.state


def test_a_warning_before_its_capture_waits_for_it(desk: Desk) -> None:
    """Parked once, and a case when the capture is booked."""
    payment_id = desk.authorized()
    assert [answer(warns(desk, payment_id))[1]["outcome"] for _ in range(2)] == ["parked"] * 2
    desk.order(orders.capture(payment_id))
    step = desk.says(f"{payment_id}.2", operation="capture", provider_reference="ch_2")
    (due,) = [one for one in step.timers if one.id.startswith("dispute_fact:")]
    step = desk.tell(due.kind, due.body, sender="timer")
    assert case_of(step) == ("early_fraud_warning", CAPTURED)
    assert desk.state.disputes.parked == {}
    assert desk.replayed() == desk.state


@pytest.mark.parametrize(
    "more", [{"authorization": "pi_x.1"}, {"provider": "providerB"}, {"currency": "EUR"}]
)
def test_a_warning_of_a_charge_that_is_not_ours_is_parked_and_dropped(
    desk: Desk, paid: str, more: dict[str, str]
) -> None:
    """No case, and nothing is left of it."""
    step = warns(desk, paid, **more)
    assert (answer(step)[1]["outcome"], types(step)) == ("parked", [])
    (timer,) = step.timers
    desk.business_ms += PARKED_MS
    assert types(desk.tell(timer.kind, timer.body, sender="timer")) == []
    assert (desk.state.disputes.parked, desk.state.cases) == ({}, {})


@pytest.mark.parametrize("is_first", [True, False])
def test_a_warning_and_a_dispute_pass_each_other(desk: Desk, paid: str, is_first: bool) -> None:
    """Either may be told first: the dispute takes the money once, the warning none."""
    tell = [lambda: warns(desk, paid), lambda: notes(desk, paid, "opened")]
    for one in tell if is_first else reversed(tell):
        assert answer(one())[1]["outcome"] == "applied"
    assert desk.state.payments[paid].amount_disputed == CAPTURED
    assert [case.reason for case in desk.state.cases.values()] == ["early_fraud_warning"]
    assert desk.replayed() == desk.state
