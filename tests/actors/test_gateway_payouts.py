"""Payouts at the gateway: what is available leaves once, and comes back when a bank says so."""

from typing import Any

import pytest

from actors.gateway.payouts import CHUNK
from actors.simulation import orders
from payrail.domain.ledger import LedgerEntry, PaymentSettled, Posting
from payrail.domain.payout_terms import next_run_ms, paid_ms, value_date_of
from payrail.domain.timestamps import iso, parse_iso
from payrail.domain.words.payouts import PayoutsDue
from payrail.runtime.actor import CancelTimer, Moment, SetTimer
from tests.actors.gatewaydesk import Desk, answer, booked, entry, timer_of

DAY_MS = 86_400_000


@pytest.fixture
def desk() -> Desk:
    return Desk()


def owed(desk: Desk, amount: int, merchant: str = "m_001", currency: str = "USD") -> None:
    """So much more is available; below zero: less."""
    made = LedgerEntry(
        event_id=f"evt_{len(desk.lines)}",
        type="settled.by_hand",  # of no object: only its postings count
        ref="providerA",
        merchant_id=None,
        timestamp=iso(desk.wire_ms),
        amount=amount,
        currency=currency,
        data=PaymentSettled("providerA", "b", None),
        postings=[Posting(f"liability:{merchant}:available", -amount, currency)],
        correlation_id="cor_1",
        causation_id="m_1",
    )
    desk.actor.apply(desk.state, made)


def run(desk: Desk, after: str = "") -> Any:
    return desk.tell("payout.run", PayoutsDue(after), sender="timer")


def test_the_daily_run_pays_out_what_each_merchant_has_in_each_currency(desk: Desk):
    """Whom refunds and chargebacks put into debt is paid nothing; the next run is set."""
    owed(desk, 9700)
    owed(desk, 500, currency="EUR")
    owed(desk, -40, merchant="m_002")
    step = run(desk)

    made = [p.record for p in step.posts if p.book == "payments"]
    assert [(e.type, e.merchant_id, e.amount, e.currency) for e in made] == [
        ("payout.created", "m_001", 500, "EUR"),
        ("payout.created", "m_001", 9700, "USD"),
    ]
    assert made[0].ref.startswith("po_")
    assert desk.state.paying.available["m_001 USD"] == 0
    assert [send.body.date for send in step.out] == ["2026-02-09"]
    due = {t.id: t.due_ms for t in step.timers}
    assert due["payouts"] == parse_iso("2026-02-10T06:00:00.000Z")
    assert due[f"payout:{made[0].ref}"] == parse_iso("2026-02-10T12:00:00.000Z")
    assert booked(run(desk)) == []


def test_a_long_run_goes_on_piece_by_piece_at_once(desk: Desk):
    """Each piece is bounded; none is paid twice and none forgotten."""
    for number in range(CHUNK + 3):
        owed(desk, 100 + number, merchant=f"m_{number:03}")
    first = run(desk)
    again = next(t for t in first.timers if t.id == "payouts")
    assert again.due_ms == desk.business_ms
    rest = desk.tell(again.kind, again.body, sender="timer")

    assert (len(booked(first)), len(booked(rest))) == (CHUNK, 3)
    assert set(desk.state.paying.available.values()) == {0}


def test_our_bank_pays_it_at_noon_of_its_value_date(desk: Desk):
    """With a reference of the bank; a second word about it changes nothing."""
    owed(desk, 9700)
    step = desk.order(orders.payout())
    status, shown = answer(step)
    assert (status, shown["state"], shown["created_by"]) == (201, "in_transit", "usr_m001admin")
    timer = timer_of(step)
    paid = desk.fires(timer)

    told = entry(paid, "payout.paid")
    assert told.data.paid_at == "2026-02-10T12:00:00.000Z"
    assert [(p.account, p.amount) for p in told.postings] == [
        ("liability:m_001:payout_in_transit", 9700),
        ("asset:bank", -9700),
    ]
    assert booked(desk.fires(timer)) == []
    assert desk.replayed().paying.payouts == desk.state.paying.payouts


def test_a_payout_that_was_paid_may_come_back_and_people_are_told(desk: Desk):
    """It is available again, once; the case names what to look at."""
    owed(desk, 9700)
    made = answer(desk.order(orders.payout()))[1]["id"]
    paid = desk.order(orders.bank_says(made, "paid", "k1"))
    assert any(isinstance(t, CancelTimer) and t.id == f"payout:{made}" for t in paid.timers)
    failed = desk.order(orders.bank_says(made, "failed", "k2", code="account_closed"))

    assert booked(failed) == ["payout.failed", "case.opened"]
    assert answer(failed)[1]["failure_reason"] == "account_closed"
    assert desk.state.paying.available["m_001 USD"] == -9700
    refused = answer(desk.order(orders.bank_says(made, "failed", "k3")))
    assert (refused[0], refused[1]["code"], refused[1]["legal"]) == (409, "illegal-transition", [])


def test_nothing_is_paid_out_that_is_not_there(desk: Desk):
    """422 with the currency; another merchant's payout is as one that never was."""
    owed(desk, 9700)
    refusal = desk.refused(orders.payout("EUR"))
    assert (refusal.status, refusal.code) == (422, "amount-exceeds")
    made = answer(desk.order(orders.payout()))[1]["id"]
    assert desk.refused(orders.payout(key="again")).status == 422
    assert desk.refused(orders.bank_says(made, "paid", merchant="m_002")).status == 404
    once_more = desk.order(orders.payout())
    assert booked(once_more) == []
    assert once_more.replies[0].replayed


def test_the_daily_run_stands_from_the_first_opening_on(desk: Desk):
    """A later incarnation leaves it as it is: a run that is overdue is not put off."""
    first = desk.actor.opened(desk.state, Moment(desk.wire_ms, desk.business_ms, "gateway", 1, 0))
    assert [t.id for t in first.timers if isinstance(t, SetTimer)] == ["payouts"]
    for event in first.events:
        desk.actor.apply(desk.state, event)
    later_ms = desk.business_ms + 9 * DAY_MS
    again = desk.actor.opened(desk.state, Moment(desk.wire_ms, later_ms, "gateway", 2, 0))

    assert again.timers == []


@pytest.mark.parametrize(
    ("made", "value_date"),
    [("2026-02-09", "2026-02-10"), ("2026-02-13", "2026-02-16"), ("2026-02-15", "2026-02-16")],
)
def test_a_payout_arrives_on_the_next_working_day(made: str, value_date: str):
    """Friday's, Saturday's and Sunday's on Monday; the run is at six, whatever the day."""
    at_ms = parse_iso(f"{made}T06:00:00.000Z")
    assert value_date_of(at_ms).isoformat() == value_date
    assert iso(paid_ms(value_date)) == f"{value_date}T12:00:00.000Z"
    assert next_run_ms(at_ms) == at_ms + DAY_MS
    assert next_run_ms(at_ms - 1) == at_ms
