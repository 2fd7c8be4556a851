"""A dispute's entries as tests of rules book them, and the accounts that they move."""

from payrail.domain.claim_entries import DisputeLost, DisputeSubmitted, DisputeWon
from tests.rules.claims_world import CAPTURED, FEE, PAY, A, Family, entry

ANSWERED = entry(DisputeSubmitted(PAY, A, "chargeback", "usr_op", FEE), CAPTURED, "dp_1")
INQUIRY_ANSWERED = entry(DisputeSubmitted(PAY, A, "inquiry", "usr_op", 0), CAPTURED, "dp_1")
WON = entry(DisputeWon(PAY, A, "defended", FEE), CAPTURED, "dp_1")
LOST = entry(DisputeLost(PAY, A, "defended"), CAPTURED, "dp_1")
LOST_AGAIN = entry(DisputeLost(PAY, A, "defended", True), CAPTURED, "dp_1")
DISPUTED, HOLD = "asset:providerA:disputed", "liability:m_001:dispute_hold"
RECEIVABLE, AVAILABLE = "asset:providerA:receivable", "liability:m_001:available"


def family(*made) -> Family:
    found = Family()
    for one in made:
        found.book(one)
    return found
