"""What people ask for about refunds, and the gateway's own timer for those that nobody approves."""

from msgspec import Struct

from payrail.domain.words.kinds import TIMER, asked, kind
from payrail.domain.words.payments import Command


class CreateRefund(Command, kw_only=True):
    """Pay back a part of what was captured, in minor units; a second person has to approve it."""

    payment_intent: str
    amount: int
    reason: str


class ApproveRefund(Command, kw_only=True):
    """The second person says yes: the refund leaves for the provider."""

    id: str


class RejectRefund(Command, kw_only=True):
    """The second person says no."""

    id: str
    reason: str


class RefundExpiry(Struct):
    """The gateway's timer: nobody approved the refund in time."""

    refund_id: str


KINDS = (
    asked("refund.create", "frontdoor", CreateRefund),
    asked("refund.approve", "frontdoor", ApproveRefund),
    asked("refund.reject", "frontdoor", RejectRefund),
    kind("refund.expiry", TIMER, RefundExpiry),
)
