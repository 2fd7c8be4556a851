"""A payout leaves what we owe a merchant, and may come back after it was paid. Cases are closed by
people."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from payrail.domain import cases, payouts
from payrail.domain.claim_entries import CaseClosed, PayoutCreated, PayoutFailed, PayoutPaid
from payrail.domain.ledger import CaseOpened, LedgerEntry, Posting, must_balance
from payrail.domain.payouts import PAYOUT_TRANSITIONS, PayoutState, PayoutView, payable_minor
from payrail.domain.postings import BANK, balances
from tests.rules.claims_world import NOON, entry

AMOUNT = 9700
CREATED = entry(PayoutCreated("2026-02-10"), AMOUNT, "po_1")
PAID = entry(PayoutPaid("bank_7", NOON), AMOUNT, "po_1")
FAILED = entry(PayoutFailed("account_closed"), AMOUNT, "po_1")
RETURNED = entry(PayoutFailed("account_closed", True), AMOUNT, "po_1")
AVAILABLE, ON_ITS_WAY = "liability:m_001:available", "liability:m_001:payout_in_transit"


def walked(*made: LedgerEntry) -> tuple[PayoutView, list[LedgerEntry]]:
    """The payout after these entries, and the entries with their postings."""
    view, booked = None, []
    for one in made:
        booked.append(structs.replace(one, postings=payouts.money(view, one)))
        view = payouts.fold(view, one)
    assert view is not None
    return view, booked


def test_money_of_a_payout():
    """Created it leaves what is available, paid it leaves the bank."""
    view, booked = walked(CREATED, PAID)

    assert booked[0].postings == [
        Posting(AVAILABLE, AMOUNT, "USD"),
        Posting(ON_ITS_WAY, -AMOUNT, "USD"),
    ]
    assert booked[1].postings == [Posting(ON_ITS_WAY, AMOUNT, "USD"), Posting(BANK, -AMOUNT, "USD")]
    assert (view.state, payouts.legal_verbs(view)) == (PayoutState.PAID, ("failed",))


@pytest.mark.parametrize("made", [(CREATED, FAILED), (CREATED, PAID, RETURNED)])
def test_failed_payout_is_the_merchants_again(made):
    """Whenever a payout fails, the books are as before it."""
    view, booked = walked(*made)

    assert view.state is PayoutState.FAILED
    assert view.failure_reason == "account_closed"
    assert {sum(by.values()) for by in balances(booked).values()} == {0}


@pytest.mark.parametrize(("made", "wrong"), [((CREATED,), RETURNED), ((CREATED, PAID), FAILED)])
def test_failure_that_tells_another_tale_is_damage(made, wrong):
    """Whether it had been paid decides the money: an entry that says otherwise is refused."""
    with pytest.raises(ValueError, match="po_1: it is"):
        payouts.fold(walked(*made)[0], wrong)


def test_shape_of_a_payout():
    """A payout shows whom it pays, when, and what the bank said."""
    assert payouts.render(walked(CREATED, PAID)[0]) == {
        "id": "po_1",
        "object": "payout",
        "state": "paid",
        "amount": AMOUNT,
        "currency": "USD",
        "merchant_id": "m_001",
        "date": None,
        "value_date": "2026-02-10",
        "created_by": None,
        "bank_reference": "bank_7",
        "paid_at": NOON,
        "failure_reason": None,
        "created_at": NOON,
        "updated_at": NOON,
    }


@pytest.mark.parametrize(("balance", "payable"), [(-9700, 9700), (0, 0), (500, 0)])
def test_only_what_we_owe_is_paid_out(balance, payable):
    """A merchant whom refunds and chargebacks have put into debt is paid nothing."""
    assert payable_minor(balance) == payable


def test_states_move_only_along_the_edges():
    """A paid payout can still fail; a failed one is over."""
    edges = {f"{a}>{b}" for (a, _type), b in PAYOUT_TRANSITIONS.items() if a}
    assert edges == {"in_transit>paid", "in_transit>failed", "paid>failed"}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([CREATED, PAID, FAILED, RETURNED]), max_size=8))
def test_no_walk_of_a_payout_loses_money(made):
    """In any order the bank and the merchant's accounts add up, and refusals change nothing."""
    view, booked = None, []
    for one in made:
        before = msgspec.json.encode(view)
        moving = payouts.money(view, one)
        try:
            view = payouts.fold(view, one)
        except ValueError:
            assert msgspec.json.encode(view) == before
            continue
        must_balance(moving)
        booked.append(structs.replace(one, postings=moving))

        sums = {name: by["USD"] for name, by in balances(booked).items()}
        state = view.state
        assert sums[AVAILABLE] == (0 if state == "failed" else AMOUNT)
        assert sums.get(ON_ITS_WAY, 0) == (-AMOUNT if state == "in_transit" else 0)
        assert sums.get(BANK, 0) == (-AMOUNT if state == "paid" else 0)


def test_case_is_closed_once():
    """A case names what to look at; a person closes it, once, and says how it ended."""
    opened = entry(CaseOpened("pi_1", "overdrawn", 4000), 4000, "case_1")
    closed = entry(CaseClosed("pi_1", "usr_two", "written off"), 4000, "case_1")
    view = cases.fold(None, opened)

    assert (view.state, cases.legal_verbs(view)) == ("open", ("close",))
    assert cases.render(view)["about"] == cases.REASONS["overdrawn"]
    shown = cases.render(cases.fold(view, closed))
    assert (shown["state"], shown["closed_by"], shown["resolution"]) == (
        "closed",
        "usr_two",
        "written off",
    )
    assert not cases.may(view, "case.closed")
    with pytest.raises(ValueError, match="cannot follow closed"):
        cases.fold(view, closed)
