"""Providers' notices as bytes: their shapes, their signatures, and what is refused of them."""

import base64

import msgspec
import pytest

from payrail.domain.notices import signed_words
from payrail.errors import RequestError
from payrail.security.notices import (
    STRIPE_HEADER,
    TOLERANCE_MS,
    adyen_signature,
    checked,
    notice_key,
    signed,
    stripe_signature,
)
from tests.rules.noticed import HEADERS, HOUSE, KEYS, NOON_MS, both, refusal, sending, signed_again


def test_the_signature_of_provider_a_is_that_of_stripe():
    """Vector: the signature that their own libraries make."""
    found = stripe_signature("whsec_test_secret", 1614265330, b'{"test": 2432232314}')
    assert found == "10c96c6fd3f320fcfc264cdc4f476c15060ede8e8a08404cea2ddf3b72544a9c"


def test_the_signature_of_provider_b_is_that_of_adyen():
    """Vector: the eight values and their signature as the documentation gives them."""
    item = {
        "pspReference": "7914073381342284",
        "originalReference": "",
        "merchantAccountCode": "TestMerchant",
        "merchantReference": "TestPayment-1407325143704",
        "amount": {"value": 1130, "currency": "EUR"},
        "eventCode": "AUTHORISATION",
        "success": "true",
    }
    words = signed_words(item)
    assert words == (
        "7914073381342284::TestMerchant:TestPayment-1407325143704:1130:EUR:AUTHORISATION:true"
    )
    key = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"
    assert adyen_signature(key, words.encode()) == "coqCmt/IZ4E3CzPvMY8zTjQVL5hYJUiBRg8UU+iCWo0="
    assert (
        signed_words({**item, "merchantReference": r"a:b\c"})
        .split("TestMerchant:")[1]
        .startswith(r"a\:b\\c:")
    )


@both
@pytest.mark.parametrize("operation", ["authorize", "capture", "refund", "reverse"])
@pytest.mark.parametrize("code", ["approved", "insufficient_funds"])
def test_what_is_posted_is_what_is_read(provider: str, operation: str, code: str):
    """Both shapes carry every fact, there and back."""
    result = "approved" if code == "approved" else "declined"
    reference = "ch_1" if result == "approved" else None
    sent = sending(
        provider, operation=operation, code=code, result=result, provider_reference=reference
    )
    body, headers = signed(sent, KEYS[provider], NOON_MS)

    assert checked(provider, body, headers, KEYS[provider], NOON_MS) == sent.notice
    assert headers["X-PayRail-Provider"] == provider


@both
def test_a_refund_that_was_sent_back_keeps_its_name_at_the_provider(provider: str):
    """It was paid under that name, and stands under it in a statement; only what was never done
    has none."""
    sent = sending(
        provider,
        operation="refund",
        code="refund_sent_back",
        result="declined",
        provider_reference="rf_1",
    )
    body, headers = signed(sent, KEYS[provider], NOON_MS)

    assert checked(provider, body, headers, KEYS[provider], NOON_MS).provider_reference == "rf_1"


@both
def test_one_changed_byte_is_refused(provider: str):
    """The signature covers the raw bytes, all of them."""
    body, headers = signed(sending(provider), KEYS[provider], NOON_MS)
    for at in range(0, len(body), 7):
        changed = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        assert refusal(provider, changed, headers) == (401, "signature-invalid")
    assert refusal(provider, body + b" ", headers) == (401, "signature-invalid")


@both
@pytest.mark.parametrize("seconds", [-301, 301, -86_400])
def test_what_was_signed_long_ago_or_in_the_future_is_refused(provider: str, seconds: int):
    """Five minutes both ways, and not a second more."""
    body, headers = signed(sending(provider), KEYS[provider], NOON_MS + seconds * 1000)
    assert refusal(provider, body, headers) == (400, "timestamp-out-of-tolerance")
    edge = NOON_MS + (TOLERANCE_MS if seconds > 0 else -TOLERANCE_MS)
    body, headers = signed(sending(provider), KEYS[provider], edge)
    assert checked(provider, body, headers, KEYS[provider], NOON_MS) == sending(provider).notice


@both
def test_a_key_of_another_provider_house_or_version_does_not_sign(provider: str):
    """Each provider has a key of its own, derived and never written."""
    other = "providerB" if provider == "providerA" else "providerA"
    for key in (
        KEYS[other],
        notice_key(b"another-house-secret", provider),
        notice_key(HOUSE, provider, 2),
    ):
        body, headers = signed(sending(provider), key, NOON_MS)
        assert refusal(provider, body, headers) == (401, "signature-invalid")


@both
@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=,v1=",
        "v1=" + "0" * 64,
        "t=1770638400",
        "t=1770638400,t=1770638401,v1=" + "0" * 64,
        "t=1770638400," + ",".join(["v1=" + "0" * 64] * 50),
        "t=1770638400,v1=ÿ" + "\udcff",
        "t=99999999999999999999,v1=" + "0" * 64,
        "x" * 100_000,
    ],
)
def test_a_header_that_is_no_signature_is_refused(provider: str, header: str):
    """Whatever stands there: refused, and never a fault of ours."""
    body, _ = signed(sending(provider), KEYS[provider], NOON_MS)
    assert refusal(provider, body, {HEADERS[provider]: header}) == (401, "signature-invalid")
    assert refusal(provider, body, {}) == (401, "signature-invalid")


def test_one_good_signature_among_others_is_enough():
    """Two secrets during a rotation: the header carries both signatures."""
    body, headers = signed(sending(), KEYS["providerA"], NOON_MS)
    time_part, good = headers[STRIPE_HEADER].split(",")
    headers[STRIPE_HEADER] = f"{time_part},v1={'0' * 64},v0=abc,{good}"
    assert checked("providerA", body, headers, KEYS["providerA"], NOON_MS).notice_id == "evt_1"


@both
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"id":"evt_1","type":"charge.succeeded","data":{}}',
        b'{"notificationItems":[]}',
        b'{"notificationItems":[{"NotificationRequestItem":{}}]}',
        b'{"a":1,"a":2}',
        b"[" * 40 + b"]" * 40,
        b'{"a":NaN}',
        b"\xff\xfe",
    ],
)
def test_signed_bytes_that_are_no_notice_are_refused(provider: str, body: bytes):
    """Genuine and still not understood: 400, without a word of what was sent."""
    status, code = refusal(provider, body, signed_again(provider, body))
    assert (status, code) in [(400, "malformed-json"), (400, "malformed-notice")]


@both
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b":1099", b":-1"),
        (b":1099", b":true"),
        (b":1099", b":10.5"),
        (b":1099", b":100000000"),
        (b"pi_1.2", b"pi 1"),
        (b"evt_1", b""),
    ],
)
def test_a_refusal_names_the_place_and_not_the_value(provider: str, old: bytes, new: bytes):
    """A value could be anything, a card number too."""
    body, _ = signed(sending(provider), KEYS[provider], NOON_MS)
    body = body.replace(old, new)
    with pytest.raises(RequestError) as caught:
        checked(provider, body, signed_again(provider, body), KEYS[provider], NOON_MS)
    assert caught.value.code == "malformed-notice"
    assert caught.value.detail.startswith("$.")
    assert new.decode().strip("-:") not in caught.value.detail or not new.strip()


def test_the_item_of_provider_b_is_signed_by_itself_too():
    """A body signed as a whole around an item that is not ours is refused."""
    body, _ = signed(sending("providerB"), KEYS["providerB"], NOON_MS)
    fields = msgspec.json.decode(body)
    item = fields["notificationItems"][0]["NotificationRequestItem"]
    item["additionalData"]["hmacSignature"] = base64.b64encode(b"0" * 32).decode()
    body = msgspec.json.encode(fields)
    refused = refusal("providerB", body, signed_again("providerB", body))
    assert refused == (401, "signature-invalid")
