"""Keys of two providers, and what they sign, for the tests of their notices."""

import pytest

from payrail.domain.words.providers import ProviderNotice, SendNotice
from payrail.errors import RequestError
from payrail.security.notices import (
    ADYEN_HEADER,
    STRIPE_HEADER,
    adyen_signature,
    checked,
    notice_key,
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
