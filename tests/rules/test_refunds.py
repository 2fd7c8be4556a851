"""A refund needs two people, never gives back more than was captured, and may fail afterwards."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payrail.domain import postings, refunds
from payrail.domain.claim_entries import (
    RefundApproved,
    RefundFailed,
    RefundRejected,
    RefundSubmitted,
    RefundSucceeded,
)
from payrail.domain.ledger import Posting
from payrail.domain.payments import legal_verbs as verbs_of_payment
from payrail.domain.payments import render as render_payment
from payrail.domain.refund_approval import (
    BY_DEFAULT,
    RefundTiers,
    is_expired,
    must_be_checker,
)
from payrail.domain.refunds import REFUND_TRANSITIONS, RefundState, legal_verbs, render
from payrail.domain.timestamps import parse_iso
from payrail.errors import RequestError
from tests.rules.claims_world import (
    CAPTURED,
    DUE,
    NOON,
    PAY,
    A,
    Family,
    captured_payment,
    charged_back,
    dispute_entries,
    entry,
    opened,
    refund_entries,
    requested,
)

APPROVED = entry(RefundApproved(PAY, "usr_two"), 4000, "re_1")
SENT = entry(RefundSubmitted(PAY, A, "pi_1.3"), 4000, "re_1")
PAID = entry(RefundSucceeded(PAY, A, "pi_1.3", "pr_9", NOON), 4000, "re_1")
BOUNCED = entry(RefundFailed(PAY, A, "pi_1.3", "bank_closed", True), 4000, "re_1")


def family(*made) -> Family:
    found = Family()
    for one in made:
        found.book(one)
    return found


def test_asking_reserves_the_amount():
    """From the moment that somebody asks, the same money cannot be asked for again."""
    found = family(requested(4000))

    assert found.refunds["re_1"].state is RefundState.PENDING_APPROVAL
    assert legal_verbs(found.refunds["re_1"]) == ("approve", "reject")
    assert found.payment.amount_refundable == 1000
    assert found.postings() == []
    with pytest.raises(RequestError) as refusal:
        refunds.must_be_refundable(found.payment, 1001)
    assert (refusal.value.status, refusal.value.code) == (422, "amount-exceeds")
    refunds.must_be_refundable(found.payment, 1000)


def test_shape_of_a_refund():
    """A refund shows who asked, who approved, until when it waits, and what became of it."""
    shown = render(family(requested(4000), APPROVED, SENT, PAID).refunds["re_1"])

    assert shown == {
        "id": "re_1",
        "object": "refund",
        "state": "succeeded",
        "amount": 4000,
        "currency": "USD",
        "payment_intent": PAY,
        "merchant_id": "m_001",
        "provider": A,
        "reason": "too large",
        "approval": "approver",
        "requested_by": "usr_op",
        "approved_by": "usr_two",
        "rejected_by": None,
        "rejection_reason": None,
        "failure_reason": None,
        "expires_at": DUE,
        "reference": "pi_1.3",
        "provider_reference": "pr_9",
        "idempotency_key": None,
        "created_at": NOON,
        "updated_at": NOON,
    }


def test_money_of_a_refund():
    """Approval takes it from the merchant, success from what the provider owes, a failure after
    the success gives it back to the merchant."""
    found = family(requested(4000), APPROVED)
    assert found.postings() == [
        Posting("liability:m_001:available", 4000, "USD"),
        Posting("liability:refunds:in_transit", -4000, "USD"),
    ]
    found.book(SENT)
    assert found.postings() == []
    found.book(PAID)
    assert found.postings() == [
        Posting("liability:refunds:in_transit", 4000, "USD"),
        Posting("asset:providerA:receivable", -4000, "USD"),
    ]
    assert (found.payment.amount_refunded, found.payment.amount_refunding) == (4000, 0)
    found.book(BOUNCED)
    assert found.postings() == [
        Posting("asset:providerA:receivable", 4000, "USD"),
        Posting("liability:m_001:available", -4000, "USD"),
    ]
    assert (found.payment.amount_refunded, found.payment.amount_refundable) == (0, CAPTURED)


def test_refund_that_the_provider_refused():
    """A refund that failed before it succeeded leaves the books as they were."""
    refused = entry(RefundFailed(PAY, A, "pi_1.3", "fenced"), 4000, "re_1")
    found = family(requested(4000), APPROVED, SENT, refused)

    assert found.balance("liability:m_001:available") == 0
    assert found.balance(postings.REFUNDS_IN_TRANSIT) == 0
    assert found.payment.amount_refundable == CAPTURED
    assert (found.payment.open, found.payment.fenced) == (None, ["pi_1.3"])


def test_refund_under_way_is_the_open_operation():
    """While a provider pays back, no other call about that payment is open, and k counts on."""
    found = family(requested(4000), APPROVED, SENT)

    assert render_payment(found.payment)["pending_operation"] == {
        "operation": "refund",
        "reference": "pi_1.3",
        "since": NOON,
    }
    assert (verbs_of_payment(found.payment), found.payment.calls) == ((), 3)


def test_events_of_a_refund_do_not_count_with_the_payment():
    """The sequence number of a payment's events has no gap because a refund had events."""
    before = captured_payment().object_seq
    found = family(requested(4000), APPROVED)

    assert found.payment.object_seq == before
    assert found.refunds["re_1"].object_seq == 2


def test_nothing_is_refunded_before_a_capture():
    """Before the capture a payment is cancelled, and the refusal says so."""
    payment = captured_payment()
    payment.amount_captured, payment.state = 0, payment.state.AUTHORIZED
    payment.capture_closed = False

    with pytest.raises(RequestError) as refusal:
        refunds.must_be_refundable(payment, 1)
    assert refusal.value.code == "illegal-transition"
    assert "cancel" in refusal.value.extra["legal"]


def test_disputed_payment_is_not_refunded_as_well():
    """While a chargeback is open nothing may be refunded or sent, and the dispute is named."""
    found = family(requested(1000), opened(500))

    for check in (
        lambda: refunds.must_be_refundable(found.payment, 1),
        lambda: refunds.must_be_sendable(found.payment),
    ):
        with pytest.raises(RequestError) as refusal:
            check()
        assert (refusal.value.status, refusal.value.code) == (409, "dispute-open")
        assert refusal.value.extra["disputes"] == ["dp_1"]
    assert "refund" not in verbs_of_payment(found.payment)


def test_inquiry_does_not_hold_a_refund_back():
    """An inquiry took no money; refunding is often its best answer."""
    refunds.must_be_refundable(family(opened(stage="inquiry")).payment, CAPTURED)


def test_reserved_money_that_was_charged_back_is_not_sent():
    """A lost chargeback leaves no money for a refund that was waiting: it cannot be approved."""
    found = family(requested(4000), opened())
    found.book(next(e for e in dispute_entries(found, "dp_1", 0) if e.type == "dispute.lost"))
    found.book(charged_back(CAPTURED))

    assert found.payment.amount_overdrawn == 4000
    with pytest.raises(RequestError, match="more than can be refunded"):
        refunds.must_be_sendable(found.payment)


@pytest.mark.parametrize(
    ("amount", "currency", "tier"),
    [
        (1, "USD", "approver"),
        (500, "EUR", "automatic"),
        (501, "EUR", "approver"),
        (10_000, "EUR", "approver"),
        (10_001, "EUR", "admin"),
    ],
)
def test_tiers(amount, currency, tier):
    """Small refunds may need nobody, large ones an admin; a currency without a limit a person."""
    tiers = RefundTiers({"EUR": 500}, {"EUR": 10_000})
    assert tiers.tier(amount, currency) == tier


def test_every_refund_needs_a_second_person_by_default():
    """Nothing is automatic until somebody writes it down."""
    assert BY_DEFAULT.tier(1, "USD") == "approver"
    assert BY_DEFAULT.tier(99_999_999, "JPY") == "approver"


@pytest.mark.parametrize(
    ("user", "role", "code"),
    [
        ("usr_op", "approver", "four-eyes"),
        ("usr_op", "admin", "four-eyes"),
        ("usr_two", "operator", "forbidden"),
        ("usr_two", "approver", None),
        ("usr_two", "admin", None),
    ],
)
def test_maker_is_not_checker(user, role, code):
    """Users are compared, so that a second key or a higher role does not help."""
    view = family(requested(4000)).refunds["re_1"]
    if code is None:
        must_be_checker(view, user, role)
        return
    with pytest.raises(RequestError) as refusal:
        must_be_checker(view, user, role)
    assert (refusal.value.status, refusal.value.code) == (403, code)


def test_book_with_an_own_approval_is_damaged():
    """The rule of two people is checked once more when the book is read."""
    own = entry(RefundApproved(PAY, "usr_op"), 4000, "re_1")
    with pytest.raises(ValueError, match="the one who asked"):
        family(requested(4000), own)


@pytest.mark.parametrize(
    ("made", "wrong"),
    [
        ([APPROVED, SENT], BOUNCED),
        ([APPROVED, SENT, PAID], entry(RefundFailed(PAY, A, "pi_1.3", "x"), 4000, "re_1")),
        (
            [APPROVED, SENT],
            entry(RefundSucceeded(PAY, A, "pi_1.9", "pr_9", NOON), 4000, "re_1"),
        ),
        ([], entry(RefundApproved("pi_2", "usr_two"), 4000, "re_1")),
        ([], entry(RefundApproved(PAY, "usr_two"), 3999, "re_1")),
        ([], entry(RefundApproved(PAY, "usr_two"), 4000, "re_1", currency="EUR")),
    ],
)
def test_entry_that_does_not_fit_is_damage(made, wrong):
    """An entry that tells another tale than the ones before it is reported and changes nothing."""
    view = family(requested(4000), *made).refunds["re_1"]
    before = msgspec.json.encode(view)

    with pytest.raises(ValueError, match="re_1"):
        refunds.fold(view, wrong)
    assert msgspec.json.encode(view) == before


def test_waiting_ends():
    """An approval that does not come within 72 hours gives the reservation up."""
    noon_ms = parse_iso(NOON)
    view = family(requested(4000)).refunds["re_1"]

    assert parse_iso(BY_DEFAULT.expires_at(noon_ms)) - noon_ms == 72 * 3_600_000
    assert not is_expired(view, parse_iso(DUE) - 1)
    assert is_expired(view, parse_iso(DUE))
    rejected = entry(RefundRejected(PAY, "usr_two", "no"), 4000, "re_1")
    assert not is_expired(family(requested(4000), rejected).refunds["re_1"], parse_iso(DUE))


def test_states_move_only_along_the_edges():
    """The table has exactly the moves that the rules have, and a failure after the success."""
    edges = {f"{a}>{b}" for (a, _type), b in REFUND_TRANSITIONS.items() if a and a is not b}
    assert edges == {
        "pending_approval>approved",
        "pending_approval>rejected",
        "pending_approval>expired",
        "approved>processing",
        "approved>failed",
        "processing>succeeded",
        "processing>failed",
        "succeeded>failed",
    }


def _sum(found: Family, *states: str) -> int:
    return sum(view.amount for view in found.refunds.values() if view.state.value in states)


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_no_walk_of_refunds_leaves_the_bounds(data):
    """Whatever is booked, in whatever order: what is reserved and given back fits into what was
    captured, the books agree with it, and what is refused changes nothing."""
    found = Family()
    for _ in range(20):
        ref = data.draw(st.sampled_from(["re_1", "re_2", "re_3"]))
        fresh = requested(data.draw(st.sampled_from([1, 1999, 3000, CAPTURED, CAPTURED + 1])), ref)
        made = data.draw(st.sampled_from([*refund_entries(found, ref), fresh]))
        before = found.bytes()
        try:
            found.book(made)
        except ValueError:
            assert found.bytes() == before

        payment = found.payment
        assert payment.amount_refunded == _sum(found, "succeeded")
        assert payment.amount_refunding == _sum(found, *(s.value for s in refunds.IN_FLIGHT))
        assert payment.amount_refunded + payment.amount_refunding <= payment.amount_captured
        assert payment.amount_overdrawn == 0
        in_transit = _sum(found, "approved", "processing")
        assert found.balance(postings.REFUNDS_IN_TRANSIT) == -in_transit
        assert found.balance("asset:providerA:receivable") == -payment.amount_refunded
        taken = in_transit + payment.amount_refunded
        assert found.balance("liability:m_001:available") == taken
