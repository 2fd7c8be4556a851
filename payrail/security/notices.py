"""Signatures of notices: each provider has a scheme of its own, and one key that both ends derive.

    providerA   Stripe-Signature: t=<s>,v1=<hex HMAC-SHA256 of "t.body">
    providerB   additionalData.hmacSignature of the item (eight values, base64), and a header
                HmacSignature over the raw body, so that its eventDate is covered too

A notice is refused in this order: its signature (401), its shape (400), its age (400). Signatures
are compared in constant time, over the bytes as they came. Never: writes a key anywhere.
"""

import base64
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from payrail.domain import dispute_notices, fraud_notices, notices
from payrail.domain.dispute_notices import DisputeItem
from payrail.domain.fraud_notices import FraudItem
from payrail.domain.notices import Item, NoticeUnread, item_body, signed_words
from payrail.domain.timestamps import parse_iso
from payrail.domain.words.disputes import WARNED, DisputeFact, SendDisputeNotice
from payrail.domain.words.providers import ProviderNotice, SendNotice
from payrail.errors import MalformedJson, RequestError
from payrail.storage import strict

#: How far a notice's time may be from ours, both ways. Source: Standard Webhooks, Stripe: 5 min.
TOLERANCE_MS = 300_000
STRIPE_HEADER, ADYEN_HEADER = "Stripe-Signature", "HmacSignature"
PROVIDER_HEADER = "X-PayRail-Provider"
#: Of a header with more signatures than a rotation needs, only the first ones are compared.
_SIGNATURES_MAX = 4
_HEADER_CHARACTERS_MAX = 1_000
_TIME = re.compile(r"t=([0-9]{1,12})", re.ASCII)
_V1 = re.compile(r"v1=([0-9a-f]{64})", re.ASCII)
_DEPTH_MAX = 8

T = TypeVar("T")
Signed = tuple[bytes, dict[str, str]]
#: What providers tell of: the end of a call, a dispute, or suspected fraud.
Sent = SendNotice | SendDisputeNotice
Told = ProviderNotice | DisputeFact


@dataclass(frozen=True, slots=True)
class Scheme:
    """How one provider signs, and how that is checked."""

    sign: Callable[[Sent, str, int], Signed]
    read: Callable[[str, bytes, Mapping[str, str], str, int], Told]


def notice_key(house_secret: bytes, provider: str, version: int = 1) -> str:
    """The key of `provider`'s notices as 64 hex digits; both ends derive it."""
    return hmac.digest(
        house_secret, f"payrail/notice/1|notice:{provider}|{version}".encode(), "sha256"
    ).hex()


def signed(sent: Sent, key: str, wall_ms: int) -> Signed:
    """(body, headers) of a notice, signed as of now."""
    body, headers = SCHEMES[sent.notice.provider].sign(sent, key, wall_ms)
    headers |= {"Content-Type": "application/json", PROVIDER_HEADER: sent.notice.provider}
    return body, headers


def checked(provider: str, body: bytes, headers: Mapping[str, str], key: str, wall_ms: int) -> Told:
    """The facts of a genuine and fresh notice. Raises RequestError 401 or 400, without a word of
    what was sent."""
    return SCHEMES[provider].read(provider, body, headers, key, wall_ms)


def stripe_signature(key: str, time_s: int, body: bytes) -> str:
    """`v1` of a Stripe-Signature; the text of the secret is the key."""
    return hmac.digest(key.encode(), b"%d.%b" % (time_s, body), "sha256").hex()


def adyen_signature(key: str, text: bytes) -> str:
    """Base64 of an HMAC whose key is written in hex."""
    return base64.b64encode(hmac.digest(bytes.fromhex(key), text, "sha256")).decode()


def _sign_event(sent: Sent, key: str, wall_ms: int) -> Signed:
    time_s = wall_ms // 1000
    body = _event_body(sent)
    return body, {STRIPE_HEADER: f"t={time_s},v1={stripe_signature(key, time_s, body)}"}


def _event_body(sent: Sent) -> bytes:
    if isinstance(sent, SendNotice):
        return notices.event_body(sent)
    if sent.notice.fact == WARNED:
        return fraud_notices.event_body(sent)
    return dispute_notices.event_body(sent)


def _read_event(
    provider: str, body: bytes, headers: Mapping[str, str], key: str, wall_ms: int
) -> Told:
    time_s, given = _parts(headers.get(STRIPE_HEADER, ""))
    if not _is_among(stripe_signature(key, time_s, body), given):
        raise _unsigned(STRIPE_HEADER)
    notice = _read(lambda: _event(_parsed(body), provider))
    _must_be_fresh(time_s * 1000, wall_ms)
    return notice


def _event(fields: Any, provider: str) -> Told:
    type_ = fields.get("type") if isinstance(fields, dict) else None
    if isinstance(type_, str) and type_.startswith(dispute_notices.A_PREFIX):
        return dispute_notices.read_event(fields, provider)
    if type_ in fraud_notices.A_TYPES:
        return fraud_notices.read_event(fields, provider)
    return notices.read_event(fields, provider)


def _parts(header: str) -> tuple[int, Sequence[str]]:
    """Time and signatures of a Stripe-Signature. Raises RequestError 401 when it has no time."""
    parts = header[:_HEADER_CHARACTERS_MAX].split(",")
    times = [found[1] for part in parts if (found := _TIME.fullmatch(part))]
    given = [found[1] for part in parts if (found := _V1.fullmatch(part))]
    if len(times) != 1 or not given:
        raise _unsigned(STRIPE_HEADER)
    return int(times[0]), given[:_SIGNATURES_MAX]


def _sign_item(sent: Sent, key: str, wall_ms: int) -> Signed:
    fields = _item_fields(sent, wall_ms)
    fields["additionalData"]["hmacSignature"] = adyen_signature(key, signed_words(fields).encode())
    body = item_body(fields)
    return body, {ADYEN_HEADER: adyen_signature(key, body)}


def _item_fields(sent: Sent, wall_ms: int) -> dict[str, Any]:
    if isinstance(sent, SendNotice):
        return notices.item_fields(sent, wall_ms)
    if sent.notice.fact == WARNED:
        return fraud_notices.item_fields(sent, wall_ms)
    return dispute_notices.item_fields(sent, wall_ms)


def _read_item(
    provider: str, body: bytes, headers: Mapping[str, str], key: str, wall_ms: int
) -> Told:
    if not _is_among(adyen_signature(key, body), [headers.get(ADYEN_HEADER, "")]):
        raise _unsigned(ADYEN_HEADER)
    item = _read(lambda: _item(notices.item_of(_parsed(body))))
    words = signed_words(msgspec.to_builtins(item)).encode()
    if not _is_among(adyen_signature(key, words), [item.additionalData.hmacSignature]):
        raise _unsigned("additionalData.hmacSignature")
    notice = _read(lambda: _told_by(item, provider))
    _must_be_fresh(_read(lambda: parse_iso(item.eventDate)), wall_ms)
    return notice


def _item(fields: dict[str, Any]) -> Item | DisputeItem | FraudItem:
    code = fields.get("eventCode")
    if isinstance(code, str) and code in dispute_notices.B_CODES:
        return dispute_notices.item_of(fields)
    if code in fraud_notices.B_CODES:
        return fraud_notices.item_of(fields)
    return notices.call_item_of(fields)


def _told_by(item: Item | DisputeItem | FraudItem, provider: str) -> Told:
    if isinstance(item, DisputeItem):
        return dispute_notices.read_item(item, provider)
    if isinstance(item, FraudItem):
        return fraud_notices.read_item(item, provider)
    return notices.read_item(item, provider)


def _is_among(made: str, given: Sequence[str]) -> bool:
    """Whether one of the given signatures is ours; each is compared in constant time."""
    ours = made.encode()
    found = [hmac.compare_digest(ours, one.encode("utf-8", "surrogateescape")) for one in given]
    return any(found)


def _parsed(body: bytes) -> object:
    return strict.parse(body, depth_max=_DEPTH_MAX)


def _read(reading: Callable[[], T]) -> T:
    """What `reading` gives. Raises RequestError 400 for bytes that are signed, and no notice."""
    try:
        return reading()
    except MalformedJson as error:
        raise RequestError(400, "malformed-json", str(error)) from None
    except NoticeUnread as error:
        raise RequestError(400, "malformed-notice", str(error)) from None
    except (ValueError, OverflowError):
        raise RequestError(400, "malformed-notice", "eventDate: is not a time in UTC") from None


def _must_be_fresh(time_ms: int, wall_ms: int) -> None:
    if abs(wall_ms - time_ms) > TOLERANCE_MS:
        raise RequestError(
            400,
            "timestamp-out-of-tolerance",
            f"This was signed more than {TOLERANCE_MS // 1000} s from now; set the clock, and sign"
            " it anew for each try.",
        )


def _unsigned(where: str) -> RequestError:
    return RequestError(
        401,
        "signature-invalid",
        f"{where} does not sign these bytes with this provider's key; sign the body as it is sent.",
    )


SCHEMES = {
    "providerA": Scheme(_sign_event, _read_event),
    "providerB": Scheme(_sign_item, _read_item),
}
