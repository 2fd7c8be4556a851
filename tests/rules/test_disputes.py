"""A dispute moves money only where networks do, is answered once, and ends as the provider says."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payrail.domain import disputes, postings, refunds
from payrail.domain.claim_entries import DisputeLost, DisputeWon
from payrail.domain.disputes import (
    DISPUTE_TRANSITIONS,
    closed_reason,
    legal_verbs,
    may,
    render,
    ruled,
)
from payrail.domain.ledger import Posting
from payrail.domain.payments import PaymentState
from tests.rules.claims_world import (
    CAPTURED,
    FEE,
    PAY,
    A,
    Family,
    charged_back,
    dispute_entries,
    entry,
    opened,
    refund_entries,
    requested,
)
from tests.rules.disputed import (
    ANSWERED,
    AVAILABLE,
    DISPUTED,
    HOLD,
    INQUIRY_ANSWERED,
    LOST,
    LOST_AGAIN,
    RECEIVABLE,
    WON,
    family,
)


def test_chargeback_takes_the_money_and_a_fee():
    """The provider keeps what is disputed and its fee; the merchant's side of it is held."""
    found = family(opened())

    assert found.postings() == [
        Posting(DISPUTED, 5000, "USD"),
        Posting(RECEIVABLE, -5000, "USD"),
        Posting(AVAILABLE, 5000, "USD"),
        Posting(HOLD, -5000, "USD"),
        Posting(AVAILABLE, 1500, "USD"),
        Posting(RECEIVABLE, -1500, "USD"),
    ]
    assert (found.payment.state, found.payment.amount_disputed) == (PaymentState.CAPTURED, 5000)
    assert legal_verbs(found.disputes["dp_1"]) == ("evidence", "submit", "accept", "resolve")


def test_won_brings_the_money_and_the_fee_of_the_answer_back():
    """Of a dispute that was won, only the fee for receiving it stays paid."""
    found = family(opened(), ANSWERED, WON)

    assert {name: found.balance(name) for name in (DISPUTED, HOLD, RECEIVABLE, AVAILABLE)} == {
        DISPUTED: 0,
        HOLD: 0,
        RECEIVABLE: -FEE,
        AVAILABLE: FEE,
    }
    assert found.payment.amount_disputed == 0
    assert render(found.disputes["dp_1"])["fees"] == [
        {"kind": "received", "amount": FEE, "returned": False},
        {"kind": "countered", "amount": FEE, "returned": True},
    ]


def test_lost_makes_the_payment_a_chargeback():
    """Only a lost dispute changes the payment's state, also when it was about a part."""
    found = family(opened(2000))
    lost = entry(DisputeLost(PAY, A, "expired"), 2000, "dp_1")
    for made in (lost, charged_back(2000)):
        found.book(made)

    payment = found.payment
    assert (payment.state, payment.amount_charged_back) == (PaymentState.CHARGEBACK, 2000)
    assert (payment.amount_disputed, payment.amount_refundable) == (0, 3000)
    assert (found.balance(DISPUTED), found.balance(HOLD)) == (0, 0)
    assert found.balance(AVAILABLE) == 2000 + FEE


def test_second_chargeback_is_final():
    """What was won can be lost once more, at once and without a defence."""
    found = family(opened(), ANSWERED, WON, LOST_AGAIN, charged_back(CAPTURED))
    view = found.disputes["dp_1"]

    assert (view.state, view.stage, legal_verbs(view)) == ("lost", "pre_arbitration", ())
    assert (found.balance(DISPUTED), found.balance(HOLD)) == (0, 0)
    assert found.balance(RECEIVABLE) == -(CAPTURED + FEE)
    assert found.payment.amount_charged_back == CAPTURED


def test_inquiry_moves_no_money():
    """An inquiry is answered or closed without a posting, and disputes nothing yet."""
    found = family(opened(stage="inquiry"), INQUIRY_ANSWERED)

    assert all(made.postings == [] for made in found.entries)
    assert (found.payment.amount_disputed, found.payment.open_disputes) == (0, [])
    assert legal_verbs(found.disputes["dp_1"]) == ("evidence", "accept", "resolve")


def test_inquiry_that_becomes_a_chargeback_may_be_answered_again():
    """Each stage has its one answer; the chargeback may be about another amount."""
    found = family(opened(stage="inquiry"), INQUIRY_ANSWERED, opened(3000))
    view = found.disputes["dp_1"]

    assert (view.state, view.stage, view.amount) == ("opened", "chargeback", 3000)
    assert "submit" in legal_verbs(view)
    assert found.payment.amount_disputed == 3000


def test_second_answer_is_refused():
    """One submission: after it only the provider can end the dispute."""
    view = family(opened(), ANSWERED).disputes["dp_1"]

    assert (may(view, "dispute.submitted"), legal_verbs(view)) == (False, ("resolve",))
    assert not may(view, "dispute.evidence_added")


@pytest.mark.parametrize(
    ("made", "wrong"),
    [
        ([opened(), ANSWERED, WON], LOST),
        ([opened(), ANSWERED], LOST_AGAIN),
        ([opened(), ANSWERED], entry(DisputeWon(PAY, A, "defended", 1), CAPTURED, "dp_1")),
        ([opened(stage="inquiry")], opened(stage="inquiry")),
        ([opened(stage="inquiry"), INQUIRY_ANSWERED], INQUIRY_ANSWERED),
        ([opened(stage="inquiry")], ANSWERED),
        ([opened()], entry(DisputeLost("pi_2", A, "expired"), CAPTURED, "dp_1")),
        ([opened()], entry(DisputeLost(PAY, A, "expired"), CAPTURED - 1, "dp_1")),
    ],
)
def test_entry_that_does_not_fit_is_damage(made, wrong):
    """An entry that tells another tale than the ones before it is reported and changes nothing."""
    view = family(*made).disputes["dp_1"]
    before = msgspec.json.encode(view)

    with pytest.raises(ValueError, match="dp_1"):
        disputes.fold(view, wrong)
    assert msgspec.json.encode(view) == before


def test_chargeback_may_exceed_what_was_captured():
    """A fact from outside is booked although it crosses a refund; how much is known."""
    found = family(requested(4000))
    for kind in ("refund.approved", "refund.submitted", "refund.succeeded"):
        found.book(next(e for e in refund_entries(found, "re_1") if e.type == kind))
    found.book(opened())

    assert found.payment.amount_overdrawn == 4000
    assert found.payment.amount_refundable == 0


@pytest.mark.parametrize(
    ("made", "outcome", "entries"),
    [
        ([opened(stage="inquiry")], "won", ("dispute.closed",)),
        ([opened(stage="inquiry")], "lost", ("dispute.closed",)),
        ([opened()], "lost", ("dispute.lost", "payment.charged_back")),
        ([opened()], "won", ("dispute.submitted", "dispute.won")),
        ([opened(), ANSWERED], "won", ("dispute.won",)),
        ([opened(), ANSWERED, WON], "won", ()),
        ([opened(), ANSWERED, WON], "lost", ("dispute.lost", "payment.charged_back")),
        ([opened(), LOST], "lost", ()),
        ([opened(), LOST], "won", None),
    ],
)
def test_what_a_provider_rules_becomes_entries(made, outcome, entries):
    """Each ruling has its entries, a repeated one none, and a contradiction is for people."""
    view = family(*made).disputes["dp_1"]
    assert ruled(view, outcome) == entries
    for entry_type in (entries or ())[:1]:
        assert may(view, entry_type)


def test_why_it_ended():
    """Accepted, expired and withdrawn are told apart from what was fought over."""
    bare = family(opened()).disputes["dp_1"]
    fought = family(opened(), ANSWERED).disputes["dp_1"]

    assert closed_reason(bare, "lost", accepted=True) == "accepted"
    assert closed_reason(bare, "lost") == "expired"
    assert closed_reason(bare, "won") == "withdrawn"
    assert closed_reason(fought, "won") == closed_reason(fought, "lost") == "defended"


def test_states_move_only_along_the_edges():
    """The table has exactly the moves that the rules have."""
    edges = {f"{a}>{b}" for (a, _type), b in DISPUTE_TRANSITIONS.items() if a and a is not b}
    assert edges == {
        "inquiry>opened",
        "inquiry>closed",
        "opened>under_review",
        "opened>lost",
        "under_review>won",
        "under_review>lost",
        "won>lost",
    }


def _sum(found: Family, *states: str) -> int:
    return sum(view.amount for view in found.disputes.values() if view.state.value in states)


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_no_walk_of_disputes_loses_money(data):
    """Whatever refunds and disputes do to a payment, in whatever order: its amounts are the sums
    over them, the accounts agree, refunds alone never overdraw, and what is refused changes
    nothing."""
    found = Family()
    for _ in range(25):
        ref = data.draw(st.sampled_from(["dp_1", "dp_2", "re_1"]))
        amount = data.draw(st.sampled_from([1, 2000, CAPTURED, CAPTURED + 1]))
        made = (
            dispute_entries(found, ref, amount)
            if ref.startswith("dp")
            else [requested(amount, ref), *refund_entries(found, ref)]
        )
        legal = [one for one in made if _fits(found, one)] or made
        _book_or_refuse(found, data.draw(st.sampled_from(legal) | st.sampled_from(made)))
        _check(found)


def _fits(found: Family, made) -> bool:
    if made.type.startswith("dispute."):
        return may(found.disputes.get(made.ref), made.type)
    return refunds.may(found.refunds.get(made.ref), made.type)


def _book_or_refuse(found: Family, made) -> None:
    before = found.bytes()
    refundable = found.payment.amount_refundable
    try:
        found.book(made)
    except ValueError:
        assert found.bytes() == before
        return
    if made.type == "refund.requested":
        assert made.amount <= refundable
    if made.type == "dispute.lost":
        found.book(charged_back(made.amount, made.ref))


def _check(found: Family) -> None:
    payment = found.payment
    open_amount = _sum(found, "opened", "under_review")
    lost = _sum(found, "lost")
    assert (payment.amount_disputed, payment.amount_charged_back) == (open_amount, lost)
    assert (found.balance(DISPUTED), found.balance(HOLD)) == (open_amount, -open_amount)
    assert (payment.state is PaymentState.CHARGEBACK) is (lost > 0)
    fees = sum(
        fee.amount for view in found.disputes.values() for fee in view.fees if not fee.returned
    )
    in_transit = -found.balance(postings.REFUNDS_IN_TRANSIT)
    gone = payment.amount_refunded + open_amount + lost + fees
    assert found.balance(RECEIVABLE) == -gone
    assert found.balance(AVAILABLE) == gone + in_transit
    assert payment.amount_refundable >= 0
    assert payment.amount_refunded + payment.amount_refunding <= payment.amount_captured
