"""Notices of disputes in the shapes that our two providers write, and back again.

`providerA` writes a dispute and its events as Stripe does, `providerB` an item with an event code
as Adyen does. A fact of ours that no event code of theirs tells apart stands in the item's reason
or the dispute's status. The signatures are in `payrail.security.notices`.
Never: reads a clock.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Meta, Struct

from payrail.domain.notices import (
    Amount,
    Code,
    Id,
    LowerCurrency,
    Money,
    NoticeUnread,
    event_about,
    shaped,
)
from payrail.domain.timestamps import iso, parse_iso
from payrail.domain.words.disputes import DisputeFact, SendDisputeNotice

INQUIRY, PRE_ARBITRATION = "inquiry", "pre_arbitration"
#: How the type of each event of providerA about a dispute begins.
A_PREFIX = "charge.dispute."
# (fact, whether it is an inquiry) -> type of providerA's event, and status of its dispute.
_TYPES = {
    ("opened", False): ("charge.dispute.created", "needs_response"),
    ("opened", True): ("charge.dispute.created", "warning_needs_response"),
    ("submitted", False): ("charge.dispute.updated", "under_review"),
    ("submitted", True): ("charge.dispute.updated", "warning_under_review"),
    ("won", False): ("charge.dispute.funds_reinstated", "won"),
    ("lost", False): ("charge.dispute.closed", "lost"),
    ("closed", True): ("charge.dispute.closed", "warning_closed"),
}
_BY_TYPE = {texts: fact for (fact, _), texts in _TYPES.items()}
# The same -> providerB's event code.
_CODES = {
    ("opened", False): "CHARGEBACK",
    ("opened", True): "REQUEST_FOR_INFORMATION",
    ("submitted", False): "INFORMATION_SUPPLIED",
    ("submitted", True): "INFORMATION_SUPPLIED",
    ("won", False): "CHARGEBACK_REVERSED",
    ("lost", False): "DISPUTE_LOST",
    ("closed", True): "REQUEST_FOR_INFORMATION_CLOSED",
}
_SECOND = "SECOND_CHARGEBACK"
_BY_CODE = {code: fact for (fact, _), code in _CODES.items()} | {_SECOND: "lost"}
#: Event codes of providerB that are about a dispute.
B_CODES = frozenset(_BY_CODE)

_Stage = Annotated[str, Meta(pattern=r"^(inquiry|chargeback|pre_arbitration)$")]
_Why = Annotated[str, Meta(pattern=r"^(accepted|expired|defended|withdrawn)$")]
Time = Annotated[str, Meta(max_length=32)]


class _Metadata(Struct):
    reference: Id
    stage: _Stage
    occurred_at: Time
    payment_id: Id
    dispute_id: Id | None = None
    closed_reason: _Why | None = None


class _Dispute(Struct):
    id: Id
    amount: Amount
    currency: LowerCurrency
    reason: Code
    status: str
    metadata: _Metadata
    network_reason_code: Id | None = None


class _Data(Struct):
    object: _Dispute


class _Event(Struct):
    id: Id
    type: str
    data: _Data


class _More(Struct):
    noticeId: Id
    hmacSignature: str
    disputeReference: Id
    disputeStage: _Stage
    disputeReason: Code
    occurredAt: Time
    paymentId: Id
    ourDisputeId: Id | None = None
    closedReason: _Why | None = None
    chargebackReasonCode: Id | None = None


class ClaimItem(Struct):
    """Of providerB's item about a charge: what its signature covers."""

    eventCode: str
    success: str
    eventDate: str
    pspReference: Id
    originalReference: Annotated[str, Meta(max_length=80)]
    merchantAccountCode: Annotated[str, Meta(max_length=80)]
    merchantReference: Id
    amount: Money


class DisputeItem(ClaimItem):
    """And what is read again of a dispute."""

    additionalData: _More


def event_body(sent: SendDisputeNotice) -> bytes:
    """`sent` as providerA writes it."""
    told = sent.notice
    type_, status = _TYPES[told.fact, told.stage == INQUIRY]
    dispute = {
        "id": told.provider_reference,
        "object": "dispute",
        "charge": sent.original,
        "amount": told.amount,
        "currency": told.currency.lower(),
        "reason": told.reason,
        "status": status,
        "network_reason_code": told.network_code,
        "metadata": {
            "reference": told.authorization,
            "stage": told.stage,
            "occurred_at": told.occurred_at,
            "payment_id": told.payment_id,
            "dispute_id": told.dispute_id,
            "closed_reason": told.closed_reason,
        },
    }
    return event_about(dispute, sent.notice_id, type_, sent.at_ms)


def read_event(fields: Any, provider: str) -> DisputeFact:
    """What an event of providerA says about a dispute. Raises NoticeUnread."""
    event: _Event = shaped(_Event, fields)
    dispute = event.data.object
    more = dispute.metadata
    fact = _BY_TYPE.get((event.type, dispute.status))
    if fact is None or dispute.status.startswith("warning") is not (more.stage == INQUIRY):
        raise NoticeUnread("type, status: are not known here together")
    return DisputeFact(
        provider=provider,
        payment_id=more.payment_id,
        authorization=more.reference,
        provider_reference=dispute.id,
        fact=fact,
        stage=more.stage,
        reason=dispute.reason,
        amount=amount_of(dispute.amount),
        currency=dispute.currency.upper(),
        dispute_id=more.dispute_id,
        network_code=dispute.network_reason_code,
        closed_reason=more.closed_reason,
        notice_id=event.id,
        occurred_at=time_of(more.occurred_at),
    )


def item_fields(sent: SendDisputeNotice, wall_ms: int) -> dict[str, Any]:
    """`sent` as providerB's item, unsigned yet. `eventDate` is the time of signing."""
    told = sent.notice
    second = told.stage == PRE_ARBITRATION and told.fact == "lost"
    more = {
        "noticeId": sent.notice_id,
        "disputeReference": told.provider_reference,
        "disputeStage": told.stage,
        "disputeReason": told.reason,
        "occurredAt": told.occurred_at,
        "paymentId": told.payment_id,
        "ourDisputeId": told.dispute_id,
        "closedReason": told.closed_reason,
        "chargebackReasonCode": told.network_code,
    }
    code = _SECOND if second else _CODES[told.fact, told.stage == INQUIRY]
    return claim_fields(sent, wall_ms, code, more)


def claim_fields(
    sent: SendDisputeNotice, wall_ms: int, code: str, more: Mapping[str, str | None]
) -> dict[str, Any]:
    """An item about a charge, with what is told of it besides; None is left out."""
    told = sent.notice
    return {
        "eventCode": code,
        "success": "true",
        "eventDate": iso(wall_ms),
        "pspReference": told.provider_reference,
        "originalReference": sent.original or "",
        "merchantAccountCode": sent.merchant_id,
        "merchantReference": told.authorization,
        "amount": {"value": told.amount, "currency": told.currency},
        "additionalData": {name: text for name, text in more.items() if text is not None},
    }


def item_of(fields: Mapping[str, Any]) -> DisputeItem:
    """One item in its shape. Raises NoticeUnread."""
    item: DisputeItem = shaped(DisputeItem, fields)
    return item


def read_item(item: DisputeItem, provider: str) -> DisputeFact:
    """What an item says about a dispute. Raises NoticeUnread."""
    more, fact = item.additionalData, _BY_CODE.get(item.eventCode)
    is_inquiry = item.eventCode.startswith("REQUEST")
    if fact is None or (is_inquiry and more.disputeStage != INQUIRY):
        raise NoticeUnread("eventCode, disputeStage: are not known here together")
    return DisputeFact(
        provider=provider,
        payment_id=more.paymentId,
        authorization=item.merchantReference,
        provider_reference=more.disputeReference,
        fact=fact,
        stage=more.disputeStage,
        reason=more.disputeReason,
        amount=amount_of(item.amount.value),
        currency=item.amount.currency,
        dispute_id=more.ourDisputeId,
        network_code=more.chargebackReasonCode,
        closed_reason=more.closedReason,
        notice_id=more.noticeId,
        occurred_at=time_of(more.occurredAt),
    )


def amount_of(minor: int) -> int:
    """Nobody disputes nothing. Raises NoticeUnread."""
    if minor < 1:
        raise NoticeUnread("amount: must be at least 1")
    return minor


def time_of(text: str) -> str:
    """Raises NoticeUnread."""
    try:
        return iso(parse_iso(text))
    except (ValueError, OverflowError):
        raise NoticeUnread("occurred_at: is not a time in UTC") from None
