"""The auditor finds what cannot be true of refunds and disputes: their moves, their money, and what
their provider says of them."""

from pathlib import Path

import pytest

from tests.auditor import handmade as hand
from tests.auditor.handmade import House
from tests.auditor.planted import Plant, audited, book, places

AVAILABLE, HOLD = "liability:m_001:available", "liability:m_001:dispute_hold"
RECEIVABLE, DISPUTED = "asset:providerA:receivable", "asset:providerA:disputed"
IN_TRANSIT = "liability:refunds:in_transit"
NAMES = {"reference": "pi_1.1", "provider_reference": "dp_a"}
TAKEN = {RECEIVABLE: -700, DISPUTED: 600, AVAILABLE: 700, HOLD: -600}


def opened(house: House, ref: str = "dp_1", **more: object) -> None:
    """600 of 1099 are charged back, with a fee of 100."""
    house.claim("dispute.opened", ref, 600, TAKEN, stage="chargeback", fee=100, **NAMES, **more)


def defended(house: House) -> None:
    """It is answered for a fee of 50, and won."""
    fee = {RECEIVABLE: -50, AVAILABLE: 50}
    house.claim("dispute.submitted", "dp_1", 600, fee, stage="chargeback", fee=50)
    back = {RECEIVABLE: 650, DISPUTED: -600, HOLD: 600, AVAILABLE: -650}
    house.claim("dispute.won", "dp_1", 600, back, fee_returned=50)


def refunded(house: House, amount: int = 400) -> None:
    call = {"reference": "pi_1.3"}
    house.claim("refund.requested", "re_1", amount, {})
    house.claim("refund.approved", "re_1", amount, {AVAILABLE: amount, IN_TRANSIT: -amount})
    house.claim("refund.submitted", "re_1", amount, {}, **call)
    paid = {IN_TRANSIT: amount, RECEIVABLE: -amount}
    house.claim("refund.succeeded", "re_1", amount, paid, provider_reference="rf_a", **call)


def true(house: House) -> None:
    """What its provider did of all that."""
    house.effect("pi_1.1", "chargeback", 600, "dp_a")
    house.effect("pi_1.1", "dispute_fee", 50, "dp_a")
    house.effect("pi_1.1", "chargeback_reversed", 600, "dp_a")
    house.effect("pi_1.3", "refund", 400, "rf_a")


def whole() -> House:
    """A dispute that was won, and then a refund."""
    house = House()
    opened(house)
    defended(house)
    refunded(house)
    true(house)
    return house


def test_honest_claims_raise_no_alarm(home: Path) -> None:
    """A dispute that was won and a refund after it; every entry and effect was looked at."""
    report = audited(home, whole())
    assert report.findings == []
    assert (report.looked_at["claims"], report.looked_at["claims are true"]) == (7, 4)


def test_a_lost_dispute_is_charged_back_once(home: Path) -> None:
    """Let go by: the hold is gone, and the payment says so."""
    house = House()
    opened(house)
    house.claim("dispute.lost", "dp_1", 600, {HOLD: 600, DISPUTED: -600})
    book("payment.charged_back", "pi_1", 600, dispute_id="dp_1")(house)
    house.effect("pi_1.1", "chargeback", 600, "dp_a")
    # `book` counts the payments' file alone.
    house.books[hand.PAYMENTS][-1].update(seq=11, event_id="evt_11")
    house.books[hand.OUTBOX][-1].update(seq=11, id="evt_11")
    assert audited(home, house).findings == []

    house.books[hand.PAYMENTS][-1]["amount"] = 500
    assert ("claims", hand.PAYMENTS, 9) in places(audited(home, house))


def _twice_by_its_name(house: House) -> None:
    opened(house, "dp_2")


def _twice_by_its_id(house: House) -> None:
    opened(house)


def _no_money_back(house: House) -> None:
    house.books[hand.DISPUTES][2]["postings"] = []


def _fee_kept(house: House) -> None:
    won = house.books[hand.DISPUTES][2]
    won["data"]["fee_returned"] = 0
    won["postings"][0]["amount"], won["postings"][3]["amount"] = 600, -600


def _too_much(house: House) -> None:
    house.claim("refund.requested", "re_2", 700, {})


def _sent_unapproved(house: House) -> None:
    house.books[hand.REFUNDS][1].update(type="refund.submitted", postings=[])


def _paid_from_nowhere(house: House) -> None:
    house.books[hand.REFUNDS][3]["postings"] = []


def _never_paid(house: House) -> None:
    house.books[hand.TRUTH_A].pop()


def _not_booked(house: House) -> None:
    house.effect("pi_1.1", "second_chargeback", 600, "dp_a")


def _of_nobody(house: House) -> None:
    house.claim("refund.requested", "re_2", 1, {})
    house.books[hand.REFUNDS][-1]["data"]["payment_id"] = "pi_9"


LIES: dict[str, tuple[Plant, str, str, int]] = {
    "a chargeback booked twice": (_twice_by_its_name, "claims", hand.DISPUTES, 4),
    "a dispute opened twice": (_twice_by_its_id, "claims", hand.DISPUTES, 4),
    "won, and no money back": (_no_money_back, "claims", hand.DISPUTES, 3),
    "won, and the fee of the answer kept": (_fee_kept, "claims", hand.DISPUTES, 3),
    "refunded over what was captured": (_too_much, "claims", hand.REFUNDS, 5),
    "sent before anybody approved": (_sent_unapproved, "claims", hand.REFUNDS, 2),
    "a refund that cost nobody anything": (_paid_from_nowhere, "claims", hand.REFUNDS, 4),
    "a refund that was never paid": (_never_paid, "claims are true", hand.REFUNDS, 4),
    "charged back, and not booked": (_not_booked, "claims are true", hand.TRUTH_A, 7),
    "a refund of no payment": (_of_nobody, "claims", hand.REFUNDS, 5),
}


@pytest.mark.parametrize("name", LIES)
def test_what_cannot_be_true_of_a_claim_is_found(home: Path, name: str) -> None:
    """Every hash holds, and every entry may balance: it is named by file and line."""
    plant, check, path, line = LIES[name]
    house = whole()
    plant(house)
    assert (check, path, line) in places(audited(home, house))
