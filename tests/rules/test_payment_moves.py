"""Which entry may follow which, and where no walk through the table leads."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payrail.domain import ledger
from payrail.domain.ledger import LedgerEntry
from payrail.domain.payments import (
    PAYMENT_TRANSITIONS,
    TERMINAL,
    PaymentState,
    PaymentView,
    fold,
    legal_verbs,
    may,
    next_reference,
    render,
)
from tests.rules.entries import (
    CREATED,
    HELD,
    HOLD,
    R1,
    R2,
    A,
    B,
    attempt,
    authorized,
    capture_requested,
    captured,
    declined,
    entry,
    failed,
    folded,
    reversal_requested,
    reversed_,
    unknown,
)


@pytest.mark.parametrize(
    ("entries", "wrong"),
    [
        ([], entry(CREATED)),
        ([], authorized()),
        ([*HOLD], authorized()),
        ([*HOLD], captured(1100)),
        ([*HOLD], capture_requested(1100)),
        ([*HOLD, capture_requested(400), captured(400)], captured(1)),
        ([*HOLD, reversed_()], captured(1)),
        ([attempt(), unknown()], attempt(2, B, R2)),
        ([], entry(ledger.AttemptStarted(1, A, R1), ref="pi_2")),
        ([], entry(ledger.AttemptStarted(1, A, R1), currency="EUR")),
        ([], entry(ledger.AttemptStarted(1, A, R1), merchant_id="m_002")),
        ([*HOLD, captured(1)], entry(ledger.FeeCharged("cap_1", A, 1, 1), type="payment.settled")),
    ],
)
def test_entry_that_cannot_follow_is_damage(entries, wrong):
    """An entry that was never legal is reported, and the view stays as it was."""
    view = folded(*entries)
    before = msgspec.json.encode(view)

    with pytest.raises(ValueError, match="pi_"):
        fold(view, wrong)
    assert msgspec.json.encode(view) == before


def test_nothing_comes_before_the_creation():
    """A payment begins with its creation."""
    with pytest.raises(ValueError, match="cannot follow nothing"):
        fold(None, authorized())


def test_states_move_only_along_the_edges():
    """The table has exactly the moves between states that the rules have."""
    edges = {(str(a), str(b)) for (a, _type), b in PAYMENT_TRANSITIONS.items() if a and a is not b}
    rules = {
        "created": "processing reversed",
        "processing": "requires_action authorized captured declined unknown",
        "requires_action": "processing declined reversed",
        "unknown": "authorized captured declined reversed",
        "authorized": "captured reversed",
        "captured": "settled chargeback",
        "settled": "chargeback",
    }
    assert edges == {(a, b) for a, targets in rules.items() for b in targets.split()}
    assert {state for state in PaymentState if all(a != state for a, _b in edges)} == TERMINAL


def _choices(view: PaymentView) -> list[LedgerEntry]:
    """Every entry that a gateway could book now, as it would book it."""
    reference = next_reference(view)
    operation = view.open.operation if view.open else None
    waiting = view.open.reference if view.open else reference
    rest = max(1, view.amount_capturable)
    number = len(view.attempts) + 1
    made = [entry(ledger.LateApprovalReversed(A, R1, reference))]
    if operation == "authorize":
        made += [authorized(waiting), declined("generic_decline", waiting), unknown(waiting)]
        made += [failed("authorize", "not_accepted", waiting), captured(HELD, waiting)]
        made += [declined("processing_error", waiting), reversed_("late_approval", waiting)]
    if operation == "capture" and view.open:
        made += [captured(view.open.amount, waiting, final=final) for final in (True, False)]
        made += [unknown(waiting, "capture"), failed("capture", "fenced", waiting)]
    if operation == "reverse":
        made += [unknown(waiting, "reverse"), failed("reverse", "not_accepted", waiting)]
        made += [reversed_(reference=waiting), entry(ledger.PaymentReleased(A, waiting), rest)]
    if operation is None:
        made += [attempt(number, B, reference)]
        if not view.attempts:
            made += [reversed_(reference=None)]
        if view.amount_capturable:
            made += [capture_requested(part, reference) for part in (1, rest // 2 or 1, rest)]
            made += [reversal_requested(reference)]
        if view.amount_captured:
            made += [entry(ledger.FeeCharged("cap_1", A, 1, 1), 1)]
    return [one for one in made if may(view, one.type)]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_walk_leaves_the_bounds(data):
    """However a payment goes, no more is captured than was held, references only count up, at
    most one operation is open, closed stays closed, and folding again gives the same payment."""
    walk = [entry(CREATED)]
    view = fold(None, walk[0])
    for _ in range(25):
        was, calls = view.state, view.calls
        choices = _choices(view)
        if not choices:
            break
        walk.append(data.draw(st.sampled_from(choices)))
        view = fold(view, walk[-1])

        assert 0 <= view.amount_captured <= view.amount_authorized <= view.amount
        assert 0 <= view.amount_capturable <= view.amount_authorized - view.amount_captured
        assert view.amount_captured == sum(capture.amount for capture in view.captures)
        assert view.calls >= calls
        assert was not in TERMINAL or view.state is was
        assert view.state not in TERMINAL or (view.open is None and legal_verbs(view) == ())
        assert sum(a.code == "approved" for a in view.attempts) <= 1
        assert view.object_seq == len(walk)
    assert render(folded(*walk[1:])) == render(view)
