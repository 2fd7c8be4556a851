"""Disputes at their edges: crossing facts, dead providers, refusals, other payments."""

import pytest

from actors.simulation import orders
from tests.actors.disputed import (
    CAPTURED,
    answers,
    captured,
    case_of,
    disputed,
    money,
    notes,
    submitted,
    timer,
    told,
    types,
)
from tests.actors.gatewaydesk import Desk, answer


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def paid(desk: Desk) -> str:
    return captured(desk)


def test_a_ruling_that_comes_before_its_opening_opens_it_too(desk: Desk, paid: str) -> None:
    """Notices may overtake each other: the books tell the whole story in its order."""
    step = notes(desk, paid, "lost", closed_reason="expired")
    assert [entry_type for _, entry_type in types(step)] == [
        "dispute.opened",
        "dispute.lost",
        "payment.charged_back",
    ]
    assert not types(notes(desk, paid, "opened"))


@pytest.mark.parametrize("is_answered", [True, False])
def test_a_second_chargeback_that_is_told_before_the_win_books_both(
    desk: Desk, paid: str, is_answered: bool
) -> None:
    """Only what was won is charged back once more: the books end as they would in order, and the
    news of the win is none when it comes."""
    orderly = Desk()
    twin = captured(orderly)
    for house, payment_id, facts in (
        (orderly, twin, ("won", "lost")),
        (desk, paid, ("lost", "won")),
    ):
        ident = disputed(house, payment_id)
        if is_answered:
            submitted(house, payment_id, ident)
        for fact in (*facts, "lost", "won", "opened"):
            stage = "pre_arbitration" if fact == "lost" else "chargeback"
            last = notes(house, payment_id, fact, stage=stage, dispute_id=ident)
        assert not last.posts
        assert house.state.disputes.closed[ident].stage == "pre_arbitration"
        assert house.state.payments[payment_id].amount_charged_back == CAPTURED
        assert house.state.payments[payment_id].amount_disputed == 0
    assert money(desk) == money(orderly)
    assert desk.replayed() == desk.state


def test_a_chargeback_that_crosses_a_refund_is_booked_and_is_a_case(desk: Desk, paid: str) -> None:
    """Facts from outside beat our bounds; what is at stake is what went back twice."""
    ident = answer(desk.order(orders.refund(paid, 400)))[1]["id"]
    desk.order(orders.approve(ident))
    desk.says(f"{paid}.3", operation="refund", amount=400, provider_reference="re_9")
    step = notes(desk, paid, "opened")
    assert types(step) == [("disputes", "dispute.opened"), ("payments", "case.opened")]
    assert case_of(step) == ("overdrawn", 400)


def test_a_chargeback_before_the_second_person_is_no_case(desk: Desk, paid: str) -> None:
    """What only waits to be approved is not sent any more: nothing went back twice."""
    answer(desk.order(orders.refund(paid, 400)))
    assert types(notes(desk, paid, "opened")) == [("disputes", "dispute.opened")]


def test_a_chargeback_that_crosses_a_refund_under_way_is_a_case(desk: Desk, paid: str) -> None:
    """A refund that was sent may still succeed: its amount is at stake."""
    ident = answer(desk.order(orders.refund(paid, 400)))[1]["id"]
    desk.order(orders.approve(ident))
    assert case_of(notes(desk, paid, "opened")) == ("overdrawn", 400)


def test_a_disputed_payment_is_not_refunded(desk: Desk, paid: str) -> None:
    """409 names the dispute and what may be done instead."""
    ident = disputed(desk, paid, amount=500)
    status, body = answer(desk.order(orders.refund(paid, 100)))
    assert (status, body["code"]) == (409, "dispute-open")
    assert (body["legal"], body["disputes"]) == (["accept-dispute"], [ident])


def test_more_than_was_captured_cannot_be_disputed_by_us(desk: Desk, paid: str) -> None:
    """What is under way counts: the provider has not confirmed it, and may."""
    desk.order(orders.dispute(paid, "k_part", amount=1000))
    refusal = desk.refused(orders.dispute(paid, "k_more", amount=100))
    assert (refusal.code, refusal.extra) == ("amount-exceeds", {"disputable": 99})
    held = desk.authorized()
    body = answer(desk.order(orders.dispute(held, "k_held")))[1]
    assert (body["code"], "capture" in body["legal"]) == ("illegal-transition", True)
    assert desk.refused(orders.dispute(paid, "k_other", merchant="m_002")).code == "not-found"


def test_a_dead_provider_makes_nobody_wait_and_loses_no_order(desk: Desk, paid: str) -> None:
    """202 with what is known; the same key says so again, and has the final answer in the end."""
    step = desk.order(orders.dispute(paid))
    ident = step.out[0].body.dispute_id
    status, body = answer(desk.fires(timer(step, "dispute_wait:")))
    assert (status, body["id"], body["state"]) == (202, ident, "opening")
    assert answer(desk.order(orders.dispute(paid), "1.98"))[0] == 202
    status, body = answer(answers(desk, paid, "open", "opened", dispute_id=ident))
    assert (status, body["state"]) == (201, "opened")
    again = desk.order(orders.dispute(paid), "1.99")
    assert again.replies[0].stored_at is not None


def test_a_dispute_has_one_order_at_a_time(desk: Desk, paid: str) -> None:
    ident = disputed(desk, paid)
    desk.order(orders.submit(ident))
    refusal = desk.refused(orders.accept(ident))
    assert (refusal.code, refusal.retryable) == ("operation-in-doubt", True)


def test_an_order_that_the_provider_refuses_moves_nothing(desk: Desk, paid: str) -> None:
    ident = disputed(desk, paid)
    desk.order(orders.submit(ident))
    step = answers(desk, paid, "submit", "refused", dispute_id=ident, code="too_late")
    status, body = answer(step)
    assert (status, body["code"], types(step)) == (409, "illegal-transition", [])
    assert "accept" in body["legal"]
    assert "too_late" in body["detail"]
    assert not desk.state.disputes.asks


def test_nothing_heard_a_day_after_the_last_is_a_case(desk: Desk, paid: str) -> None:
    """The provider first has its time on the clock of the wire: business time may have jumped."""
    ident = disputed(desk, paid)
    step = desk.fires(timer(desk.steps[-1], "dispute:"))
    assert not types(step)
    step = desk.fires(timer(step, "dispute:"))
    assert case_of(step) == ("dispute_overdue", CAPTURED)
    assert desk.state.disputes.open[ident].state == "opened", "the provider rules, never we"


def test_a_fact_about_a_charge_that_is_not_captured_yet_waits_for_it(desk: Desk) -> None:
    payment_id = desk.authorized()
    assert answer(notes(desk, payment_id, "opened"))[1]["outcome"] == "parked"
    desk.order(orders.capture(payment_id))
    step = desk.says(f"{payment_id}.2", operation="capture", provider_reference="ch_2")
    step = desk.fires(timer(step, "dispute_fact:"))
    assert types(step) == [("disputes", "dispute.opened")]
    assert not desk.state.disputes.parked


def test_a_fact_about_a_capture_in_doubt_waits_as_long_as_the_doubt(desk: Desk) -> None:
    """Its notice was taken and will not come again, so no time that passes may drop it."""
    payment_id = desk.authorized()
    attempt = timer(desk.order(orders.capture(payment_id)), "attempt:")
    assert answer(notes(desk, payment_id, "opened"))[1]["outcome"] == "parked"
    waits = timer(desk.steps[-1], "dispute_fact:")
    desk.fires(attempt)
    for _ in range(3):
        waits = timer(desk.fires(waits), "dispute_fact:")
    step = desk.says(f"{payment_id}.2", operation="capture", provider_reference="ch_2")
    step = desk.fires(timer(step, "dispute_fact:"))
    assert types(step) == [("disputes", "dispute.opened")]
    assert not desk.state.disputes.parked


def test_a_fact_about_a_capture_that_did_not_happen_is_dropped(desk: Desk) -> None:
    """Once nothing about its charge is open, it is about no charge of ours."""
    payment_id = desk.authorized()
    desk.order(orders.capture(payment_id))
    notes(desk, payment_id, "opened")
    waits = timer(desk.steps[-1], "dispute_fact:")
    desk.says(f"{payment_id}.2", operation="capture", result="refused", code="not_accepted")
    desk.fires(waits)
    assert not desk.state.disputes.parked


def test_a_fact_about_no_charge_of_ours_is_dropped_after_a_while(desk: Desk, paid: str) -> None:
    """Of another's name, another charge or no payment at all."""
    step = notes(desk, paid, "opened", authorization=f"{paid}.7")
    assert answer(step)[1]["outcome"] == "parked"
    assert not types(desk.fires(timer(step, "dispute_fact:")))
    assert not desk.state.disputes.parked
    with pytest.raises(ValueError, match="speaks for"):
        desk.tell("dispute.fact", told(desk, paid, "opened"), sender="provider-b")


def pays_again(desk: Desk) -> str:
    payment_id = desk.authorized()
    desk.order(orders.capture(payment_id, key="again"))
    desk.says(f"{payment_id}.2", operation="capture", provider_reference="ch_again")
    return payment_id


@pytest.mark.parametrize("fact", ["opened", "lost", "won"])
@pytest.mark.parametrize("stands", ["ordered", "opened", "lost"])
def test_a_fact_that_names_a_dispute_of_another_payment_is_dropped(
    desk: Desk, paid: str, fact: str, stands: str
) -> None:
    """By whichever of its names, however it stands: neither payment is moved by it, and whoever
    posted it need not do so again."""
    other = pays_again(desk)
    if stands == "ordered":
        names = {"dispute_id": desk.order(orders.dispute(paid)).out[0].body.dispute_id}
        names["provider_reference"] = "du_2"
    else:
        disputed(desk, paid)
        names = {"provider_reference": "du_1"}
    if stands == "lost":
        notes(desk, paid, "lost")
    step = notes(desk, other, fact, **names)
    assert (answer(step)[1]["outcome"], types(step)) == ("parked", [])
    assert not types(desk.fires(timer(step, "dispute_fact:")))


@pytest.mark.parametrize(
    "items",
    [
        {},
        {"horoscope": "a good day"},
        {"usage_log": " "},
        {"usage_log": "paid with 4242424242424242"},
        {"usage_log": "bell \a"},
        {"usage_log": "x" * 4_097},
    ],
)
def test_evidence_that_cannot_be_used_is_refused_by_name(
    desk: Desk, paid: str, items: dict[str, str]
) -> None:
    """The field and the remedy, never the text."""
    ident = disputed(desk, paid)
    refusal = desk.refused(orders.evidence(ident, **items))
    assert (refusal.status, refusal.code) == (422, "validation-error")
    assert refusal.errors[0]["field"].startswith("evidence")
    assert "4242424242424242" not in str(refusal.errors)
