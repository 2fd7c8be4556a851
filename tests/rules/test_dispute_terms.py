"""What schemes and tariffs say of a dispute: due dates, fees, reasons and evidence."""

import pytest

from payrail.domain import disputes
from payrail.domain.claim_entries import EvidenceAdded
from payrail.domain.dispute_evidence import (
    EVIDENCE_BYTES_MAX,
    must_be_evidence,
    outcome_by_text,
    prefilled,
)
from payrail.domain.dispute_reasons import EVIDENCE, REASONS, known_reason
from payrail.domain.dispute_terms import DUE_DAYS, dispute_fee, due_at, ruled_by_ms
from payrail.domain.disputes import (
    is_overdue,
    render,
)
from payrail.domain.timestamps import iso, parse_iso
from payrail.errors import RequestError
from tests.rules.claims_world import (
    CAPTURED,
    DUE,
    NOON,
    PAY,
    captured_payment,
    entry,
    opened,
)
from tests.rules.disputed import (
    ANSWERED,
    family,
)


def test_due_date_is_the_schemes():
    """Visa gives 18 days; a brand that nobody knows the shortest time of all."""
    noon_ms = parse_iso(NOON)

    assert due_at("visa", noon_ms) == "2026-02-27T12:00:00.123Z"
    assert due_at("nobody", noon_ms) == iso(noon_ms + min(DUE_DAYS.values()) * 86_400_000)
    assert ruled_by_ms(noon_ms) - noon_ms == 75 * 86_400_000


def test_chargeback_without_an_answer_is_lost_at_its_due_date():
    """Time runs against an opened chargeback alone, neither an inquiry nor one under review."""
    due_ms = parse_iso(DUE)

    assert not is_overdue(family(opened()).disputes["dp_1"], due_ms - 1)
    assert is_overdue(family(opened()).disputes["dp_1"], due_ms)
    assert not is_overdue(family(opened(), ANSWERED).disputes["dp_1"], due_ms)
    assert not is_overdue(family(opened(stage="inquiry")).disputes["dp_1"], due_ms)


@pytest.mark.parametrize(
    ("currency", "fee"), [("USD", 1500), ("CHF", 1500), ("JPY", 2000), ("BHD", 4500)]
)
def test_fee_of_a_dispute_is_by_currency(currency, fee):
    """A currency without a row has the fee of its number of decimals."""
    assert dispute_fee(currency) == fee


def test_checklist_shows_what_our_books_gave():
    """The checklist fits the reason, and says what the books and the merchant have given."""
    payment = captured_payment()
    records = prefilled(payment)
    view = family(opened()).disputes["dp_1"]
    view.prefilled = records
    given_by = {item["item"]: item["given_by"] for item in render(view)["checklist"]}

    assert records["payment_record"].startswith("pi_1: 50.00 USD approved at 2026-02-09")
    assert records["customer_identity"] == "Ada Kite, ada@shop.example"
    assert "refund_record" not in records
    assert given_by["payment_record"] == "records"
    assert given_by["delivery_proof"] is None

    disputes.fold(
        view, entry(EvidenceAdded(PAY, {"delivery_proof": "AB12"}, "usr_op"), CAPTURED, "dp_1")
    )
    shown = render(view)
    assert {"item": "delivery_proof", "given_by": "merchant"}.items() <= next(
        item for item in shown["checklist"] if item["item"] == "delivery_proof"
    ).items()
    assert shown["evidence"]["delivery_proof"] == "AB12"


def test_every_reason_asks_for_known_evidence():
    """A checklist names only evidence that can be given."""
    assert {item for reason in REASONS.values() for item in reason.checklist} <= set(EVIDENCE)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("fraudulent", "fraudulent"),
        ("10.4", "fraudulent"),
        ("12.6.1", "duplicate"),
        ("12.5", "general"),
        ("13.7", "credit_not_processed"),
        ("something", "general"),
    ],
)
def test_networks_codes_have_a_reason(said, reason):
    """Whatever a provider says, the merchant reads one of our reasons."""
    assert known_reason(said) == reason


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "evidence"),
        ({"poem": "tulips"}, "evidence"),
        ({"order_details": " "}, "evidence.order_details"),
        ({"order_details": "paid with 4242 4242 4242 4242"}, "evidence.order_details"),
        ({"order_details": "é" * (EVIDENCE_BYTES_MAX // 2 + 1)}, "evidence"),
    ],
)
def test_evidence_that_cannot_be_used(given, field):
    """The refusal names the item and the remedy, and repeats no text."""
    with pytest.raises(RequestError) as refusal:
        must_be_evidence(given, {})

    assert (refusal.value.status, refusal.value.code) == (422, "validation-error")
    assert [error["field"] for error in refusal.value.errors] == [field]
    assert all(text not in str(refusal.value.errors) for text in given.values() if text.strip())


def test_evidence_is_bounded_in_all():
    """What was given before counts; giving an item again replaces it."""
    most = {"order_details": "x" * EVIDENCE_BYTES_MAX}
    must_be_evidence(most, most)
    with pytest.raises(RequestError, match="cannot be used"):
        must_be_evidence({"usage_log": "x"}, most)


def test_texts_that_decide_a_test():
    """In tests the evidence itself says how the issuer rules."""
    assert outcome_by_text({"uncategorized_text": "winning_evidence"}) == "won"
    assert outcome_by_text({"order_details": " losing_evidence\n"}) == "lost"
    assert outcome_by_text({"order_details": "a winning_evidence of ours"}) is None
