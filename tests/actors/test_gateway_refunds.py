"""Facts about refunds at the gateway: two people, one reserve, one call, and the money."""

from typing import Any

import pytest

from actors.gateway.settings import Rules
from actors.simulation.orders import approve, cancel, capture, refund, reject
from payrail.domain.ledger import LedgerEntry
from payrail.domain.postings import balances
from payrail.domain.refund_approval import EXPIRES_AFTER_MS, RefundTiers
from payrail.domain.words.providers import ProviderNotice
from tests.actors.gatewaydesk import Desk, answer, timer_of


@pytest.fixture
def desk() -> Desk:
    return Desk()


def paid(desk: Desk) -> str:
    """A captured payment of 10.99 USD."""
    payment_id = desk.authorized()
    desk.order(capture(payment_id, f"capture_{payment_id}"))
    desk.says(f"{payment_id}.2", operation="capture", provider_reference="ch_2")
    return payment_id


def asked(desk: Desk, payment_id: str, amount: int = 500, key: str = "k_refund") -> str:
    """A refund that waits for its second person; result: its id."""
    status, body = answer(desk.order(refund(payment_id, amount, key)))
    assert (status, body["state"]) == (201, "pending_approval")
    return str(body["id"])


def told(desk: Desk, payment_id: str, k: int, result: str = "approved", **more: Any) -> Any:
    """The provider's word about a refund of 5.00 USD."""
    fields = {"operation": "refund", "amount": 500, "provider_reference": "re_9", **more}
    return desk.says(f"{payment_id}.{k}", result, **fields)


def types(step: Any) -> list[tuple[str, str]]:
    """(book, type) of the entries that a step books."""
    return [(p.book, p.record.type) for p in step.posts if p.book in ("payments", "refunds")]


def booked_money(desk: Desk) -> dict[str, int]:
    """Accounts that are not empty, in USD."""
    posts = [post.record for step in desk.steps for post in step.posts]
    sums = balances(entry for entry in posts if isinstance(entry, LedgerEntry))
    return {account: amounts["USD"] for account, amounts in sums.items() if amounts["USD"]}


def test_a_refund_waits_for_a_second_person_and_reserves_its_amount(desk: Desk) -> None:
    payment_id = paid(desk)
    refund_id = asked(desk, payment_id, 600)
    assert desk.state.payments[payment_id].amount_refundable == 499
    assert not desk.steps[-1].out, "nothing leaves before somebody approved it"
    refusal = desk.refused(refund(payment_id, 500, "k_second"))
    assert (refusal.status, refusal.code) == (422, "amount-exceeds")
    assert refusal.errors[0]["field"] == "amount"
    assert refusal.extra["refundable"] == 499
    assert desk.state.refunds[refund_id].state == "pending_approval"


def test_who_asked_for_a_refund_cannot_approve_it_not_even_as_an_admin(desk: Desk) -> None:
    refund_id = asked(desk, paid(desk))
    refusal = desk.refused(approve(refund_id, user="usr_m001operator", role="admin"))
    assert (refusal.status, refusal.code) == (403, "four-eyes")
    assert desk.refused(approve(refund_id, role="operator")).code == "forbidden"
    assert desk.refused(reject(refund_id, user="usr_m001operator")).code == "four-eyes"


def test_an_approved_refund_leaves_in_the_same_step_and_succeeds(desk: Desk) -> None:
    payment_id = paid(desk)
    before = booked_money(desk)
    refund_id = asked(desk, payment_id)
    step = desk.order(approve(refund_id))
    assert types(step) == [("refunds", "refund.approved"), ("refunds", "refund.submitted")]
    (send,) = step.out
    assert (send.to, send.kind, send.body.operation_id) == ("provider-a", "refund", refund_id)
    assert (send.body.reference, send.body.authorization) == (f"{payment_id}.3", f"{payment_id}.1")
    assert answer(step)[1]["state"] == "processing"
    step = told(desk, payment_id, 3)
    assert types(step) == [("refunds", "refund.succeeded")]
    view = desk.state.payments[payment_id]
    assert (view.amount_refunded, view.amount_refunding, view.open) == (500, 0, None)
    after = booked_money(desk)
    assert after["liability:m_001:available"] == 500
    assert after["asset:providerA:receivable"] == before["asset:providerA:receivable"] - 500
    assert not desk.state.refunds, "a refund that is over leaves memory"
    assert not types(told(desk, payment_id, 3)), "the same word again says nothing new"


def test_each_fact_of_a_refund_has_its_event_with_the_refund_as_it_stands(desk: Desk) -> None:
    payment_id = paid(desk)
    step = desk.order(approve(asked(desk, payment_id)))
    shown = [p.record for p in step.posts if p.book == "events"]
    assert [(e.type, e.object_seq) for e in shown] == [
        ("refund.approved", 2),
        ("refund.submitted", 3),
    ]
    assert shown[1].data["object"]["object"] == "refund"
    assert shown[1].data["object"]["approved_by"] == "usr_m001approver"


@pytest.mark.parametrize("result", ["declined", "refused", "fenced"])
def test_a_refund_that_did_not_happen_frees_its_amount(desk: Desk, result: str) -> None:
    payment_id = paid(desk)
    before = booked_money(desk)
    desk.order(approve(asked(desk, payment_id)))
    step = told(desk, payment_id, 3, result)
    assert ("refunds", "refund.failed") in types(step)
    assert desk.state.payments[payment_id].amount_refundable == 1099
    assert booked_money(desk) == before
    assert asked(desk, payment_id, 1099, "k_again")


def test_a_doubtful_refund_stays_processing_is_asked_about_and_blocks_others(desk: Desk) -> None:
    payment_id = paid(desk)
    first, second = asked(desk, payment_id), asked(desk, payment_id, 100, "k_second")
    step = desk.order(approve(first))
    (timer,) = [t for t in step.timers if getattr(t, "kind", "") == "attempt.timeout"]
    doubt = desk.fires(timer)
    assert types(doubt) == [("payments", "payment.unknown")]
    (question,) = doubt.out
    assert (question.kind, question.body.operation) == ("ask", "refund")
    assert desk.state.refunds[first].state == "processing"
    for order in (approve(second, "k_2"), cancel(payment_id)):
        refusal = desk.refused(order)
        assert (refusal.code, refusal.retryable) == ("operation-in-doubt", True)
    told(desk, payment_id, 3, asked=True)
    assert desk.state.payments[payment_id].amount_refunded == 500
    assert types(desk.order(approve(second, "k_3")))[-1] == ("refunds", "refund.submitted")


def test_a_broken_answer_about_a_refund_is_doubt_and_no_failure(desk: Desk) -> None:
    """It may have been paid back: the amount stays reserved until the provider has been asked."""
    payment_id = paid(desk)
    refund_id = asked(desk, payment_id)
    desk.order(approve(refund_id))
    step = told(desk, payment_id, 3, "ambiguous")

    assert types(step) == [("payments", "payment.unknown")]
    assert [send.kind for send in step.out] == ["ask"]
    assert desk.state.refunds[refund_id].state == "processing"
    assert desk.state.payments[payment_id].amount_refundable == 599


def test_nobody_approves_within_72_hours_and_the_refund_expires(desk: Desk) -> None:
    payment_id = paid(desk)
    refund_id = asked(desk, payment_id)
    timer = timer_of(desk.steps[-1])
    assert (timer.business, timer.due_ms) == (True, desk.business_ms + EXPIRES_AFTER_MS)
    desk.business_ms = timer.due_ms - 1
    assert not desk.tell(timer.kind, timer.body, sender="timer").posts, "it is not time yet"
    assert types(desk.fires(timer)) == [("refunds", "refund.expired")]
    status, body = answer(desk.order(approve(refund_id)))
    assert (status, body["code"], body["legal"]) == (409, "illegal-transition", [])
    assert desk.state.payments[payment_id].amount_refundable == 1099


def test_a_rejected_refund_is_over(desk: Desk) -> None:
    payment_id = paid(desk)
    refund_id = asked(desk, payment_id)
    status, body = answer(desk.order(reject(refund_id)))
    assert (status, body["state"], body["rejection_reason"]) == (200, "rejected", "not ours")
    status, body = answer(desk.order(approve(refund_id)))
    assert (status, body["code"]) == (409, "illegal-transition")
    assert desk.state.payments[payment_id].amount_refundable == 1099


def test_before_the_capture_a_payment_is_cancelled_and_not_refunded(desk: Desk) -> None:
    payment_id = desk.authorized()
    status, body = answer(desk.order(refund(payment_id, 100)))
    assert (status, body["code"]) == (409, "illegal-transition")
    assert body["legal"] == ["capture", "cancel"]


def test_another_merchants_refund_is_as_one_that_never_was(desk: Desk) -> None:
    payment_id = paid(desk)
    refund_id = asked(desk, payment_id)
    foreign = [refund(payment_id, 100, merchant="m_002"), approve(refund_id, merchant="m_002")]
    for order in [*foreign, approve("re_unknown")]:
        assert desk.refused(order).code == "not-found"


def test_the_same_key_gives_the_same_refund_and_one_effect(desk: Desk) -> None:
    payment_id = paid(desk)
    refund_id = asked(desk, payment_id)
    again = desk.order(refund(payment_id, 500))
    assert not again.posts
    assert again.replies[0].stored_at is not None
    desk.order(approve(refund_id))
    again = desk.order(approve(refund_id))
    assert not again.posts
    assert not again.out
    assert again.replies[0].replayed
    other = desk.order(refund(payment_id, 400))
    assert answer(other)[1]["code"] == "idempotency-key-reused"


def test_tiers_say_who_has_to_approve() -> None:
    tiers = RefundTiers({"USD": 100}, {"USD": 500})
    desk = Desk(Rules(refunds=tiers))
    payment_id = paid(desk)
    status, body = answer(desk.order(refund(payment_id, 100, "k_small")))
    assert (status, body["state"], body["approval"]) == (201, "processing", "automatic")
    told(desk, payment_id, 3, amount=100)
    large = asked(desk, payment_id, 501, "k_large")
    assert desk.refused(approve(large)).code == "forbidden"
    assert answer(desk.order(approve(large, user="usr_m001admin", role="admin")))[0] == 200


def test_a_refund_that_comes_back_after_its_success_is_owed_to_the_merchant_again(
    desk: Desk,
) -> None:
    payment_id = paid(desk)
    before = booked_money(desk)
    refund_id = asked(desk, payment_id)
    desk.order(approve(refund_id))
    told(desk, payment_id, 3)
    back = ProviderNotice(
        "providerA", "evt_1", f"{payment_id}.3", "refund", refund_id, "declined",
        "expired_or_canceled_card", "re_9", 500, "USD",
    )  # fmt: skip
    step = desk.tell("provider.notice", back, sender="frontdoor", reply_to="1.99")
    assert types(step) == [("refunds", "refund.failed"), ("payments", "case.opened")]
    assert booked_money(desk) == before
    assert desk.state.payments[payment_id].amount_refundable == 1099
    assert not types(desk.tell("provider.notice", back, sender="frontdoor", reply_to="1.100"))


SENT_BACK = {"code": "refund_sent_back", "provider_reference": "re_9"}
BACK_FIRST = [
    ("refunds", "refund.succeeded"),
    ("refunds", "refund.failed"),
    ("payments", "case.opened"),
]


@pytest.mark.parametrize("last", ["approved", "declined"])
def test_a_refund_is_sent_back_before_we_hear_that_it_succeeded(desk: Desk, last: str) -> None:
    """Money left and came back, whatever is told first: both are booked, in their order, once. What
    comes after that, the reply to our own call at last, is news no more."""
    payment_id = paid(desk)
    before = booked_money(desk)
    refund_id = asked(desk, payment_id)
    desk.order(approve(refund_id))
    step = told(desk, payment_id, 3, "declined", **SENT_BACK)
    assert types(step) == BACK_FIRST
    succeeded, failed = (p.record.data for p in step.posts if p.book == "refunds")
    assert (succeeded.provider_reference, failed.was_succeeded) == ("re_9", True)
    assert booked_money(desk) == before
    assert desk.state.closed_refunds[refund_id].state == "failed"
    assert desk.state.payments[payment_id].amount_refundable == 1099
    for result in ("approved", last, "approved"):
        more = SENT_BACK if result == "declined" else {}
        assert not told(desk, payment_id, 3, result, **more).posts
    assert desk.replayed() == desk.state


def test_a_refund_in_doubt_that_was_sent_back_meanwhile_is_told_by_an_ask(desk: Desk) -> None:
    """The answer to an ask is how things stand now, and that it had succeeded is a part of it."""
    payment_id = paid(desk)
    step = desk.order(approve(asked(desk, payment_id)))
    (timer,) = [t for t in step.timers if getattr(t, "kind", "") == "attempt.timeout"]
    desk.fires(timer)
    answered = told(desk, payment_id, 3, "declined", asked=True, **SENT_BACK)
    assert types(answered) == BACK_FIRST


def test_a_refusal_with_the_word_of_a_return_moves_no_money(desk: Desk) -> None:
    """What was never paid has no name at its provider, and did not succeed."""
    payment_id = paid(desk)
    desk.order(approve(asked(desk, payment_id)))
    step = told(desk, payment_id, 3, "declined", **{**SENT_BACK, "provider_reference": None})
    assert types(step) == [("refunds", "refund.failed")]
    assert not step.posts[0].record.data.was_succeeded


@pytest.mark.parametrize("word", ["approved", "declined"])
def test_a_refund_that_was_refused_for_good_and_paid_all_the_same_is_a_case_once(
    desk: Desk, word: str
) -> None:
    """Our books say that it failed, and its amount is free: people learn at once that it did not,
    also when it has come back since, and a statement tells it as a break."""
    payment_id = paid(desk)
    refund_id = asked(desk, payment_id)
    desk.order(approve(refund_id))
    told(desk, payment_id, 3, "fenced")
    more = SENT_BACK if word == "declined" else {}
    step = told(desk, payment_id, 3, word, **more)
    (case,) = [post.record for post in step.posts if post.book == "payments"]
    assert (case.type, case.data.reason, case.amount) == ("case.opened", "fence_broken", 500)
    assert (case.merchant_id, case.data.references) == ("m_001", [f"{payment_id}.3"])
    assert not told(desk, payment_id, 3, word, **more).posts
    assert desk.state.closed_refunds[refund_id].state == "failed"
    assert desk.replayed() == desk.state


def test_a_refund_that_was_refused_says_nothing_new_by_saying_so_again(desk: Desk) -> None:
    """Only what happened contradicts a refusal."""
    payment_id = paid(desk)
    desk.order(approve(asked(desk, payment_id)))
    told(desk, payment_id, 3, "fenced")
    for result in ("fenced", "declined", "refused", "ambiguous", "pending"):
        step = told(desk, payment_id, 3, result, provider_reference=None)
        assert (step.posts, step.events, step.out) == ([], [], []), result


def test_an_amount_that_is_not_ours_is_booked_as_ordered_and_people_are_told(desk: Desk) -> None:
    payment_id = paid(desk)
    desk.order(approve(asked(desk, payment_id)))
    step = told(desk, payment_id, 3, amount=400)
    assert types(step) == [("refunds", "refund.succeeded"), ("payments", "case.opened")]


def test_a_replay_gives_the_same_refunds(desk: Desk) -> None:
    payment_id = paid(desk)
    desk.order(approve(asked(desk, payment_id)))
    told(desk, payment_id, 3)
    asked(desk, payment_id, 100, "k_second")
    assert desk.replayed() == desk.state
