"""API keys: derived from the house secret, so that only their ids are ever stored or sent.

    sk_test_<id>_<mac>      secret key          mac = HMAC-SHA256(house secret, kind, id, version),
    pk_test_<id>_<mac>      publishable key           the first 32 hex digits (128 bits)

Rotating a key raises its version. Never: logs a key, or compares one in time that depends on it.
"""

import hmac
import re
from dataclasses import dataclass

SECRET = "sk"
PUBLISHABLE = "pk"
_MAC_HEX = 32
_ID = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
_KEY = re.compile(rf"(sk|pk)_test_({_ID})_([0-9a-f]{{{_MAC_HEX}}})", re.ASCII)
#: Compared against when the id is unknown, so that both refusals cost the same.
_NO_VERSION = 0


@dataclass(frozen=True, slots=True)
class PresentedKey:
    """A key's parts as its text claims them; nothing is proven yet."""

    kind: str  # SECRET or PUBLISHABLE
    key_id: str
    mac: bytes

    def __repr__(self) -> str:
        return f"PresentedKey({self.kind}, {self.key_id})"


def derive_key(house_secret: bytes, key_id: str, version: int, *, publishable: bool = False) -> str:
    """The text of a key. `version` counts from 1. Raises ValueError for an id that is none."""
    if not re.fullmatch(_ID, key_id) or version < 1:
        raise ValueError("a key id is 1 to 64 letters, digits, _ or -, a version counts from 1")
    kind = PUBLISHABLE if publishable else SECRET
    return f"{kind}_test_{key_id}_{_mac(house_secret, kind, key_id, version).decode()}"


def parse_key(text: str) -> PresentedKey | None:
    """The parts of a key, None when the text is none."""
    found = _KEY.fullmatch(text)
    return PresentedKey(found[1], found[2], found[3].encode()) if found else None


def is_genuine(house_secret: bytes, presented: PresentedKey, version: int | None) -> bool:
    """Whether the house made this key in this version; None (unknown id) is as slow, and False."""
    made = _mac(house_secret, presented.kind, presented.key_id, version or _NO_VERSION)
    return hmac.compare_digest(made, presented.mac) and version is not None


def same_secret(given: str, expected: bytes) -> bool:
    """Whether two secrets are equal, in constant time; for the service key and internal secret."""
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), expected)


def _mac(house_secret: bytes, kind: str, key_id: str, version: int) -> bytes:
    what = f"payrail/key/1|{kind}|{key_id}|{version}".encode()
    return hmac.digest(house_secret, what, "sha256").hex()[:_MAC_HEX].encode()
