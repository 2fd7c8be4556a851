"""When a payment is settled, and where its money then lies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payrail.domain import ledger
from payrail.domain.ledger import must_balance
from payrail.domain.payments import PaymentState, PaymentView, fold
from payrail.domain.postings import payout_postings, settled_postings
from tests.rules.entries import HELD, HOLD, A, entry, folded


def captured(number: int, amount: int, *, final: bool) -> list[ledger.LedgerEntry]:
    """A whole capture with its fee."""
    ident, reference = f"cap_{number}", f"pi_1.{number + 1}"
    return [
        entry(ledger.CaptureRequested(ident, A, reference, final), amount),
        entry(ledger.PaymentCaptured(ident, A, reference, f"pc_{number}", final), amount),
        entry(ledger.FeeCharged(ident, A, 30 + number, 10 + number), 30 + number),
    ]


def settled(number: int, amount: int) -> ledger.LedgerEntry:
    data = ledger.PaymentSettled(A, "providerA-2026-02-09-1", f"cap_{number}")
    return entry(data, amount)


RELEASED = entry(ledger.PaymentReleased(A, "pi_1.9"), 1)


def test_a_capture_in_a_statement_settles_the_payment() -> None:
    """One final capture, found once: settled, with its amount and its time."""
    view = folded(*HOLD, *captured(1, HELD, final=True), settled(1, HELD))

    assert (view.state, view.amount_settled) == (PaymentState.SETTLED, HELD)
    assert view.captures[0].settled_at == view.updated_at
    assert (view.captures[0].merchant_fee, view.captures[0].provider_fee) == (31, 11)


def test_what_may_still_be_captured_keeps_a_payment_captured() -> None:
    """A part is settled, the rest is held: captured; the release of the rest settles it."""
    view = folded(*HOLD, *captured(1, 500, final=False), settled(1, 500))
    assert (view.state, view.amount_settled) == (PaymentState.CAPTURED, 500)
    assert view.amount_capturable == HELD - 500

    fold(view, RELEASED)
    assert view.state is PaymentState.SETTLED


@given(st.permutations([1, 2, 3]))
def test_the_last_of_several_captures_settles_in_whatever_order(order: list[int]) -> None:
    """Partial captures are settled one by one, and the payment with the last of them."""
    parts = {1: 300, 2: 300, 3: HELD - 600}
    entries = [e for n, amount in parts.items() for e in captured(n, amount, final=n == 3)]
    view: PaymentView = folded(*HOLD, *entries)

    for number in order[:-1]:
        assert fold(view, settled(number, parts[number])).state is PaymentState.CAPTURED
    assert fold(view, settled(order[-1], parts[order[-1]])).state is PaymentState.SETTLED
    assert view.amount_settled == HELD


@pytest.mark.parametrize(("number", "amount"), [(1, HELD), (2, HELD), (1, HELD - 1)])
def test_a_capture_is_settled_once_as_it_is(number: int, amount: int) -> None:
    """Twice, one that is not ours, or another amount: the book is damaged, the view untouched."""
    view = folded(*HOLD, *captured(1, HELD, final=True))
    if (number, amount) == (1, HELD):
        fold(view, settled(1, HELD))
    before = (view.state, view.amount_settled, view.object_seq)

    with pytest.raises(ValueError, match="cannot be settled"):
        fold(view, settled(number, amount))
    assert (view.state, view.amount_settled, view.object_seq) == before


def test_the_posting_of_a_later_break_leaves_a_settled_payment_settled() -> None:
    """A line that a provider paid twice is posted about the payment, and moves no capture."""
    view = folded(*HOLD, *captured(1, HELD, final=True), settled(1, HELD))
    fold(view, entry(ledger.PaymentSettled(A, "b", adjusted=True), 0))
    assert (view.state, view.amount_settled) == (PaymentState.SETTLED, HELD)


@given(st.integers(-200, 10_000), st.integers(-200, 10_000))
def test_settling_and_paying_out_balances(net_minor: int, due_minor: int) -> None:
    """Whatever the fees are, also above the capture: every posting has its other side, and what
    went into transit arrives at the bank."""
    made = settled_postings("providerA", "m_001", net_minor, due_minor, "USD")
    made += payout_postings("providerA", net_minor, "USD")
    must_balance(made)
    sums: dict[str, int] = {}
    for posting in made:
        sums[posting.account] = sums.get(posting.account, 0) + posting.amount
    assert sums.get("asset:bank", 0) == net_minor
    assert sums.get("asset:providerA:payout_in_transit", 0) == 0
    assert sums.get("liability:m_001:available", 0) == -due_minor
