"""Facts about challenges at the gateway: one page, one answer, and a charge only for the holder."""

from typing import Any

import pytest

from actors.gateway.settings import Rules
from actors.simulation.orders import answer_challenge, authorize, cancel, capture, create
from payrail.domain.breaker import BreakerState
from payrail.domain.timestamps import iso
from payrail.domain.words.providers import Action
from tests.actors.gatewaydesk import TOKEN, Desk, answer, booked, entry, timer_of
from tests.actors.pure import NOON_MS

LATER_MS = NOON_MS + 15 * 60_000
B = {"sender": "provider-b", "provider": "providerB"}


@pytest.fixture
def desk() -> Desk:
    return Desk(Rules(challenge_key=b"a key of this house"))


def asks(desk: Desk, payment_id: str, k: int = 1, name: str = "act_1", **more: Any) -> Any:
    """The provider wants the cardholder first; result: the step that follows."""
    action = Action(name, iso(LATER_MS))
    return desk.says(f"{payment_id}.{k}", "requires_action", action=action, **more)


def challenged(desk: Desk, **fields: Any) -> tuple[str, str]:
    """A payment that waits for its cardholder: its id and the challenge's."""
    payment_id, _ = desk.attempted(**fields)
    step = asks(desk, payment_id)
    return payment_id, entry(step, "payment.requires_action").data.challenge_id


def answers(desk: Desk, payment_id: str, challenge_id: str, outcome: str = "approve") -> Any:
    key = f"k{len(desk.steps)}"
    return desk.order(answer_challenge(payment_id, challenge_id, outcome, key))


def test_a_shop_is_told_where_to_send_its_customer(desk: Desk) -> None:
    """The answer is final: the payment waits, nothing is open, and the page is named."""
    payment_id, _ = desk.attempted()
    step = asks(desk, payment_id)
    assert booked(step) == ["payment.requires_action"]
    data = entry(step, "payment.requires_action").data
    assert entry(step, "payment.requires_action").postings == []
    assert (data.provider, data.reference, data.action) == (
        "providerA",
        f"{payment_id}.1",
        "act_1",
    )
    status, shown = answer(step)
    assert (status, shown["state"], shown["pending_operation"]) == (201, "requires_action", None)
    assert shown["next_action"] == {
        "type": "redirect_to_url",
        "url": f"/challenges/{data.challenge_id}",
        "expires_at": iso(LATER_MS),
    }
    assert shown["attempts"][0]["outcome"] == "requires_action"
    (event,) = [post.record for post in step.posts if post.book == "events"]
    assert event.data["object"] == shown
    assert desk.state.pending == {}
    timer = timer_of(step)
    assert (timer.kind, timer.due_ms, timer.business) == ("challenge.expired", LATER_MS, True)


def test_a_challenge_cannot_be_guessed_and_a_replay_makes_it_again() -> None:
    """Its id hangs on a key of the house, beside the charge that it is about."""
    found = []
    for key in (b"one", b"one", b"two"):
        desk = Desk(Rules(challenge_key=key))
        found.append(challenged(desk)[1])
        assert desk.replayed() == desk.state
    assert found[0] == found[1] != found[2]
    assert len(found[0]) == len("chl_") + 32


def test_an_approved_challenge_charges_once_more_where_it_was_asked_for(desk: Desk) -> None:
    """A fresh attempt with the next reference names the action that was passed."""
    payment_id, challenge_id = challenged(desk)
    step = answers(desk, payment_id, challenge_id)
    assert booked(step) == ["payment.attempt_started"]
    (send,) = step.out
    assert (send.to, send.kind) == ("vault", "card.charge")
    assert (send.body.reference, send.body.provider) == (f"{payment_id}.2", "providerA")
    assert send.body.authenticated == "act_1"
    assert entry(step, "payment.attempt_started").data.routing.rule == "challenged"
    step = desk.says(f"{payment_id}.2")
    status, shown = answer(step)
    assert (status, shown["state"], shown["next_action"]) == (200, "authorized", None)
    assert [a["outcome"] for a in shown["attempts"]] == ["requires_action", "approved"]
    assert desk.state.payments[payment_id].challenges[0].outcome == "approved"
    assert desk.replayed() == desk.state


def test_an_approved_challenge_captures_at_once_where_the_shop_wants_that(desk: Desk) -> None:
    payment_id, challenge_id = challenged(desk, capture_method="automatic")
    answers(desk, payment_id, challenge_id)
    assert desk.says(f"{payment_id}.2").out[0].kind == "capture"
    step = desk.says(f"{payment_id}.3", operation="capture", provider_reference="ch_2")
    assert answer(step)[1]["state"] == "captured"


def test_a_card_may_be_declined_in_spite_of_its_challenge(desk: Desk) -> None:
    payment_id, challenge_id = challenged(desk)
    answers(desk, payment_id, challenge_id)
    step = desk.says(f"{payment_id}.2", "declined", code="generic_decline")
    status, body = answer(step)
    assert (status, body["decline_code"]) == (402, "generic_decline")
    assert desk.state.closed[payment_id].state == "declined"


def test_a_failed_challenge_declines_without_a_charge(desk: Desk) -> None:
    payment_id, challenge_id = challenged(desk)
    step = answers(desk, payment_id, challenge_id, "fail")
    assert (booked(step), step.out) == (["payment.declined"], [])
    assert answer(step)[1]["decline_code"] == "authentication_failed"
    assert answer(step)[1]["attempts"][0]["code"] == "authentication_failed"


def test_a_challenge_that_is_left_or_cancelled_gives_the_payment_up(desk: Desk) -> None:
    """Nothing was held, so nobody is asked to give anything back."""
    payment_id, challenge_id = challenged(desk)
    step = answers(desk, payment_id, challenge_id, "abandon")
    assert (booked(step), step.out) == (["payment.reversed"], [])
    assert entry(step, "payment.reversed").data.reversal_reason == "canceled"
    other, _ = challenged(desk)
    step = desk.order(cancel(other))
    assert (booked(step), step.out, answer(step)[0]) == (["payment.reversed"], [], 200)
    assert [timer.id for timer in step.timers] == [f"challenge:{_}"]


def test_a_challenge_that_nobody_answers_expires(desk: Desk) -> None:
    """The payment ends as reversed and expired; an answer that comes then is 410 or 409."""
    payment_id, _ = desk.attempted()
    step = asks(desk, payment_id)
    timer, challenge_id = timer_of(step), desk.state.payments[payment_id].challenge.id
    desk.business_ms = LATER_MS
    refusal = desk.refused(answer_challenge(payment_id, challenge_id, key="late"))
    assert (refusal.status, refusal.code) == (410, "challenge-expired")
    step = desk.fires(timer)
    assert entry(step, "payment.reversed").data.reversal_reason == "expired"
    assert booked(desk.fires(timer)) == [], "the same timer again says nothing"
    step = answers(desk, payment_id, challenge_id)
    assert (answer(step)[0], answer(step)[1]["code"]) == (409, "challenge-used")


@pytest.mark.parametrize("first", ["approve", "fail", "abandon"])
def test_a_challenge_takes_one_answer(desk: Desk, first: str) -> None:
    """The same answer again under its key is the same; another one is refused."""
    payment_id, challenge_id = challenged(desk)
    order = answer_challenge(payment_id, challenge_id, first, "once")
    desk.order(order)
    before = len(desk.lines)
    step = answers(desk, payment_id, challenge_id, "approve")
    assert (answer(step)[0], answer(step)[1]["code"]) == (409, "challenge-used")
    assert booked(step) == []
    desk.order(order, re="again")
    assert not [book for book, _ in desk.lines[before:] if book == "payments"]


def test_only_cancel_is_legal_while_the_cardholder_is_waited_for(desk: Desk) -> None:
    payment_id, _ = challenged(desk)
    for order in (authorize(payment_id, "k_1"), capture(payment_id, "k_2")):
        refusal = answer(desk.order(order))[1]
        assert (refusal["code"], refusal["legal"]) == ("illegal-transition", ["cancel"])


def test_a_challenge_after_the_shop_was_told_to_wait_declines(desk: Desk) -> None:
    """Unknown has no way to the page: nobody is there to be sent, and no money has moved."""
    payment_id, step = desk.attempted()
    assert answer(desk.fires(timer_of(step)))[0] == 202
    step = asks(desk, payment_id, asked=True)
    assert booked(step) == ["payment.declined"]
    status, body = answer(step)
    assert (status, body["decline_code"]) == (402, "authentication_required")


def test_a_charge_in_doubt_after_its_challenge_is_asked_about(desk: Desk) -> None:
    """What holds for every charge holds for this one: 202, an ask, and no other provider."""
    payment_id, challenge_id = challenged(desk)
    step = answers(desk, payment_id, challenge_id)
    doubt = desk.fires(next(t for t in step.timers if getattr(t, "kind", "") == "attempt.timeout"))
    assert (booked(doubt), answer(doubt)[0]) == (["payment.unknown"], 202)
    assert answer(desk.says(f"{payment_id}.2", asked=True))[1]["state"] == "authorized"


def test_the_other_provider_asks_for_its_own_challenge(desk: Desk) -> None:
    """Before a challenge a safe refusal goes elsewhere; after one, the other one asks anew."""
    payment_id, _ = desk.attempted()
    desk.says(f"{payment_id}.1", "refused", code="not_accepted")
    step = asks(desk, payment_id, 2, "act_b", **B)
    first = entry(step, "payment.requires_action").data
    assert (first.provider, first.number) == ("providerB", 2)
    step = answers(desk, payment_id, first.challenge_id)
    assert (step.out[0].body.provider, step.out[0].body.authenticated) == ("providerB", "act_b")

    payment_id, challenge_id = challenged(desk)
    answers(desk, payment_id, challenge_id)
    (send,) = desk.says(f"{payment_id}.2", "refused", code="not_accepted").out
    assert (send.body.provider, send.body.authenticated) == ("providerB", None)
    step = asks(desk, payment_id, 3, "act_c", **B)
    assert answer(step)[1]["state"] == "requires_action"
    again = desk.state.payments[payment_id].challenge
    assert (again.provider, again.id != challenge_id) == ("providerB", True)


def test_a_challenge_says_nothing_about_its_provider(desk: Desk) -> None:
    """The breaker counts it neither as good nor as a failure."""
    for _ in range(6):
        challenged(desk)
    breaker = desk.state.breaker("providerA")
    assert (breaker.state, breaker.counts(NOON_MS)) == (BreakerState.CLOSED, (0, 0))


def test_the_answer_to_a_create_is_kept_and_given_again(desk: Desk) -> None:
    """A shop that repeats its order gets the same bytes; how things stand now it looks up."""
    order = create(TOKEN, "kept", confirm=True)
    payment_id = desk.order(order).posts[0].record.ref
    asks(desk, payment_id)
    (again,) = desk.order(order, re="again").replies
    assert again.replayed
    assert again.stored_at == desk.state.keys["m_001 kept"].answer_at
