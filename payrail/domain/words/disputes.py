"""What is said about disputes: by people to the gateway, between the gateway and a provider.

A provider rules, never we. What we asked for it answers by mailbox; what it tells of its own
accord comes as a notice over HTTP. Both are `DisputeFact`, and the first to arrive is booked.
So is what an issuer only suspects, which comes before a dispute or instead of one.
"""

from msgspec import Struct

from payrail.domain.words.kinds import ANY_PROVIDER, TIMER, asked, kind
from payrail.domain.words.payments import Command

#: The fact that an issuer suspects fraud: there is no dispute, so it has no stage.
WARNED = "warned"


class CreateDispute(Command, kw_only=True):
    """Have the provider open a dispute about a captured payment, as a cardholder would."""

    payment_intent: str
    reason: str
    amount: int | None = None  # None: all that can be disputed
    stage: str = "chargeback"


class AddEvidence(Command, kw_only=True):
    """What speaks for the merchant, by item of the checklist; a later text replaces the first."""

    id: str
    evidence: dict[str, str]


class SubmitDispute(Command, kw_only=True):
    """The one answer of this stage leaves for the provider."""

    id: str


class AcceptDispute(Command, kw_only=True):
    """The merchant gives in."""

    id: str


class RuleDispute(Command, kw_only=True):
    """Have the provider rule, as an issuer would: won | lost."""

    id: str
    outcome: str


class DisputeCall(Struct, forbid_unknown_fields=True):
    """Gateway to provider. `action`: open | submit | accept | resolve; `dispute_id` is our name for
    it. What an action does not need is left out."""

    payment_id: str
    dispute_id: str  # dp_…
    action: str
    authorization: str  # our reference of the disputed charge
    merchant_id: str
    provider_reference: str = ""  # the provider's name for it; open: it has none yet
    amount: int = 0
    currency: str = ""
    reason: str = ""
    stage: str = ""
    outcome: str = ""  # of resolve: won | lost
    evidence: str = ""  # of submit: the texts that decide a test dispute


class DisputeFact(Struct, forbid_unknown_fields=True):
    """What a provider says of a dispute. `fact`: opened | submitted | won | lost | closed, or
    refused with a code, which moves nothing, or warned, of no dispute at all. `dispute_id` is ours
    where we have named it, else the provider's own, and the gateway finds or makes one by
    `provider_reference`."""

    provider: str  # providerA
    payment_id: str
    authorization: str  # our reference of the charge
    provider_reference: str  # the provider's name for the dispute, or for the warning
    fact: str
    stage: str
    reason: str
    amount: int
    currency: str
    dispute_id: str | None = None
    network_code: str | None = None
    closed_reason: str | None = None  # accepted | expired | defended | withdrawn
    code: str = ""  # why it was refused
    notice_id: str | None = None  # of a notice over HTTP
    action: str | None = None  # of an answer by mailbox: what was asked
    # ISO, business time at the provider: the due date counts from it, and a batch takes it by it.
    occurred_at: str | None = None


class DisputeDue(Struct):
    """The gateway's timer, business time: the last moment to answer was a day ago. `is_last`: the
    provider has had its time to tell what came of it, on the clock of the wire."""

    dispute_id: str
    stage: str
    is_last: bool = False


class DisputeWait(Struct):
    """The gateway's timer: who asked has waited for the provider for as long as people wait."""

    dispute_id: str


class ParkedFactDue(Struct):
    """The gateway's timer: a fact about a charge that was not known, or not captured yet."""

    key: str


class SendDisputeNotice(Struct, forbid_unknown_fields=True):
    """A provider's errand: post this notice of a dispute, or of suspected fraud. Its id is
    that of the notice."""

    notice: DisputeFact
    notice_id: str
    merchant_id: str
    original: str | None  # the provider's reference of the disputed charge
    at_ms: int  # business time of the fact
    correlation_id: str


class CardholderDisputes(Struct):
    """A provider's timer: the holder of a test card disputes what was captured of this charge."""

    authorization: str


class IssuerWarns(Struct):
    """A provider's timer: the issuer of a test card suspects this charge."""

    authorization: str


class IssuerRules(Struct):
    """A provider's timer: a dispute's time to be answered, or to be looked at, is over."""

    reference: str
    stage: str
    is_answered: bool


KINDS = (
    asked("dispute.create", "frontdoor", CreateDispute),
    asked("dispute.evidence", "frontdoor", AddEvidence),
    asked("dispute.submit", "frontdoor", SubmitDispute),
    asked("dispute.accept", "frontdoor", AcceptDispute),
    asked("dispute.resolve", "frontdoor", RuleDispute),
    asked("dispute.notice", "frontdoor", DisputeFact),
    kind("dispute.call", "gateway", DisputeCall),
    kind("dispute.fact", ANY_PROVIDER, DisputeFact),
    kind("dispute.due", TIMER, DisputeDue),
    kind("dispute.wait", TIMER, DisputeWait),
    kind("dispute.parked", TIMER, ParkedFactDue),
    kind("dispute.born", TIMER, CardholderDisputes),
    kind("dispute.ruling", TIMER, IssuerRules),
    kind("fraud.warned", TIMER, IssuerWarns),
)
