"""What the gateway remembers: open payments whole, closed ones by a few words, keys by offsets.

Everything here is the fold of its journal (`actors.gateway.folds`). Closed payments live on in the
ledger; what stays of them here answers a late word from a provider. A stored answer is an offset
into the journal. Never: decides, or folds.
"""

from msgspec import Struct, field

from actors.gateway.dispute_state import Disputes
from actors.gateway.facts import Card, Closed, ClosedRefund, KeyRecord, LateReversal, Pending
from actors.gateway.payout_state import Paying
from payrail.domain.breaker import Breaker
from payrail.domain.cases import CaseView
from payrail.domain.endpoints import Endpoint
from payrail.domain.payments import PaymentView
from payrail.domain.people import People
from payrail.domain.refunds import RefundView
from payrail.domain.trials import Canary, Standing
from payrail.domain.words.providers import ProviderNotice
from payrail.domain.words.rules import RulesInForce, RulesRefused

#: How long a key is remembered at least, in business time: a shop may retry a day later.
KEY_MS = 24 * 3_600_000


class GatewayState(Struct):
    """The whole of it. Mutable: `apply` changes it in place."""

    payments: dict[str, PaymentView] = field(default_factory=dict)
    closed: dict[str, Closed] = field(default_factory=dict)
    refunds: dict[str, RefundView] = field(default_factory=dict)  # those in flight
    closed_refunds: dict[str, ClosedRefund] = field(default_factory=dict)
    refund_of: dict[str, str] = field(default_factory=dict)  # of succeeded ones, by reference
    disputes: Disputes = field(default_factory=Disputes)
    cards: dict[str, Card] = field(default_factory=dict)
    cards_asked: str = ""  # what the vault has still to answer
    keys: dict[str, KeyRecord] = field(default_factory=dict)
    pending: dict[str, Pending] = field(default_factory=dict)
    late: dict[str, LateReversal] = field(default_factory=dict)  # by reversal reference
    broken_fences: dict[str, bool] = field(default_factory=dict)  # by reference
    breakers: dict[str, Breaker] = field(default_factory=dict)  # by providerA
    parked: dict[str, ProviderNotice] = field(default_factory=dict)  # by provider and reference
    payouts: dict[str, bool] = field(default_factory=dict)  # received, by batch and currency
    adjusted: dict[str, bool] = field(default_factory=dict)  # breaks that were posted, by id
    cases: dict[str, CaseView] = field(default_factory=dict)  # open ones
    closed_cases: dict[str, str | None] = field(default_factory=dict)  # merchant by id
    settled_claims: dict[str, bool] = field(default_factory=dict)  # by claim and effect
    # Lines of statements that are booked, by FILE:LINE; True: two people did it.
    booked_lines: dict[str, bool] = field(default_factory=dict)
    access: int = 0  # records in the book of merchants, users and keys
    people: People = field(default_factory=People)  # merchants, users and keys
    outbox: int = 0  # events booked so far, which is the last one's `seq`
    endpoints: dict[str, Endpoint] = field(default_factory=dict)  # webhooks go there
    answers: dict[str, str] = field(default_factory=dict)  # the last ones of each provider
    canary: Canary | None = None
    paying: Paying = field(default_factory=Paying)
    rules: dict[str, RulesInForce] = field(default_factory=dict)  # by name of the file
    refused: dict[str, RulesRefused] = field(default_factory=dict)  # files as they stand

    @property
    def standing(self) -> Standing:
        """How the providers stand, for whoever chooses one."""
        return Standing(self.breakers, self.answers)

    def breaker(self, provider: str) -> Breaker:
        """A provider's breaker; one that was never heard of is closed."""
        return self.breakers.get(provider) or Breaker()


def payout_key(batch_id: str, currency: str) -> str:
    """What a received payout is known by."""
    return f"{batch_id} {currency}"


def call_number(reference: str) -> int:
    """The k of our reference `<payment>.<k>`."""
    return int(reference.rpartition(".")[2])
