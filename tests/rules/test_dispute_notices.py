"""Providers' notices of disputes and of suspected fraud, as bytes."""

import msgspec
import pytest
from msgspec import structs

from payrail.domain.words.disputes import DisputeFact, SendDisputeNotice
from payrail.security.notices import (
    checked,
    signed,
)
from tests.rules.noticed import KEYS, NOON_MS, both, refusal, signed_again

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
