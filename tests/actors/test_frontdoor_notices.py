"""POST /webhooks/provider over real HTTP: what is let in, what is refused, and how."""

import json

import pytest

from payrail.domain.words.providers import ProviderNotice, SendNotice
from payrail.runtime.clocks import SystemClock
from payrail.security.notices import notice_key, signed
from payrail.storage.lines import encode
from tests.actors.doors import HOUSE_SECRET, open_door

KEYS = {name: notice_key(HOUSE_SECRET.encode(), name) for name in ("providerA", "providerB")}
CARD = "4242424242424242"
both = pytest.mark.parametrize("provider", KEYS)


def sending(provider: str, **more) -> SendNotice:
    fields = {
        "provider": provider,
        "notice_id": "evt_1",
        "reference": "pi_1.1",
        "operation": "authorize",
        "operation_id": "pi_1.1",
        "result": "approved",
        "code": "approved",
        "provider_reference": "ch_1",
        "amount": 1099,
        "currency": "USD",
        **more,
    }
    return SendNotice(ProviderNotice(**fields), "m_001", None, 0, "cor_1")


def now_ms() -> int:
    return SystemClock().now().wall_ms


def take(envelope):
    return 200, {}, encode({"object": "notice", "outcome": "applied"})


async def post(door, body: bytes, headers: dict[str, str], **more):
    """(status, body) of the answer."""
    async with door.session.post(
        door.url("/webhooks/provider"), data=body, headers={**headers, **more}
    ) as answer:
        text = await answer.text()
        assert "json" in answer.headers["Content-Type"]
        assert answer.headers["X-Correlation-Id"]
        return answer.status, json.loads(text)


@both
async def test_a_signed_notice_is_handed_to_the_gateway(tmp_path, provider: str):
    """In our own words, with the provider's correlation id; 200 is the gateway's."""
    async with open_door(tmp_path, gateway=take) as door:
        sent = sending(provider)
        body, headers = signed(sent, KEYS[provider], now_ms())
        headers["X-Correlation-Id"] = "cor_1"
        assert await post(door, body, headers) == (200, {"object": "notice", "outcome": "applied"})
        (asked,) = door.gateway.asked
        assert (asked.kind, asked.key, asked.correlation_id) == (
            "provider.notice",
            "pi_1",
            "cor_1",
        )
        assert json.loads(bytes(asked.body)) == json.loads(encode(sent.notice))
        key = {"Idempotency-Key": "k", "Authorization": "Bearer nonsense"}
        assert (await post(door, body, headers, **key))[0] == 200


@both
async def test_what_is_not_signed_never_reaches_the_gateway(tmp_path, provider: str):
    """Tampered, unsigned, old, signed by the other: refused, without a word of it."""
    other = "providerB" if provider == "providerA" else "providerA"
    async with open_door(tmp_path, gateway=take) as door:
        body, headers = signed(sending(provider), KEYS[provider], now_ms())
        tampered = body.replace(b"1099", b"9999")
        old, stale = signed(sending(provider), KEYS[provider], now_ms() - 301_000)
        early, ahead = signed(sending(provider), KEYS[provider], now_ms() + 303_000)
        plain = {"Content-Type": "application/json"}
        for given, sent, expected in (
            (tampered, headers, (401, "signature-invalid")),
            (body, {**headers, "X-PayRail-Provider": other}, (401, "signature-invalid")),
            (body, {**plain, "X-PayRail-Provider": provider}, (401, "signature-invalid")),
            (old, stale, (400, "timestamp-out-of-tolerance")),
            (early, ahead, (400, "timestamp-out-of-tolerance")),
            (body, plain, (401, "signature-invalid")),
            (body, {**headers, "X-PayRail-Provider": "providerZ"}, (404, "not-found")),
            (b"x" * 65_537, headers, (413, "body-too-large")),
        ):
            status, answer = await post(door, given, sent)
            assert (status, answer["code"]) == expected
            assert "9999" not in json.dumps(answer)
        assert door.gateway.asked == []


async def test_either_spelling_names_the_provider(tmp_path):
    """As everywhere."""
    async with open_door(tmp_path, gateway=take) as door:
        body, headers = signed(sending("providerA"), KEYS["providerA"], now_ms())
        assert (await post(door, body, {**headers, "X-PayRail-Provider": "provider-a"}))[0] == 200


@pytest.mark.parametrize(
    "word",
    [
        {"provider_reference": CARD},
        {"notice_id": f"evt_{CARD}"},
        {"result": "declined", "code": CARD},
    ],
)
async def test_a_card_number_in_a_genuine_notice_is_not_written(tmp_path, word):
    """A provider may be wrong too, in any of its words; mailboxes are plain files."""
    async with open_door(tmp_path, gateway=take) as door:
        body, headers = signed(sending("providerA", **word), KEYS["providerA"], now_ms())
        status, answer = await post(door, body, headers)
        assert (status, answer["code"]) == (422, "validation-error")
        assert door.gateway.asked == []


async def test_without_a_durable_answer_there_is_no_200(tmp_path):
    """A gateway that says nothing: the provider hears 504, and posts again."""
    async with open_door(tmp_path, gateway=lambda _: None, budget_ms=100) as door:
        body, headers = signed(sending("providerA"), KEYS["providerA"], now_ms())
        status, answer = await post(door, body, headers)
        assert (status, answer["retryable"]) == (504, True)
