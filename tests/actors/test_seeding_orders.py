"""What a planned order asks of the house, told by how things stand there."""

from dataclasses import replace
from typing import Any

import pytest

from actors.cli.seeding.orders import DONE, NO, Case, Order, order_of
from payrail.domain.synthetic import Follow, Plan, SeededPayment

CAPTURED = "captured"


def planned(*later: Follow) -> SeededPayment:
    one = next(one for one in Plan(42).stream() if one.scene.name == "held")
    return replace(one, later=later)


def payment(state: str = CAPTURED, **fields: Any) -> dict[str, Any]:
    shown = {
        "id": "pi_0000000000000001",
        "state": state,
        "provider": "providerA",
        "amount": 1_000,
        "amount_capturable": 0,
        "amount_captured": 1_000,
        "amount_refunded": 0,
        "amount_disputed": 0,
        "amount_charged_back": 0,
        "captures": [],
        "attempts": [{"number": 1, "outcome": "approved"}],
    }
    return shown | fields


def refund(case: SeededPayment, nth: int, state: str) -> dict[str, Any]:
    key = f"{case.key}-refund-{nth}"
    return {"id": f"re_{nth}", "idempotency_key": key, "state": state, "amount": 400}


def dispute(state: str, **fields: Any) -> dict[str, Any]:
    shown = {"id": "dp_1", "state": state, "stage": "chargeback", "amount": 1_000}
    return shown | {"reason": "fraudulent", "evidence": {}, "submissions": []} | fields


def test_a_refund_is_of_what_is_left():
    """What is paid back, asked for or disputed is no longer there to be paid back."""
    follow = Follow(3, "refund", 100, 2)
    one = planned(follow)
    case = Case(one, "m_001", payment(amount_refunded=100), [refund(one, 1, "processing")])
    asked = order_of(case, follow)
    assert isinstance(asked, Order)
    assert (asked.path, asked.body["amount"]) == ("/refunds", 500)


def test_a_refund_that_is_there_is_not_asked_for_again():
    """Its key may be forgotten by the house; the refund itself tells it."""
    follow = Follow(3, "refund")
    one = planned(follow)
    assert order_of(Case(one, "m_001", payment(), [refund(one, 1, "rejected")]), follow) == DONE


@pytest.mark.parametrize("state", ["created", "authorized", "declined", "reversed", "unknown"])
def test_what_was_not_captured_is_not_paid_back(state: str):
    """The issuer declined, or nobody has claimed it yet: the order is left out."""
    follow = Follow(3, "refund")
    assert order_of(Case(planned(follow), "m_001", payment(state)), follow) == NO


@pytest.mark.parametrize(("state", "what"), [("pending_approval", Order), ("succeeded", str)])
def test_a_refund_is_judged_once(state: str, what: type):
    """Approved, rejected or expired: nobody judges it again."""
    follow = Follow(3, "approve")
    one = planned(Follow(2, "refund"), follow)
    found = order_of(Case(one, "m_001", payment(), [refund(one, 1, state)]), follow)
    assert isinstance(found, what)


def test_a_capture_is_told_by_how_many_there_are():
    """The second of two captures is due while there is one, and done when there are two."""
    first, second = Follow(1, "capture", 60, final=False), Follow(2, "capture", 40)
    one = planned(first, second)
    held = payment("authorized", amount_capturable=1_000, amount_captured=0)
    half = payment(amount_capturable=400, captures=[{"amount": 600}])
    whole = payment(captures=[{"amount": 600}, {"amount": 400}])
    assert isinstance(order_of(Case(one, "m_001", held), first), Order)
    assert order_of(Case(one, "m_001", half), first) == DONE
    assert isinstance(order_of(Case(one, "m_001", half), second), Order)
    assert order_of(Case(one, "m_001", whole), second) == DONE


def test_evidence_and_answer_are_given_once():
    """What the dispute has already is not sent again, though its day is played again."""
    evidence, submit = Follow(3, "evidence", detail="winning_evidence"), Follow(3, "submit")
    one = planned(evidence, submit)
    fresh = Case(one, "m_001", payment(), [], [dispute("opened")])
    said = dispute("opened", evidence={"uncategorized_text": "winning_evidence"})
    sent = dispute("under_review", submissions=[{"stage": "chargeback"}])
    assert isinstance(order_of(fresh, evidence), Order)
    assert isinstance(order_of(fresh, submit), Order)
    assert order_of(Case(one, "m_001", payment(), [], [said]), evidence) == DONE
    assert order_of(Case(one, "m_001", payment(), [], [sent]), submit) == DONE


def test_a_second_chargeback_goes_to_the_provider_itself():
    """Nobody but the provider opens one; it names the charge by its own reference."""
    follow = Follow(9, "second_chargeback")
    shown = payment(
        attempts=[{"number": 1, "outcome": "safe"}, {"number": 2, "outcome": "approved"}]
    )
    case = Case(planned(follow), "m_001", shown, [], [dispute("won")])
    asked = order_of(case, follow)
    assert isinstance(asked, Order)
    assert asked.provider == "providerA"
    assert asked.body["authorization"] == "pi_0000000000000001.2"


def test_a_verb_that_no_plan_has_is_an_error():
    """A plan of a later version is not played in part."""
    with pytest.raises(KeyError):
        order_of(Case(planned(), "m_001", payment()), Follow(1, "escalate"))
