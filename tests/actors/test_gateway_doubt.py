"""Doubt: neither success nor failure. It is asked about until it is known, and never guessed."""

from typing import Any

import pytest

from actors.simulation.orders import cancel, capture
from payrail.domain.messages import CardRefused
from payrail.runtime.actor import CancelTimer
from tests.actors.gatewaydesk import Desk, answer, booked, entry, timer_of
from tests.actors.pure import NOON_MS

SECOND_MS = 1_000


@pytest.fixture
def desk() -> Desk:
    return Desk()


def doubted(desk: Desk, **fields: Any) -> tuple[str, Any]:
    """A payment whose charge timed out, and the step in which it did."""
    payment_id, step = desk.attempted(**fields)
    return payment_id, desk.fires(timer_of(step))


def test_a_timeout_books_doubt_answers_202_and_asks(desk: Desk):
    """Five seconds after the call."""
    _, step = doubted(desk)
    status, shown = answer(step)

    assert desk.wire_ms == NOON_MS + 5 * SECOND_MS
    assert (booked(step), status, shown["state"]) == (["payment.unknown"], 202, "unknown")
    assert [(send.to, send.kind, send.body.number) for send in step.out] == [
        ("provider-a", "ask", 1)
    ]


def test_asks_grow_rarer_and_never_stop(desk: Desk):
    """At once, then after 5 s, 30 s, 5 m, 1 h, 1 d, and each day from then on."""
    _, step = doubted(desk)
    waits_s = []
    told = []
    for number in range(2, 9):
        timer, before_ms = timer_of(step), desk.wire_ms
        step = desk.fires(timer)
        waits_s.append((desk.wire_ms - before_ms) // SECOND_MS)
        told.append(booked(step))
        assert step.out[0].body.number == number

    assert waits_s == [5, 30, 300, 3_600, 86_400, 86_400, 86_400]
    assert told == [[]] * 5 + [["case.opened"], []], "people are told once, after the daily ask"


def test_an_ambiguous_answer_is_doubt_at_once(desk: Desk):
    """A 500 says nothing about the charge: 202, and the ask."""
    payment_id, _ = desk.attempted()
    step = desk.says(f"{payment_id}.1", "ambiguous", code="http_500")

    assert (booked(step), answer(step)[0], step.out[0].kind) == (["payment.unknown"], 202, "ask")
    assert desk.says(f"{payment_id}.1", "ambiguous").posts == []


def test_an_ask_that_finds_an_approval_authorizes(desk: Desk):
    """And stops asking."""
    payment_id, _ = doubted(desk)
    step = desk.says(f"{payment_id}.1", asked=True)

    assert (booked(step), answer(step)[1]["state"]) == (["payment.authorized"], "authorized")
    assert CancelTimer(f"ask:{payment_id}.1") in step.timers


def test_an_ask_that_finds_nothing_yet_changes_nothing(desk: Desk):
    """The next ask is set already."""
    payment_id, _ = doubted(desk)
    step = desk.says(f"{payment_id}.1", "pending", asked=True)

    assert (step.posts, step.events, step.out, step.timers) == ([], [], [], [])


def test_a_fenced_charge_is_declined_and_nobody_else_is_charged(desk: Desk):
    """`processing_error`, and the payment is closed."""
    payment_id, _ = doubted(desk)
    step = desk.says(f"{payment_id}.1", "fenced", asked=True)

    assert entry(step, "payment.declined").data.decline_code == "processing_error"
    assert (step.out, list(desk.state.closed)) == ([], [payment_id])


def test_a_refusal_by_the_provider_is_an_outcome(desk: Desk):
    """A card that came past its deadline was not charged."""
    payment_id, _ = doubted(desk)
    _, problem = answer(desk.says(f"{payment_id}.1", "refused", code="expired"))

    assert problem["decline_code"] == "processing_error"


def test_a_card_that_the_vault_keeps_is_a_decline(desk: Desk):
    """No provider heard of it; said twice it is still one decline."""
    payment_id, _ = desk.attempted()
    refused = CardRefused(payment_id, f"{payment_id}.1", "unknown_token")
    step = desk.tell("card.refused", refused, sender="vault")

    assert answer(step)[1]["decline_code"] == "unknown_token"
    assert desk.tell("card.refused", refused, sender="vault").posts == []


def test_a_doubtful_capture_leaves_the_payment_authorized(desk: Desk):
    """202 with the pending operation; cancel and capture wait."""
    payment_id = desk.authorized()
    step = desk.fires(timer_of(desk.order(capture(payment_id))))
    status, shown = answer(step)

    assert (status, shown["state"]) == (202, "authorized")
    assert shown["pending_operation"]["operation"] == "capture"
    for order in (capture(payment_id, "k2"), cancel(payment_id)):
        assert desk.refused(order).code == "operation-in-doubt"


def test_a_fenced_capture_leaves_the_hold_as_it_was(desk: Desk):
    """402, and it can be captured again with a new reference."""
    payment_id = desk.authorized()
    desk.fires(timer_of(desk.order(capture(payment_id))))
    step = desk.says(f"{payment_id}.2", "fenced", operation="capture", asked=True)
    again = desk.order(capture(payment_id, "k2"))

    assert booked(step) == ["payment.operation_failed"]
    assert answer(step)[1]["decline_code"] == "processing_error"
    assert again.out[0].body.reference == f"{payment_id}.3"


def test_a_doubtful_reversal_is_asked_about_too(desk: Desk):
    """The payment stays authorized until the provider confirmed."""
    payment_id = desk.authorized()
    step = desk.fires(timer_of(desk.order(cancel(payment_id))))
    ended = desk.says(f"{payment_id}.2", operation="reverse", asked=True)

    assert answer(step)[1]["pending_operation"]["operation"] == "reverse"
    assert step.out[0].body.operation == "reverse"
    assert answer(ended)[1]["state"] == "reversed"


def test_a_doubtful_automatic_capture_ends_as_the_one_answer(desk: Desk):
    """202 for the charge; no second 202 for the capture; then the final answer."""
    payment_id, _ = doubted(desk, capture_method="automatic")
    between = desk.says(f"{payment_id}.1", asked=True)
    doubtful = desk.fires(timer_of(between))
    ended = desk.says(f"{payment_id}.2", operation="capture", asked=True)

    assert (between.replies, doubtful.replies) == ([], [])
    assert (answer(ended)[0], answer(ended)[1]["state"]) == (201, "captured")


def test_the_same_outcome_twice_is_one_fact(desk: Desk):
    """By itself, by an ask, by another ask: the first one counts."""
    payment_id = desk.authorized()

    for _ in range(3):
        step = desk.says(f"{payment_id}.1", asked=True)
        assert (step.events, step.posts, step.out) == ([], [], [])


def closed_in_doubt(desk: Desk) -> str:
    """A payment that was declined because its charge was fenced."""
    payment_id, _ = doubted(desk)
    desk.says(f"{payment_id}.1", "fenced", asked=True)
    return payment_id


def test_a_late_approval_is_given_back_and_people_are_told(desk: Desk):
    """A reversal with the next reference and the merchant's name; a case; the state stays."""
    payment_id = closed_in_doubt(desk)
    late = desk.says(f"{payment_id}.1")
    (send,) = late.out
    ended = desk.says(f"{payment_id}.2", operation="reverse")

    assert (booked(late), entry(late, "case.opened").data.reason) == (
        ["case.opened"],
        "late_approval",
    )
    assert (send.kind, send.body.merchant_id, send.body.authorization) == (
        "reverse",
        "m_001",
        f"{payment_id}.1",
    )
    assert booked(ended) == ["payment.late_approval_reversed"]
    assert (desk.state.closed[payment_id].state, desk.state.late) == ("declined", {})


def test_a_late_approval_told_again_is_given_back_once(desk: Desk):
    """Before and after the reversal is confirmed: one reversal, one case."""
    payment_id = closed_in_doubt(desk)
    desk.says(f"{payment_id}.1")
    before = desk.says(f"{payment_id}.1", asked=True)
    desk.says(f"{payment_id}.2", operation="reverse")
    after = desk.says(f"{payment_id}.1", asked=True)

    assert [(s.events, s.posts, s.out) for s in (before, after)] == [([], [], [])] * 2


@pytest.mark.parametrize("result", ["refused", "ambiguous", "pending"])
def test_a_late_reversal_is_asked_about_until_it_is_done(desk: Desk, result: str):
    """A provider that refuses it, or says nothing, is asked; a fenced one is sent anew."""
    payment_id = closed_in_doubt(desk)
    timer = timer_of(desk.says(f"{payment_id}.1"))
    said = desk.says(f"{payment_id}.2", result, operation="reverse")
    asked = desk.fires(timer)
    again = desk.says(f"{payment_id}.2", "fenced", operation="reverse", asked=True)
    ended = desk.says(f"{payment_id}.3", operation="reverse")

    assert (said.posts, said.events) == ([], [])
    assert (asked.out[0].kind, asked.out[0].body.reference) == ("ask", f"{payment_id}.2")
    assert (again.out[0].kind, again.out[0].body.reference) == ("reverse", f"{payment_id}.3")
    assert (booked(ended), desk.state.late) == (["payment.late_approval_reversed"], {})
    assert timer_of(again).due_ms - desk.wire_ms == 30 * SECOND_MS


def test_a_reversal_that_finds_nothing_is_a_case(desk: Desk):
    """The provider says that there is no such hold: people look."""
    payment_id = closed_in_doubt(desk)
    desk.says(f"{payment_id}.1")
    step = desk.says(f"{payment_id}.2", "declined", operation="reverse", code="already_reversed")

    assert entry(step, "case.opened").data.reason == "late_reversal_refused"
    assert desk.state.late == {}


def test_events_of_a_closed_payment_go_on_counting(desk: Desk):
    """`object_seq` has no gap and no repetition, also after the payment left memory."""
    payment_id = closed_in_doubt(desk)
    desk.says(f"{payment_id}.1")
    desk.says(f"{payment_id}.2", operation="reverse")
    events: list[Any] = [p.record for s in desk.steps for p in s.posts if p.book == "events"]

    seqs = [event.object_seq for event in events if event.type.startswith("payment.")]
    assert seqs == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("wrong", [{"amount": 1098}, {"currency": "EUR"}])
def test_an_approval_of_something_else_is_given_back(desk: Desk, wrong: dict[str, Any]):
    """Declined with `amount_mismatch`, reversed, and a case."""
    payment_id, _ = desk.attempted()
    step = desk.says(f"{payment_id}.1", **wrong)
    status, problem = answer(step)
    desk.says(f"{payment_id}.2", operation="reverse", amount=1098)

    assert (status, problem["decline_code"]) == (402, "amount_mismatch")
    assert booked(step) == ["payment.declined", "case.opened"]
    assert (step.out[0].kind, step.out[0].body.merchant_id) == ("reverse", "m_001")
    assert desk.says(f"{payment_id}.1", asked=True, **wrong).posts == []


def test_what_was_really_captured_is_what_is_booked(desk: Desk):
    """A provider that takes another amount makes a case; the books follow the money."""
    payment_id = desk.authorized()
    desk.order(capture(payment_id))
    step = desk.says(f"{payment_id}.2", operation="capture", amount=1098)
    _, shown = answer(step)

    assert entry(step, "payment.captured").amount == shown["amount_captured"] == 1098
    assert entry(step, "case.opened").data.reason == "amount_mismatch"


def test_a_timer_of_a_call_that_is_over_does_nothing(desk: Desk):
    """It may fire in the same batch as the outcome."""
    payment_id, sent = desk.attempted()
    desk.says(f"{payment_id}.1")
    step = desk.fires(timer_of(sent))

    assert (step.posts, step.events, step.out, step.replies) == ([], [], [], [])


def test_a_provider_speaks_for_itself_alone(desk: Desk):
    """An outcome in another's name, or about a call to another, moves no money: a dead letter."""
    payment_id, _ = desk.attempted()

    with pytest.raises(ValueError, match="provider-b speaks"):
        desk.says(f"{payment_id}.1", provider="providerB", sender="provider-b")
    with pytest.raises(ValueError, match="provider-a speaks"):
        desk.says(f"{payment_id}.1", provider="providerB")
    assert desk.state.payments[payment_id].state == "processing"


def test_a_capture_that_was_refused_for_good_and_happened_is_a_case_once(desk: Desk):
    """Nothing is booked behind people's backs, and nothing is hidden from them: also when the
    payment was cancelled meanwhile."""
    for is_cancelled in (False, True):
        payment_id = desk.authorized()
        desk.order(capture(payment_id, f"cap_{payment_id}"))
        desk.says(f"{payment_id}.2", "fenced", operation="capture")
        if is_cancelled:
            desk.order(cancel(payment_id, f"cancel_{payment_id}"))
            desk.says(f"{payment_id}.3", operation="reverse")
            assert payment_id in desk.state.closed
        step = desk.says(f"{payment_id}.2", operation="capture")
        assert booked(step) == ["case.opened"]
        assert entry(step, "case.opened").data.reason == "fence_broken"
        assert not desk.says(f"{payment_id}.2", operation="capture").posts
    assert desk.replayed() == desk.state
