"""Cases at the gateway: opened once with what is at stake, closed by facts or by people."""

from typing import Any

import pytest

from actors.gateway.settings import ASKS_MAX
from actors.simulation.orders import approve, cancel, capture, case_closed, refund
from payrail.domain.words.cases import CloseCase
from payrail.runtime.actor import SetTimer
from tests.actors.gatewaydesk import Desk, answer, booked, entry, timer_of


@pytest.fixture
def desk() -> Desk:
    return Desk()


def charging(desk: Desk) -> tuple[str, Any]:
    return desk.attempted()


def capturing(desk: Desk) -> tuple[str, Any]:
    payment_id = desk.authorized()
    return payment_id, desk.order(capture(payment_id, amount=700))


def cancelling(desk: Desk) -> tuple[str, Any]:
    payment_id = desk.authorized()
    return payment_id, desk.order(cancel(payment_id))


def refunding(desk: Desk) -> tuple[str, Any]:
    payment_id, _ = capturing(desk)
    desk.says(f"{payment_id}.2", operation="capture", amount=700)
    made = answer(desk.order(refund(payment_id, 300)))[1]["id"]
    return payment_id, desk.order(approve(made))


CALLS = {"authorize": charging, "capture": capturing, "reverse": cancelling, "refund": refunding}
AT_STAKE = {"authorize": 1099, "capture": 700, "reverse": 1099, "refund": 300}


def unresolved(desk: Desk, operation: str) -> tuple[str, str, Any]:
    """Payment and reference of a call that no ask could tell the end of, and the last step."""
    payment_id, sent = CALLS[operation](desk)
    reference = f"{payment_id}.{desk.state.payments[payment_id].calls}"
    step = desk.fires(next(t for t in sent.timers if isinstance(t, SetTimer)))
    for _ in range(ASKS_MAX):
        step = desk.fires(timer_of(step))
    return payment_id, reference, step


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize("result", ["approved", "fenced"])
def test_doubt_without_an_end_is_a_case_that_the_outcome_closes(
    desk: Desk, operation: str, result: str
) -> None:
    """With what is at stake and where to begin; the asking goes on every day."""
    payment_id, reference, step = unresolved(desk, operation)
    told = entry(step, "case.opened")
    found = (told.data.reason, told.data.exposure, told.data.references, told.data.operation)
    assert found == ("unresolved", AT_STAKE[operation], [reference], operation)
    assert (told.data.provider, told.data.asks, told.amount) == ("providerA", 6, told.data.exposure)
    assert [send.kind for send in step.out] == ["ask"]
    assert not booked(desk.fires(timer_of(step))), "one case is enough"

    ended = desk.says(
        reference, result, operation=operation, amount=AT_STAKE[operation], asked=True
    )
    closed = entry(ended, "case.closed")
    assert (closed.ref, closed.data.resolution) == (told.ref, "resolved")
    assert (closed.data.payment_id, closed.data.closed_by) == (payment_id, "gateway")
    assert desk.state.cases == {}


def test_people_close_a_case_once(desk: Desk) -> None:
    """With their words; the second time it is closed already, for others it never was."""
    unresolved(desk, "capture")
    (case_id,) = desk.state.cases
    status, shown = answer(desk.order(case_closed(case_id, "called the provider")))
    assert (status, shown["state"], shown["resolution"]) == (200, "closed", "called the provider")
    assert shown["closed_by"] == "usr_m001admin"
    assert shown["references"]
    event: Any = [p.record for p in desk.steps[-1].posts if p.book == "events"][-1]
    assert (event.type, event.object_seq, event.data["object"]["state"]) == (
        "case.closed",
        2,
        "closed",
    )
    _, problem = answer(desk.order(case_closed(case_id, "again", "k_again")))
    assert (problem["code"], problem["legal"]) == ("illegal-transition", [])
    other = case_closed(case_id, "mine", merchant="m_002")
    assert desk.refused(other).code == desk.refused(case_closed("case_none", "x", "k_none")).code
    assert isinstance(other[1], CloseCase)
    assert desk.replayed() == desk.state


def test_a_case_that_people_closed_stays_closed_when_the_outcome_comes(desk: Desk) -> None:
    """The fact is booked; nothing is said about the case any more."""
    _, reference, _ = unresolved(desk, "capture")
    (case_id,) = desk.state.cases
    desk.order(case_closed(case_id, "written off"))
    ended = desk.says(reference, operation="capture", amount=700, asked=True)

    assert booked(ended) == ["payment.captured", "fee.charged", "payment.released"]
