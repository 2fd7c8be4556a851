"""Providers' notices as bytes: their shapes, their signatures, and what is refused of them."""

import base64

import msgspec
import pytest
from msgspec import structs

from payrail.domain.notices import signed_words
from payrail.domain.words.disputes import DisputeFact, SendDisputeNotice
from payrail.domain.words.providers import ProviderNotice, SendNotice
from payrail.errors import RequestError
from payrail.security.notices import (
    ADYEN_HEADER,
    STRIPE_HEADER,
    TOLERANCE_MS,
    adyen_signature,
    checked,
    notice_key,
    signed,
    stripe_signature,
)

NOON_MS = 1_770_638_400_000
HOUSE = b"a-house-secret-of-a-test"
KEYS = {name: notice_key(HOUSE, name) for name in ("providerA", "providerB")}
HEADERS = {"providerA": STRIPE_HEADER, "providerB": ADYEN_HEADER}
both = pytest.mark.parametrize("provider", KEYS)


def sending(provider: str = "providerA", **more) -> SendNotice:
    fields = {
        "provider": provider,
        "notice_id": "evt_1",
        "reference": "pi_1.2",
        "operation": "capture",
        "operation_id": "cap_1",
        "result": "approved",
        "code": "approved",
        "provider_reference": "cp_1",
        "amount": 1099,
        "currency": "USD",
        **more,
    }
    return SendNotice(ProviderNotice(**fields), "m_001", "ch_1", NOON_MS, "cor_1")


def refusal(provider: str, body: bytes, headers, *, wall_ms: int = NOON_MS, key=None):
    with pytest.raises(RequestError) as caught:
        checked(provider, body, headers, key or KEYS[provider], wall_ms)
    return caught.value.status, caught.value.code


def signed_again(provider: str, body: bytes) -> dict[str, str]:
    """Headers that sign any bytes, as whoever has the key could."""
    if provider == "providerB":
        return {ADYEN_HEADER: adyen_signature(KEYS[provider], body)}
    time_s = NOON_MS // 1000
    return {STRIPE_HEADER: f"t={time_s},v1={stripe_signature(KEYS[provider], time_s, body)}"}


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


DISPUTES = [
    ("opened", "chargeback"),
    ("opened", "inquiry"),
    ("opened", "pre_arbitration"),
    ("submitted", "chargeback"),
    ("submitted", "inquiry"),
    ("won", "chargeback"),
    ("lost", "chargeback"),
    ("lost", "pre_arbitration"),
    ("closed", "inquiry"),
]


def disputing(provider: str, fact: str = "opened", stage: str = "chargeback", **more):
    fields = {
        "provider": provider,
        "payment_id": "pi_1",
        "authorization": "pi_1.1",
        "provider_reference": "dp_1",
        "fact": fact,
        "stage": stage,
        "reason": "fraudulent",
        "amount": 5000,
        "currency": "USD",
        "network_code": "10.4",
        "occurred_at": "2026-02-09T12:00:00.000Z",
        **more,
    }
    return SendDisputeNotice(DisputeFact(**fields), "evt_1", "m_001", "ch_1", NOON_MS, "cor_1")


@both
@pytest.mark.parametrize(("fact", "stage"), DISPUTES)
@pytest.mark.parametrize("ours", [None, "dp_ours"])
def test_what_is_posted_of_a_dispute_is_what_is_read(provider, fact, stage, ours):
    """Both shapes carry every fact of every stage; the notice's own id comes with it."""
    why = {"closed_reason": "expired"} if fact in ("lost", "closed") else {}
    sent = disputing(provider, fact, stage, dispute_id=ours, **why)
    body, headers = signed(sent, KEYS[provider], NOON_MS)

    found = checked(provider, body, headers, KEYS[provider], NOON_MS)
    assert found == structs.replace(sent.notice, notice_id="evt_1")
    assert headers["X-PayRail-Provider"] == provider


def test_each_provider_tells_of_a_dispute_in_its_own_words():
    """Stripe's events, Adyen's event codes."""
    words = []
    for fact, stage in DISPUTES:
        event = msgspec.json.decode(signed(disputing("providerA", fact, stage), "k", NOON_MS)[0])
        body = signed(disputing("providerB", fact, stage), KEYS["providerB"], NOON_MS)[0]
        item = msgspec.json.decode(body)["notificationItems"][0]["NotificationRequestItem"]
        words.append((event["type"], event["data"]["object"]["status"], item["eventCode"]))
    assert words[:3] == [
        ("charge.dispute.created", "needs_response", "CHARGEBACK"),
        ("charge.dispute.created", "warning_needs_response", "REQUEST_FOR_INFORMATION"),
        ("charge.dispute.created", "needs_response", "CHARGEBACK"),
    ]
    assert words[5:8] == [
        ("charge.dispute.funds_reinstated", "won", "CHARGEBACK_REVERSED"),
        ("charge.dispute.closed", "lost", "DISPUTE_LOST"),
        ("charge.dispute.closed", "lost", "SECOND_CHARGEBACK"),
    ]


@both
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (b'"inquiry"', b'"nothing"'),
        (b"5000", b"-500"),
        (b"2026-02-09T12:00:00.000Z", b"yesterday, or so......"),
        (b"USD", b"US "),
        (b"usd", b"us "),
        (b'"dp_1"', b'"dp 1"'),
        (b'"amount":5000', b'"amount":0'),
        (b'"value":5000', b'"value":0'),
        (b"REQUEST_FOR_INFORMATION", b"SOMETHING_ELSE_ENTIRELY"),
        (b"warning_needs_response", b"warning_needs_reaction"),
    ],
)
def test_a_signed_notice_of_no_dispute_is_refused(provider, ours, theirs):
    """The place is named, and nothing of what stands there."""
    body, _ = signed(disputing(provider, "opened", "inquiry"), KEYS[provider], NOON_MS)
    changed = body.replace(ours, theirs)
    if changed == body:
        return  # the other provider's word
    status, code = refusal(provider, changed, signed_again(provider, changed))
    # The item of providerB signs eight of its values by itself too.
    assert (status, code) in {(400, "malformed-notice"), (401, "signature-invalid")}


def warning(provider: str) -> SendDisputeNotice:
    reason = "unauthorized_use_of_card"
    more = {"provider_reference": "issfr_1", "reason": reason, "network_code": None}
    return disputing(provider, "warned", "", **more)


@both
def test_what_is_posted_of_suspected_fraud_is_what_is_read(provider: str):
    """Stripe's early fraud warning and Adyen's notification of fraud, with their ids."""
    sent = warning(provider)
    body, headers = signed(sent, KEYS[provider], NOON_MS)

    found = checked(provider, body, headers, KEYS[provider], NOON_MS)
    assert found == structs.replace(sent.notice, notice_id="evt_1")
    told = {
        "providerA": b'"type":"radar.early_fraud_warning.created"',
        "providerB": b'"eventCode":"NOTIFICATION_OF_FRAUD","success":"true"',
    }
    assert told[provider] in body


@both
def test_one_changed_byte_of_a_warning_is_refused(provider: str):
    """A case is opened only for who has the provider's key."""
    body, headers = signed(warning(provider), KEYS[provider], NOON_MS)
    for at in range(0, len(body), 7):
        changed = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        assert refusal(provider, changed, headers) == (401, "signature-invalid")


@both
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (b"2026-02-09T12:00:00.000Z", b"yesterday, or so......"),
        (b'"issfr_1"', b'"issfr 1"'),
        (b'"amount":5000', b'"amount":0'),
        (b'"value":5000', b'"value":0'),
        (b'"fraud_type"', b'"fraud_kind"'),
        (b'"fraudType"', b'"fraudKind"'),
        (b'"success":"true"', b'"success":"false"'),
        (b"early_fraud_warning.created", b"early_fraud_warning.updated"),
        (b"NOTIFICATION_OF_FRAUD", b"NOTIFICATION_OF_FRAUDS"),
    ],
)
def test_a_signed_notice_of_no_warning_is_refused(provider: str, ours: bytes, theirs: bytes):
    """It names the place; the item of providerB signs eight of its values by itself too."""
    body, _ = signed(warning(provider), KEYS[provider], NOON_MS)
    changed = body.replace(ours, theirs)
    if changed == body:
        return  # the other provider's word
    status, code = refusal(provider, changed, signed_again(provider, changed))
    assert (status, code) in {(400, "malformed-notice"), (401, "signature-invalid")}
