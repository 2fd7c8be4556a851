"""Notices: what a provider posts of its own accord, in the shapes that our two providers write.

`providerA` writes an event as Stripe does, `providerB` an item as Adyen does; both tell the same
facts, and `read_event` and `read_item` get them back. The signatures are in
`payrail.security.notices`. Never: reads a clock, or tells anything of a card but its last word.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from payrail.domain.money import AMOUNT_MINOR_MAX
from payrail.domain.timestamps import iso
from payrail.domain.words.providers import ProviderNotice, SendNotice

APPROVED, DECLINED = "approved", "declined"

# operation -> type of providerA's event when it went well, and when it did not.
_TYPES = {
    "authorize": ("charge.succeeded", "charge.failed"),
    "capture": ("charge.captured", "charge.capture_failed"),
    "refund": ("charge.refunded", "charge.refund_failed"),
    "reverse": ("charge.canceled", "charge.cancel_failed"),
}
_MEANING = {
    text: (operation, result)
    for operation, texts in _TYPES.items()
    for text, result in zip(texts, (APPROVED, DECLINED), strict=True)
}
# operation -> providerB's event code.
_CODES = {
    "authorize": "AUTHORISATION",
    "capture": "CAPTURE",
    "refund": "REFUND",
    "reverse": "CANCELLATION",
}
_OPERATIONS = {code: operation for operation, code in _CODES.items()}

#: Who wrote a notice is known by its signature; how long its words are is not.
Id = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.:-]{1,80}$")]
Code = Annotated[str, Meta(pattern=r"^[a-z0-9_]{1,40}$")]
Amount = Annotated[int, Meta(ge=0, le=AMOUNT_MINOR_MAX)]
#: A currency as providerA writes it.
LowerCurrency = Annotated[str, Meta(pattern=r"^[a-z]{3}$")]


class NoticeUnread(ValueError):
    """A body that is no notice of this provider. Names the place, never what stands there."""


class _Charge(Struct):
    reference: Id
    operation_id: Id
    amount: Amount
    currency: LowerCurrency
    id: Id | None = None
    failure_code: Code | None = None


class _Data(Struct):
    object: _Charge


class _Event(Struct):
    id: Id
    type: str
    data: _Data


class Money(Struct):
    """An amount of providerB."""

    value: Amount
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$")]


class _More(Struct):
    noticeId: Id
    operationId: Id
    hmacSignature: str


class Item(Struct):
    """Of providerB's item: what is read again, and what its signature covers."""

    eventCode: str
    success: str
    eventDate: str
    pspReference: Annotated[str, Meta(max_length=80)]
    originalReference: Annotated[str, Meta(max_length=80)]
    merchantAccountCode: Annotated[str, Meta(max_length=80)]
    merchantReference: Id
    amount: Money
    additionalData: _More
    reason: Code | None = None


class _Wrapped(Struct):
    NotificationRequestItem: dict[str, Any]


class _Notification(Struct):
    notificationItems: Annotated[list[_Wrapped], Meta(min_length=1, max_length=1)]


def event_body(sent: SendNotice) -> bytes:
    """`sent` as providerA writes it."""
    told = sent.notice
    went_well = told.result == APPROVED
    charge = {
        "id": told.provider_reference,
        "object": "charge",
        "reference": told.reference,
        "operation_id": told.operation_id,
        "amount": told.amount,
        "currency": told.currency.lower(),
        "status": "succeeded" if went_well else "failed",
        "failure_code": None if went_well else told.code,
        "original": sent.original,
    }
    return event_about(
        charge, told.notice_id, _TYPES[told.operation][0 if went_well else 1], sent.at_ms
    )


def event_about(told: Mapping[str, Any], event_id: str, type_: str, at_ms: int) -> bytes:
    """The event in which providerA tells of an object."""
    return msgspec.json.encode(
        {
            "id": event_id,
            "object": "event",
            "type": type_,
            "created": at_ms // 1000,
            "livemode": False,
            "data": {"object": told},
        }
    )


def read_event(fields: Any, provider: str) -> ProviderNotice:
    """What an event of providerA says. Raises NoticeUnread."""
    event = shaped(_Event, fields)
    if event.type not in _MEANING:
        raise NoticeUnread("type: is not known here")
    operation, result = _MEANING[event.type]
    charge = event.data.object
    return _notice(
        provider,
        event.id,
        operation,
        result == APPROVED,
        charge.failure_code,
        reference=charge.reference,
        operation_id=charge.operation_id,
        provider_reference=charge.id,
        amount=charge.amount,
        currency=charge.currency.upper(),
    )


def item_fields(sent: SendNotice, wall_ms: int) -> dict[str, Any]:
    """`sent` as providerB's item, unsigned yet. `eventDate` is the time of signing: a notice that
    had to wait is as fresh as one that had not."""
    told = sent.notice
    went_well = told.result == APPROVED
    return {
        "eventCode": _CODES[told.operation],
        "success": "true" if went_well else "false",
        "eventDate": iso(wall_ms),
        "pspReference": told.provider_reference or told.notice_id,
        "originalReference": sent.original or "",
        "merchantAccountCode": sent.merchant_id,
        "merchantReference": told.reference,
        "amount": {"value": told.amount, "currency": told.currency},
        "reason": None if went_well else told.code,
        "additionalData": {"noticeId": told.notice_id, "operationId": told.operation_id},
    }


def item_body(fields: Mapping[str, Any]) -> bytes:
    """A signed item as the body that carries it."""
    items = [{"NotificationRequestItem": fields}]
    return msgspec.json.encode({"live": "false", "notificationItems": items})


def item_of(fields: Any) -> dict[str, Any]:
    """The one item of a body of providerB, whatever it tells of. Raises NoticeUnread."""
    found: _Notification = shaped(_Notification, fields)
    return found.notificationItems[0].NotificationRequestItem


def call_item_of(fields: Mapping[str, Any]) -> Item:
    """The item of a call. Raises NoticeUnread."""
    item: Item = shaped(Item, fields)
    return item


def read_item(item: Item, provider: str) -> ProviderNotice:
    """What an item says. Raises NoticeUnread."""
    if item.eventCode not in _OPERATIONS or item.success not in ("true", "false"):
        raise NoticeUnread("eventCode, success: are not known here")
    went_well = item.success == "true"
    named = item.pspReference != item.additionalData.noticeId  # else nothing has a name there
    return _notice(
        provider,
        item.additionalData.noticeId,
        _OPERATIONS[item.eventCode],
        went_well,
        item.reason,
        reference=item.merchantReference,
        operation_id=item.additionalData.operationId,
        provider_reference=item.pspReference if went_well or named else None,
        amount=item.amount.value,
        currency=item.amount.currency,
    )


def signed_words(item: Mapping[str, Any]) -> str:
    """What Adyen's signature of an item covers: eight values, joined by colons."""
    values = (
        item["pspReference"],
        item["originalReference"],
        item["merchantAccountCode"],
        item["merchantReference"],
        item["amount"]["value"],
        item["amount"]["currency"],
        item["eventCode"],
        item["success"],
    )
    return ":".join(str(value).replace("\\", "\\\\").replace(":", "\\:") for value in values)


def _notice(
    provider: str, notice_id: str, operation: str, went_well: bool, code: str | None, **more: Any
) -> ProviderNotice:
    return ProviderNotice(
        provider=provider,
        notice_id=notice_id,
        operation=operation,
        result=APPROVED if went_well else DECLINED,
        code=APPROVED if went_well else code or "generic_decline",
        **more,
    )


def shaped(shape: Any, fields: Any) -> Any:
    """`fields` in this shape. The decoder's words may quote what they are about: only the place
    is told."""
    try:
        return msgspec.convert(fields, shape)
    except msgspec.ValidationError as error:
        place = str(error).rpartition(" - at `")[2].rstrip("`")
    raise NoticeUnread(f"{place if place.startswith('$') else '$'}: is not what it must be")
