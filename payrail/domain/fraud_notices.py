"""Notices of suspected fraud in the shapes that our two providers write, and back again.

An issuer suspects a charge: no dispute, and no money moves. `providerA` writes a warning and its
event as Stripe does, `providerB` an item as Adyen does; what neither has a field for stands in the
metadata. The signatures are in `payrail.security.notices`. Never: reads a clock.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from payrail.domain.dispute_notices import ClaimItem, Time, amount_of, claim_fields, time_of
from payrail.domain.notices import (
    Amount,
    Code,
    Id,
    LowerCurrency,
    NoticeUnread,
    event_about,
    shaped,
)
from payrail.domain.words.disputes import WARNED, DisputeFact, SendDisputeNotice

#: providerA's type of event, and providerB's event code.
A_TYPE, B_CODE = "radar.early_fraud_warning.created", "NOTIFICATION_OF_FRAUD"
A_TYPES, B_CODES = (A_TYPE,), (B_CODE,)


class _Metadata(Struct):
    reference: Id
    payment_id: Id
    amount: Amount
    currency: LowerCurrency
    occurred_at: Time


class _Warning(Struct):
    id: Id
    fraud_type: Code
    metadata: _Metadata


class _Data(Struct):
    object: _Warning


class _Event(Struct):
    id: Id
    type: str
    data: _Data


class _More(Struct):
    noticeId: Id
    hmacSignature: str
    fraudType: Code
    occurredAt: Time
    paymentId: Id


class FraudItem(ClaimItem):
    """And what is read again of suspected fraud."""

    additionalData: _More


def event_body(sent: SendDisputeNotice) -> bytes:
    """`sent` as providerA writes it."""
    told, created = sent.notice, sent.at_ms // 1000
    warning = {
        "id": told.provider_reference,
        "object": "radar.early_fraud_warning",
        "actionable": True,
        "charge": sent.original,
        "created": created,
        "fraud_type": told.reason,
        "livemode": False,
        "metadata": {
            "reference": told.authorization,
            "payment_id": told.payment_id,
            "amount": told.amount,
            "currency": told.currency.lower(),
            "occurred_at": told.occurred_at,
        },
    }
    return event_about(warning, sent.notice_id, A_TYPE, sent.at_ms)


def read_event(fields: Any, provider: str) -> DisputeFact:
    """What an event of providerA says about suspected fraud. Raises NoticeUnread."""
    event: _Event = shaped(_Event, fields)
    warning = event.data.object
    more = warning.metadata
    return DisputeFact(
        provider=provider,
        payment_id=more.payment_id,
        authorization=more.reference,
        provider_reference=warning.id,
        fact=WARNED,
        stage="",
        reason=warning.fraud_type,
        amount=amount_of(more.amount),
        currency=more.currency.upper(),
        notice_id=event.id,
        occurred_at=time_of(more.occurred_at),
    )


def item_fields(sent: SendDisputeNotice, wall_ms: int) -> dict[str, Any]:
    """`sent` as providerB's item, unsigned yet. `eventDate` is the time of signing."""
    told = sent.notice
    more = {
        "noticeId": sent.notice_id,
        "fraudType": told.reason,
        "occurredAt": told.occurred_at,
        "paymentId": told.payment_id,
    }
    return claim_fields(sent, wall_ms, B_CODE, more)


def item_of(fields: Mapping[str, Any]) -> FraudItem:
    """One item in its shape. Raises NoticeUnread."""
    item: FraudItem = shaped(FraudItem, fields)
    return item


def read_item(item: FraudItem, provider: str) -> DisputeFact:
    """What an item says about suspected fraud. Raises NoticeUnread."""
    if item.success != "true":
        raise NoticeUnread("success: is not known here")
    more = item.additionalData
    return DisputeFact(
        provider=provider,
        payment_id=more.paymentId,
        authorization=item.merchantReference,
        provider_reference=item.pspReference,
        fact=WARNED,
        stage="",
        reason=more.fraudType,
        amount=amount_of(item.amount.value),
        currency=item.amount.currency,
        notice_id=more.noticeId,
        occurred_at=time_of(more.occurredAt),
    )
