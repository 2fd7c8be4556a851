"""Webhook secrets: derived from the house secret by an endpoint's id and a version, never stored.

    whsec_<base64 of HMAC-SHA256(house secret, id, version)>

Signing is that of Standard Webhooks, by its own library. While a secret is being changed, several
signatures stand beside each other, the newest first.
Never: logs a secret, or signs other bytes than those that are sent.
"""

import hmac
from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime

from standardwebhooks.webhooks import Webhook

PREFIX = "whsec_"


def webhook_secret(house_secret: bytes, endpoint_id: str, version: int) -> str:
    """The text of a secret, as the merchant is given it once. `version` counts from 1."""
    if version < 1:
        raise ValueError("a version counts from 1")
    what = f"payrail/webhook/1|{endpoint_id}|{version}".encode()
    return PREFIX + b64encode(hmac.digest(house_secret, what, "sha256")).decode()


def signed_headers(
    secrets: Sequence[str], webhook_id: str, body: bytes, now_ms: int
) -> dict[str, str]:
    """The three headers of Standard Webhooks over exactly these bytes; `now_ms` in wall time."""
    # The library reads whatever it is given as UTC: a time of another zone would sign a wrong one.
    at = datetime.fromtimestamp(now_ms // 1_000, UTC)
    text = body.decode()
    signatures = [Webhook(secret).sign(webhook_id, at, text) for secret in secrets]
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(now_ms // 1_000),
        "webhook-signature": " ".join(signatures),
    }
