"""Disputes at the gateway: what a provider says is booked once, and whoever waits is told."""

import pytest

from actors.simulation import orders
from payrail.domain.dispute_terms import DAY_MS
from payrail.domain.timestamps import parse_iso
from payrail.runtime.actor import CancelTimer
from tests.actors.disputed import (
    AVAILABLE,
    CAPTURED,
    FEE,
    RECEIVABLE,
    answers,
    captured,
    case_of,
    disputed,
    money,
    notes,
    submitted,
    timer,
    types,
)
from tests.actors.gatewaydesk import Desk, answer


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def paid(desk: Desk) -> str:
    return captured(desk)


def test_who_opens_a_dispute_waits_until_the_provider_has_opened_it(desk: Desk, paid: str) -> None:
    """Nothing is in the books before the provider's word; then the answer is 201, for good."""
    step = desk.order(orders.dispute(paid))
    (send,) = step.out
    call = send.body
    assert (send.to, send.kind, call.action, call.amount) == (
        "provider-a",
        "dispute.call",
        "open",
        CAPTURED,
    )
    assert (types(step), step.replies, call.authorization) == ([], [], f"{paid}.1")
    step = answers(desk, paid, "open", "opened", dispute_id=call.dispute_id)
    status, body = answer(step)
    assert (status, body["id"], body["state"]) == (201, call.dispute_id, "opened")
    assert types(step) == [("disputes", "dispute.opened")]
    assert CancelTimer(f"dispute_wait:{call.dispute_id}") in step.timers
    assert "Ada Kite" in body["evidence"]["customer_identity"]
    again = desk.order(orders.dispute(paid), "1.99")
    assert again.replies[0].stored_at is not None


def test_a_chargeback_holds_the_money_and_leaves_the_payment_captured(
    desk: Desk, paid: str
) -> None:
    before = money(desk)
    dispute_id = disputed(desk, paid)
    view = desk.state.payments[paid]
    assert (view.state, view.amount_disputed) == ("captured", CAPTURED)
    after = money(desk)
    assert after["asset:providerA:disputed"] == CAPTURED
    assert after["liability:m_001:dispute_hold"] == -CAPTURED
    assert after[RECEIVABLE] == before[RECEIVABLE] - CAPTURED - FEE
    assert after[AVAILABLE] == CAPTURED + FEE
    found = desk.state.disputes.open[dispute_id]
    assert parse_iso(found.due_by) == desk.business_ms + 18 * DAY_MS, "a Visa card has 18 days"
    assert timer(desk.steps[-1], "dispute:").due_ms == parse_iso(found.due_by) + DAY_MS


def test_the_first_word_is_booked_and_the_second_is_a_duplicate(desk: Desk, paid: str) -> None:
    """Answer and notice are one fact, whichever comes first, in each stage of a dispute."""
    step = desk.order(orders.dispute(paid))
    ident = step.out[0].body.dispute_id
    first = notes(desk, paid, "opened", dispute_id=ident)
    assert [reply.status for reply in first.replies] == [201, 200], "both who wait are answered"
    second = answers(desk, paid, "open", "opened", dispute_id=ident)
    assert (second.posts, second.replies) == ([], [])
    submitted(desk, paid, ident)
    notes(desk, paid, "won")
    for fact in ("opened", "submitted", "won"):
        step = notes(desk, paid, fact)
        assert (types(step), answer(step)[1]["outcome"]) == ([], "duplicate")


def test_an_answered_dispute_is_won_and_everything_comes_back(desk: Desk, paid: str) -> None:
    before = money(desk)
    ident = disputed(desk, paid)
    step = desk.order(orders.evidence(ident, usage_log="winning_evidence"))
    assert answer(step)[1]["evidence"]["usage_log"] == "winning_evidence"
    step = desk.order(orders.submit(ident))
    assert step.out[0].body.evidence == "winning_evidence"
    assert step.out[0].body.provider_reference == "du_1"
    status, body = answer(answers(desk, paid, "submit", "submitted", dispute_id=ident))
    assert (status, body["state"]) == (200, "under_review")
    assert body["submissions"][0]["submitted_by"] == "usr_m001admin"
    assert money(desk)[AVAILABLE] == CAPTURED + 2 * FEE
    step = notes(desk, paid, "won", closed_reason="defended")
    assert types(step) == [("disputes", "dispute.won")]
    assert desk.state.payments[paid].amount_disputed == 0
    after = {**before, RECEIVABLE: before[RECEIVABLE] - FEE, AVAILABLE: FEE}
    assert money(desk) == after, "only the fee for receiving it stays paid"
    assert ident not in desk.state.disputes.open


def test_a_second_answer_and_a_late_one_are_refused(desk: Desk, paid: str) -> None:
    """One submission a stage, and none after the last day: 409 says what is left to do."""
    ident = disputed(desk, paid)
    desk.business_ms = parse_iso(desk.state.disputes.open[ident].due_by)
    late = desk.order(orders.submit(ident, "k_late"))
    status, body = answer(late)
    assert (status, body["code"]) == (409, "illegal-transition")
    assert body["legal"] == ["evidence", "accept", "resolve"]
    desk.business_ms -= 1
    submitted(desk, paid, ident)
    body = answer(desk.order(orders.submit(ident, "k_second")))[1]
    assert (body["code"], body["legal"]) == ("illegal-transition", ["resolve"])


def test_giving_in_loses_the_payment(desk: Desk, paid: str) -> None:
    ident = disputed(desk, paid)
    desk.order(orders.accept(ident))
    step = answers(desk, paid, "accept", "lost", dispute_id=ident, closed_reason="accepted")
    assert types(step) == [("disputes", "dispute.lost"), ("payments", "payment.charged_back")]
    assert (answer(step)[0], answer(step)[1]["closed_reason"]) == (200, "accepted")
    view = desk.state.payments[paid]
    assert (view.state, view.amount_charged_back, view.amount_disputed) == (
        "chargeback",
        CAPTURED,
        0,
    )
    assert not {a for a in money(desk) if a.endswith((":disputed", ":dispute_hold"))}
    refusal = answer(desk.order(orders.submit(ident, "k_over")))[1]
    assert (refusal["code"], refusal["legal"]) == ("illegal-transition", [])


def test_what_was_won_can_be_lost_by_a_second_chargeback(desk: Desk, paid: str) -> None:
    """It is final, and old news of the first round afterwards changes nothing."""
    ident = disputed(desk, paid)
    submitted(desk, paid, ident)
    notes(desk, paid, "won")
    step = notes(desk, paid, "lost", stage="pre_arbitration")
    assert types(step) == [("disputes", "dispute.lost"), ("payments", "payment.charged_back")]
    assert desk.state.disputes.closed[ident].state == "lost"
    assert desk.state.payments[paid].state == "chargeback"
    for fact in ("won", "lost"):
        assert answer(notes(desk, paid, fact))[1]["outcome"] == "duplicate"


def test_another_ruling_than_before_is_a_case_once(desk: Desk, paid: str) -> None:
    ident = disputed(desk, paid)
    notes(desk, paid, "lost", closed_reason="expired")
    step = notes(desk, paid, "won")
    assert types(step) == [("payments", "case.opened")]
    assert case_of(step) == ("ruling_contradicts", CAPTURED)
    assert not types(notes(desk, paid, "won"))
    assert desk.state.disputes.closed[ident].state == "lost"


def test_an_inquiry_moves_nothing_until_it_becomes_a_chargeback(desk: Desk, paid: str) -> None:
    """The chargeback is opened under the same id, may be about a part, and is answered anew."""
    before = money(desk)
    ident = disputed(desk, paid, stage="inquiry")
    desk.order(orders.submit(ident))
    answers(desk, paid, "submit", "submitted", dispute_id=ident, stage="inquiry")
    assert money(desk) == before
    assert disputed(desk, paid, amount=500) == ident
    view = desk.state.disputes.open[ident]
    assert (view.state, view.stage, view.amount, view.is_answered) == (
        "opened",
        "chargeback",
        500,
        False,
    )
    assert money(desk)["asset:providerA:disputed"] == 500


def test_an_inquiry_ends_without_a_chargeback(desk: Desk, paid: str) -> None:
    ident = disputed(desk, paid, stage="inquiry")
    step = notes(desk, paid, "closed", stage="inquiry", closed_reason="withdrawn")
    assert types(step) == [("disputes", "dispute.closed")]
    assert desk.state.disputes.closed[ident].state == "closed"
    assert desk.state.payments[paid].state == "captured"


def test_what_the_gateway_knows_of_disputes_is_the_fold_of_its_lines(desk: Desk, paid: str) -> None:
    ident = disputed(desk, paid)
    desk.order(orders.evidence(ident, usage_log="losing_evidence"))
    desk.order(orders.submit(ident))
    assert desk.replayed() == desk.state
    answers(desk, paid, "submit", "submitted", dispute_id=ident)
    notes(desk, paid, "lost", closed_reason="defended")
    assert desk.replayed() == desk.state
    assert desk.actor.load(desk.snapshot()) == desk.state
