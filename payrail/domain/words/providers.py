"""What is said to a provider and by it: calls, asks, outcomes, drills."""

from typing import Any

from msgspec import Struct

from payrail.domain.fault_rules import FaultRule
from payrail.domain.words.kinds import ANY_PROVIDER, ERRAND, HAND, TIMER, asked, kind

#: Why a refund failed that had succeeded: the cardholder's bank did not take it.
SENT_BACK = "refund_sent_back"


class ClaimHold(Struct, forbid_unknown_fields=True):
    """Gateway to provider: capture. `authorization` is the reference of the approved charge."""

    payment_id: str
    reference: str
    merchant_id: str
    authorization: str
    amount: int
    currency: str
    operation_id: str  # cap_…
    fault: FaultRule | None = None  # what the request wants to go wrong with this call


class ReverseHold(Struct, forbid_unknown_fields=True):
    payment_id: str
    reference: str
    merchant_id: str
    authorization: str
    amount: int
    currency: str
    operation_id: str
    fault: FaultRule | None = None


class RefundCapture(Struct, forbid_unknown_fields=True):
    """Gateway to provider: pay back, out of what was captured of this charge."""

    payment_id: str
    reference: str
    merchant_id: str
    authorization: str
    amount: int
    currency: str
    operation_id: str  # re_…
    fault: FaultRule | None = None


class Ask(Struct, forbid_unknown_fields=True):
    """Gateway to provider: what became of this reference? Asking about one never seen fences it."""

    payment_id: str
    reference: str
    operation: str  # authorize | capture | refund | reverse
    number: int  # which ask of this reference, from 1


class Action(Struct, frozen=True, forbid_unknown_fields=True):
    """What a provider wants the cardholder to do before it charges."""

    id: str
    expires_at: str  # ISO, business time


class Outcome(Struct, forbid_unknown_fields=True):
    """Provider to gateway, both for an operation and for an ask.

    `result`: approved | declined | refused (safe: not processed) | ambiguous | pending | fenced |
    requires_action, the last with its `action`.
    """

    payment_id: str
    reference: str
    operation: str
    result: str
    code: str  # "approved", a decline code, or why it was refused
    provider: str
    provider_reference: str | None
    amount: int
    currency: str
    asked: bool = False
    action: Action | None = None

    @property
    def is_sent_back(self) -> bool:
        """Whether it is about a refund that was paid and then sent back. Only what was paid has a
        name at its provider: a drill that declines with the same code moved no money."""
        return self.code == SENT_BACK and self.provider_reference is not None


class InjectFault(Struct, forbid_unknown_fields=True):
    """A drill: a fault rule that the provider has yet to judge; `rule` as its JSON."""

    rule: dict[str, Any]
    user_id: str = HAND


class ClearFaults(Struct, forbid_unknown_fields=True):
    user_id: str = HAND


class TakeUp(Struct):
    """A provider's timer: a slow charge is taken up now."""

    reference: str


class ProviderCall(Struct, forbid_unknown_fields=True):
    """The inner door to a provider: a call for money from outside of the house. A card in it is
    sealed. What is left out is that of the call named by `authorization` or `capture_of`."""

    operation: str  # authorize | capture | refund | reverse
    reference: str
    amount: int
    currency: str | None = None
    payment_id: str | None = None
    merchant_id: str | None = None
    operation_id: str | None = None
    sealed: str | None = None
    token: str | None = None
    capture: bool = False  # of a charge: capture at once
    authenticated: str | None = None  # of a charge: the action that its cardholder passed
    authorization: str | None = None  # reference of the charge
    capture_of: str | None = None  # reference of a capture, in its place
    fault: FaultRule | None = None  # what is to go wrong with it


class StatusOf(Struct, forbid_unknown_fields=True):
    """What became of a reference; unlike an ask, it fences nothing."""

    reference: str


class ShowProvider(Struct, forbid_unknown_fields=True):
    """How a provider is, in a few numbers."""


class ListFaults(Struct, forbid_unknown_fields=True):
    """The fault rules in force, with what is left of each."""


class ListBatches(Struct, forbid_unknown_fields=True):
    """The batches that a provider closed on a date of its zone."""

    date: str  # YYYY-MM-DD


class OpenDispute(Struct, forbid_unknown_fields=True):
    """A cardholder disputes a captured charge; `reference` is the asker's name for the dispute."""

    reference: str
    authorization: str
    reason: str
    amount: int | None = None  # None: all that was captured
    stage: str = "chargeback"


class ResolveDispute(Struct, forbid_unknown_fields=True):
    reference: str
    outcome: str  # won | lost


class ProviderNotice(Struct, forbid_unknown_fields=True):
    """A provider's notice over HTTP, checked and put into our words by the front door."""

    provider: str  # providerA
    notice_id: str
    reference: str
    operation: str
    operation_id: str
    result: str  # approved | declined
    code: str
    provider_reference: str | None
    amount: int
    currency: str


class SendNotice(Struct, forbid_unknown_fields=True):
    """A provider's errand: post this notice."""

    notice: ProviderNotice
    merchant_id: str
    original: str | None  # the provider's reference of the charge that it is about
    at_ms: int  # business time of the fact
    correlation_id: str


class NoticePosted(Struct):
    """What came of an errand: the status, 0 when nobody answered."""

    id: str
    status: int


class NoticeDue(Struct):
    """A provider's timer: post this notice now."""

    id: str


class ReplyDue(Struct):
    """A provider's timer: the reply that a drill let its notice overtake."""

    reference: str


class SentBackDue(Struct):
    """A provider's timer: the cardholder's bank sends this refund back."""

    reference: str


class ParkedNoticeDue(Struct):
    """The gateway's timer: a parked notice can be applied now, or never will be."""

    reference: str
    provider: str


KINDS = (
    kind("capture", "gateway", ClaimHold),
    kind("reverse", "gateway", ReverseHold),
    kind("ask", "gateway", Ask),
    kind("outcome", ANY_PROVIDER, Outcome),
    kind("refund", "gateway", RefundCapture),
    kind("charge.take_up", TIMER, TakeUp),
    kind("reply.due", TIMER, ReplyDue),
    kind("refund.sent_back", TIMER, SentBackDue),
    kind("notice.due", TIMER, NoticeDue),
    kind("notice.taken", ERRAND, NoticePosted),
    kind("notice.failed", ERRAND, NoticePosted),
    kind("notice.parked", TIMER, ParkedNoticeDue),
    asked("provider.notice", "frontdoor", ProviderNotice),
    asked("provider.call", "frontdoor", ProviderCall),
    asked("provider.status", "frontdoor", StatusOf),
    asked("provider.show", "frontdoor", ShowProvider),
    asked("provider.batches", "frontdoor", ListBatches),
    asked("provider.dispute", "frontdoor", OpenDispute),
    asked("provider.dispute_resolve", "frontdoor", ResolveDispute),
    asked("fault.list", "frontdoor", ListFaults),
    asked("fault.inject", "frontdoor", InjectFault, by_hand=True),
    asked("fault.clear", "frontdoor", ClearFaults, by_hand=True),
)
