"""Webhook secrets: derived, never stored; signatures that any library of the standard accepts."""

import time
from base64 import b64decode
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError
from standardwebhooks.webhooks import Webhook

from payrail.security.webhook_secrets import signed_headers, webhook_secret
from payrail.settings import Settings

HOUSE = b"house-secret-of-a-test"


def test_the_published_vector_is_signed_as_published():
    """Source: the reference tests of Standard Webhooks."""
    headers = signed_headers(
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
        1_614_265_330_000,
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_a_secret_is_that_of_its_endpoint_and_version():
    """The same again each time, 32 bytes, and another one for whatever differs."""
    secret = webhook_secret(HOUSE, "we_a", 1)
    assert secret == webhook_secret(HOUSE, "we_a", 1)
    assert len(b64decode(secret.removeprefix("whsec_"))) == 32
    others = [(b"x", "we_a", 1), (HOUSE, "we_b", 1), (HOUSE, "we_a", 2), (HOUSE, "we_a|1", 1)]
    assert secret not in [webhook_secret(*parts) for parts in others]
    with pytest.raises(ValueError, match="counts from 1"):
        webhook_secret(HOUSE, "we_a", 0)


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kolkata"])
def test_whatever_zone_the_machine_is_in_the_time_signed_is_the_time_sent(
    zone: str, monkeypatch: pytest.MonkeyPatch
):
    """A delivery of now verifies, with either of two secrets while one is being changed."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        secrets = [webhook_secret(HOUSE, "we_a", version) for version in (2, 1)]
        now_ms = int(datetime.now(UTC).timestamp() * 1_000)
        body = '{"id":"evt_1","name":"Käse"}'.encode()
        headers = signed_headers(secrets, "evt_1", body, now_ms)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert len(headers["webhook-signature"].split(" ")) == 2
    for secret in secrets:
        assert Webhook(secret).verify(body, headers)["id"] == "evt_1"


def test_a_setting_that_allows_nothing_sensible_is_refused_at_start():
    """The entry is named by its number; what it says is not repeated."""
    with pytest.raises(ValidationError) as refused:
        Settings(webhook_allow=("localhost", "http://secret-host/"), _env_file=None)
    assert "entry 2 must be a host, host:port, address or network" in str(refused.value)
    assert "secret-host" not in str(refused.value)
