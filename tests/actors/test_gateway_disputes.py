"""Disputes at the gateway: what a provider says is booked once, and whoever waits is told."""

from typing import Any

import pytest

from payrail.domain.dispute_terms import DAY_MS, dispute_fee
from payrail.domain.ledger import LedgerEntry
from payrail.domain.postings import balances
from payrail.domain.timestamps import iso, parse_iso
from payrail.domain.words.disputes import DisputeFact
from payrail.runtime.actor import CancelTimer, SetTimer
from tests.actors.gatewaydesk import Desk, answer
from tests.scenarios import orders

CAPTURED, FEE = 1099, dispute_fee("USD")
BOOKS = ("payments", "refunds", "disputes")
RECEIVABLE, AVAILABLE = "asset:providerA:receivable", "liability:m_001:available"


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def paid(desk: Desk) -> str:
    """A captured payment of 10.99 USD."""
    payment_id = desk.authorized(customer={"name": "Ada Kite", "email": "ada@shop.example"})
    desk.order(orders.capture(payment_id))
    desk.says(f"{payment_id}.2", operation="capture", provider_reference="ch_2")
    return payment_id


def told(desk: Desk, payment_id: str, fact: str, **more: Any) -> DisputeFact:
    fields: dict[str, Any] = {
        "provider": "providerA",
        "authorization": f"{payment_id}.1",
        "provider_reference": "du_1",
        "stage": "chargeback",
        "reason": "fraudulent",
        "amount": CAPTURED,
        "currency": "USD",
        "occurred_at": iso(desk.business_ms),
        **more,
    }
    return DisputeFact(payment_id=payment_id, fact=fact, **fields)


def answers(desk: Desk, payment_id: str, action: str, fact: str, **more: Any) -> Any:
    """The provider answers an order by mailbox; result: the step that follows."""
    return desk.tell(
        "dispute.fact",
        told(desk, payment_id, fact, action=action, **more),
        sender=more.get("sender", "provider-a"),
    )


def notes(desk: Desk, payment_id: str, fact: str, **more: Any) -> Any:
    """The provider tells by webhook; result: the step that follows."""
    said = told(desk, payment_id, fact, notice_id="ntc_1", **more)
    return desk.tell("dispute.notice", said, sender="frontdoor", reply_to="1.9")


def disputed(desk: Desk, payment_id: str, **more: Any) -> str:
    """A dispute that the provider told of by itself; result: its id."""
    step = notes(desk, payment_id, "opened", **more)
    assert answer(step)[1]["outcome"] == "applied"
    return str(next(p.record.ref for p in step.posts if p.record.type == "dispute.opened"))


def submitted(desk: Desk, payment_id: str, dispute_id: str) -> Any:
    desk.order(orders.submit(dispute_id, f"submit_{len(desk.steps)}"))
    return answers(desk, payment_id, "submit", "submitted", dispute_id=dispute_id)


def types(step: Any) -> list[tuple[str, str]]:
    """(book, type) of the entries that a step books."""
    return [(p.book, p.record.type) for p in step.posts if p.book in BOOKS]


def case_of(step: Any) -> tuple[str, int]:
    """(reason, exposure) of the one case that a step opens."""
    (found,) = [p.record for p in step.posts if p.book == "payments"
                and p.record.type == "case.opened"]  # fmt: skip
    assert found.amount == found.data.exposure
    return found.data.reason, found.data.exposure


def money(desk: Desk) -> dict[str, int]:
    """Accounts that are not empty, in USD."""
    posts = [post.record for step in desk.steps for post in step.posts]
    sums = balances(entry for entry in posts if isinstance(entry, LedgerEntry))
    return {account: amounts["USD"] for account, amounts in sums.items() if amounts["USD"]}


def timer(step: Any, prefix: str) -> SetTimer:
    return next(t for t in step.timers if isinstance(t, SetTimer) and t.id.startswith(prefix))


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


def test_a_ruling_that_comes_before_its_opening_opens_it_too(desk: Desk, paid: str) -> None:
    """Notices may overtake each other: the books tell the whole story in its order."""
    step = notes(desk, paid, "lost", closed_reason="expired")
    assert [entry_type for _, entry_type in types(step)] == [
        "dispute.opened",
        "dispute.lost",
        "payment.charged_back",
    ]
    assert not types(notes(desk, paid, "opened"))


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


def test_what_the_gateway_knows_of_disputes_is_the_fold_of_its_lines(desk: Desk, paid: str) -> None:
    ident = disputed(desk, paid)
    desk.order(orders.evidence(ident, usage_log="losing_evidence"))
    desk.order(orders.submit(ident))
    assert desk.replayed() == desk.state
    answers(desk, paid, "submit", "submitted", dispute_id=ident)
    notes(desk, paid, "lost", closed_reason="defended")
    assert desk.replayed() == desk.state
    assert desk.actor.load(desk.snapshot()) == desk.state
