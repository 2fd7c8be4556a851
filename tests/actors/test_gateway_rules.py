"""What the gateway lets a merchant do with a payment, and what it says no to."""

from typing import Any

import pytest

from actors.gateway.core import Gateway
from actors.gateway.settings import HOLD_MS, Rules
from actors.simulation.orders import Order, authorize, cancel, capture, create
from payrail.domain.messages import CancelPayment
from payrail.runtime.actor import Message, Moment
from tests.actors.gatewaydesk import FOREIGN_TOKEN, TOKEN, Desk, answer, booked, entry
from tests.actors.pure import NOON_MS


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_new_payment_is_created_and_nothing_is_charged(desk: Desk):
    """Create answers 201 with the payment, and no provider hears of it."""
    step = desk.order(create(TOKEN))
    status, shown = answer(step)

    assert (status, shown["state"], shown["payment_method"]["last4"]) == (201, "created", "4242")
    assert (booked(step), step.out, step.timers) == (["payment.created"], [], [])


@pytest.mark.parametrize("token", ["tok_never_seen", FOREIGN_TOKEN])
def test_an_unknown_token_and_a_foreign_one_are_the_same(desk: Desk, token: str):
    """Nobody learns which tokens another merchant has."""
    refusal = desk.refused(create(token))

    assert (refusal.status, refusal.code) == (422, "unknown-token")
    assert refusal.detail == desk.refused(create("tok_x")).detail


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"amount": 0}, "amount"),
        ({"amount": 100_000_000}, "amount"),
        ({"currency": "XAU"}, "currency"),
    ],
)
def test_what_cannot_be_charged_is_refused_by_its_field(desk: Desk, fields: Any, field: str):
    """The problem names the field that is wrong."""
    refusal = desk.refused(create(TOKEN, **fields))

    assert (refusal.status, refusal.errors[0]["field"]) == (422, field)


def test_authorize_books_the_attempt_and_sends_the_card_by_way_of_the_vault(desk: Desk):
    """The asker waits; the entry goes first, with our reference for the call."""
    payment_id = desk.created()
    step = desk.order(authorize(payment_id))
    (send,) = step.out

    assert (booked(step), step.replies) == (["payment.attempt_started"], [])
    assert (send.to, send.kind, send.body.reference) == ("vault", "card.charge", f"{payment_id}.1")
    assert step.timers[0].due_ms == NOON_MS + 5_000


def test_an_approval_answers_who_waits(desk: Desk):
    """200 with the held amount, for a week of business time."""
    payment_id = desk.created()
    desk.order(authorize(payment_id), "1.77")
    step = desk.says(f"{payment_id}.1")
    status, shown = answer(step)

    assert (status, shown["state"], shown["amount_capturable"]) == (200, "authorized", 1099)
    assert shown["capture_before"] == "2026-02-16T12:00:00.000Z"
    assert step.replies[0].re == "1.77"


def test_a_decline_is_402_with_its_code_and_the_payment(desk: Desk):
    """A decline is an answer: the payment goes with it."""
    payment_id = desk.created()
    desk.order(authorize(payment_id))
    status, problem = answer(desk.says(f"{payment_id}.1", "declined", code="insufficient_funds"))

    assert (status, problem["code"]) == (402, "card-declined")
    assert problem["decline_code"] == "insufficient_funds"
    assert problem["payment_intent"]["state"] == "declined"


def test_confirm_creates_and_authorizes_in_one_answer(desk: Desk):
    """201 when approved."""
    payment_id, step = desk.attempted()
    status, shown = answer(desk.says(f"{payment_id}.1"))

    assert booked(step) == ["payment.created", "payment.attempt_started"]
    assert (status, shown["id"], shown["state"]) == (201, payment_id, "authorized")


def test_a_full_capture_moves_money_and_charges_the_fee(desk: Desk):
    """Everything held is claimed; every entry sums to zero."""
    payment_id = desk.authorized()
    asked = desk.order(capture(payment_id))
    step = desk.says(f"{payment_id}.2", operation="capture")
    status, shown = answer(step)

    assert asked.out[0].body.authorization == f"{payment_id}.1"
    assert booked(step) == ["payment.captured", "fee.charged"]
    assert (status, shown["state"], shown["amount_captured"]) == (200, "captured", 1099)
    assert [
        sum(p.amount for p in e.record.postings) for e in step.posts if e.book == "payments"
    ] == [0, 0]


def test_a_final_partial_capture_releases_the_rest(desk: Desk):
    """What is not claimed by a final capture cannot be claimed later."""
    payment_id = desk.authorized()
    desk.order(capture(payment_id, amount=1000))
    step = desk.says(f"{payment_id}.2", operation="capture", amount=1000)

    assert booked(step) == ["payment.captured", "fee.charged", "payment.released"]
    assert entry(step, "payment.released").amount == 99
    assert desk_refusal(desk, capture(payment_id, "k2"))["legal"] == ["refund"]


def test_partial_captures_claim_a_hold_in_parts(desk: Desk):
    """Each part is a call of its own, with the next reference."""
    payment_id = desk.authorized()
    desk.order(capture(payment_id, amount=1000, final_capture=False))
    _, first = answer(desk.says(f"{payment_id}.2", operation="capture", amount=1000))
    desk.order(capture(payment_id, "k2"))
    _, second = answer(desk.says(f"{payment_id}.3", operation="capture", amount=99))

    assert (first["amount_captured"], first["amount_capturable"]) == (1000, 99)
    assert (second["amount_captured"], second["amount_capturable"]) == (1099, 0)
    assert [part["amount"] for part in second["captures"]] == [1000, 99]


@pytest.mark.parametrize("amount", [1100, 99_999_999])
def test_more_than_is_held_cannot_be_captured(desk: Desk, amount: int):
    """The refusal says how much can be."""
    refusal = desk.refused(capture(desk.authorized(), amount=amount))

    assert (refusal.status, refusal.code, "1099" in refusal.detail) == (422, "amount-exceeds", True)


@pytest.mark.parametrize("amount", [0, -5])
def test_less_than_nothing_cannot_be_captured(desk: Desk, amount: int):
    """Whoever sends it: the gateway does not rely on its door."""
    refusal = desk.refused(capture(desk.authorized(), amount=amount))

    assert (refusal.status, refusal.errors[0]["field"]) == (422, "amount")


def test_a_hold_that_has_expired_cannot_be_captured(desk: Desk):
    """Seven days of business time."""
    payment_id = desk.authorized()
    desk.business_ms += HOLD_MS + 1

    assert answer(desk.order(capture(payment_id)))[1]["code"] == "authorization-expired"


def test_cancelling_a_new_payment_needs_no_provider(desk: Desk):
    """It is reversed at once and closed."""
    payment_id = desk.created()
    step = desk.order(cancel(payment_id))

    assert (booked(step), step.out) == (["payment.reversed"], [])
    assert answer(step)[1]["state"] == "reversed"


def test_cancelling_a_hold_gives_it_back(desk: Desk):
    """The provider is asked for the whole of it."""
    payment_id = desk.authorized()
    asked = desk.order(cancel(payment_id))
    step = desk.says(f"{payment_id}.2", operation="reverse")

    assert (asked.out[0].kind, asked.out[0].body.amount) == ("reverse", 1099)
    assert (booked(step), answer(step)[1]["state"]) == (["payment.reversed"], "reversed")


def test_cancelling_after_a_part_was_captured_releases_the_rest(desk: Desk):
    """What was captured stays captured."""
    payment_id = desk.authorized()
    desk.order(capture(payment_id, amount=1000, final_capture=False))
    desk.says(f"{payment_id}.2", operation="capture", amount=1000)
    desk.order(cancel(payment_id))
    step = desk.says(f"{payment_id}.3", operation="reverse", amount=99)
    _, shown = answer(step)

    assert booked(step) == ["payment.released"]
    assert (shown["state"], shown["amount_captured"], shown["amount_capturable"]) == (
        "captured",
        1000,
        0,
    )


def desk_refusal(desk: Desk, order: Order) -> dict[str, Any]:
    """The body of a 409 that is kept."""
    status, body = answer(desk.order(order))
    assert status == 409
    return body


def test_what_a_state_does_not_allow_names_what_it_does(desk: Desk):
    """409 with the legal verbs."""
    new, held = desk.created(), desk.authorized()

    assert desk_refusal(desk, capture(new))["legal"] == ["authorize", "cancel"]
    assert desk_refusal(desk, authorize(held))["legal"] == ["capture", "cancel"]


def test_while_a_call_is_open_everything_else_waits(desk: Desk):
    """409, and worth trying again: first as merely processing, then as in doubt."""
    payment_id, step = desk.attempted()
    processing = desk.refused(cancel(payment_id))
    desk.fires(step.timers[0])
    doubtful = desk.refused(cancel(payment_id))

    assert (processing.code, processing.retryable) == ("illegal-transition", True)
    assert (doubtful.status, doubtful.code, doubtful.retryable) == (409, "operation-in-doubt", True)


@pytest.mark.parametrize("state", ["open", "closed"])
def test_another_merchants_payment_is_as_unknown_as_none(desk: Desk, state: str):
    """Word for word."""
    payment_id = desk.created()
    if state == "closed":
        desk.order(cancel(payment_id, "k_close"))
    foreign = desk.refused(cancel(payment_id, merchant="m_002"))
    unknown = desk.refused(cancel("pi_never"))

    assert (foreign.status, foreign.code, foreign.detail) == (404, "not-found", unknown.detail)
    assert (unknown.status, unknown.extra, foreign.extra) == (404, {}, {})


def test_a_closed_payment_leaves_memory_and_still_says_no(desk: Desk):
    """Only a few words of it stay."""
    payment_id, _ = desk.attempted()
    desk.says(f"{payment_id}.1", "declined", code="do_not_honor")

    assert (desk.state.payments, list(desk.state.closed)) == ({}, [payment_id])
    assert desk_refusal(desk, authorize(payment_id))["legal"] == []


def test_automatic_capture_answers_when_the_money_moved(desk: Desk):
    """The asker waits through both calls."""
    payment_id, _ = desk.attempted(capture_method="automatic")
    between = desk.says(f"{payment_id}.1")
    step = desk.says(f"{payment_id}.2", operation="capture")

    assert (booked(between), between.replies) == (
        ["payment.authorized", "payment.capture_requested"],
        [],
    )
    assert (answer(step)[0], answer(step)[1]["state"]) == (201, "captured")


def test_people_cancel_a_payment_by_hand(desk: Desk):
    """Without merchant, key or asker, and nobody is answered."""
    payment_id = desk.created()
    step = desk.tell("payment.cancel", CancelPayment(id=payment_id), sender="hand")
    again = desk.tell("payment.cancel", CancelPayment(id=payment_id), sender="hand")

    assert (booked(step), step.replies) == (["payment.reversed"], [])
    assert (again.events, again.posts, again.replies) == ([], [], [])


def test_the_first_house_with_demo_books_its_merchants_once():
    """And never again, whatever the epoch."""
    gateway = Gateway(Rules(demo=True))
    state, moment = gateway.fresh(), Moment(NOON_MS, NOON_MS, "gateway", 1, 0)
    step = gateway.opened(state, moment)
    for post in step.posts:
        gateway.apply(state, post.record)

    assert len(step.posts) > 10
    assert gateway.opened(state, moment).posts == []


def lived() -> Desk:
    """A desk with something in every corner of its state."""
    desk = Desk()
    desk.created(metadata={"order": "7"}, customer={"id": "cu_1"})
    partly = desk.authorized()
    desk.order(capture(partly, amount=1000, final_capture=False))
    desk.says(f"{partly}.2", operation="capture", amount=1000)
    desk.order(cancel(desk.authorized(), "k_open"))
    declined, _ = desk.attempted()
    desk.says(f"{declined}.1", "declined", code="do_not_honor")
    _, step = desk.attempted()
    desk.fires(step.timers[0])
    desk.says(f"{declined}.1")  # a late approval
    desk.order(authorize(partly, "k_refused"))
    return desk


def test_documents_give_the_same_gateway():
    """Loaded from its documents, the state is equal, and so is what it writes again."""
    desk = lived()
    loaded = desk.actor.load(desk.snapshot())

    assert loaded == desk.state
    assert loaded.late
    assert list(loaded.keys) == list(desk.state.keys)


def test_replay_gives_the_same_gateway():
    """The journal's bytes alone give the state, and deciding twice gives the same steps."""
    desk = lived()

    assert desk.replayed() == desk.state
    assert lived().everything() == desk.everything()


def test_a_message_that_nobody_should_send_is_a_fault(desk: Desk):
    """It becomes a dead letter; the gateway guesses nothing."""
    message = Message("x>gateway:1", "x", "card.charge", object(), "cor_1")
    with pytest.raises(NotImplementedError):
        desk.actor.decide(desk.state, message, Moment(NOON_MS, NOON_MS, "gateway", 1, 0))
