"""Seal a card for one reader: HPKE (RFC 9180), X25519, HKDF-SHA256, AES-256-GCM.

Text form: `hpke1.<key id>.<base64url>`. What it is sealed for (reference, payment, provider) is
bound in through HPKE's `info`: said with other words, it does not open. The sender is not proven by
a seal; that is the mailbox's affair. Never: says why a seal did not open, beyond its key id.
"""

import binascii
import hashlib
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from payrail.errors import PayRailError

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_FORM = "hpke1"
_KEY_BYTES = 32
#: A card is far below a kilobyte; nothing longer is tried.
SEALED_CHARACTERS_MAX = 4_096


class SealBroken(PayRailError):
    """It does not open here: another key, another payment, or changed on the way."""


class PublicKeyFile(msgspec.Struct, forbid_unknown_fields=True):
    """data/providers/providerA_key.json: `public` is the raw key in hex."""

    key_id: str
    public: str


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A reader's keys. Retired pairs are kept as long as something sealed for them may come."""

    key_id: str
    private: X25519PrivateKey = field(repr=False)
    public: X25519PublicKey = field(repr=False)


def keypair_of(secret: bytes) -> KeyPair:
    """The keys that a secret of at least 256 bits (security/secrets.py) stands for."""
    private = X25519PrivateKey.from_private_bytes(
        hashlib.sha256(b"payrail/seal-key/1|" + secret).digest()
    )
    public = private.public_key()
    return KeyPair(_key_id(public), private, public)


def public_json(keys: KeyPair) -> bytes:
    """The public key as it stands in its file."""
    return msgspec.json.encode(PublicKeyFile(keys.key_id, keys.public.public_bytes_raw().hex()))


def read_public(data: bytes) -> tuple[X25519PublicKey, str]:
    """Public key and its id from a key file. Raises SealBroken."""
    try:
        found = msgspec.json.decode(data, type=PublicKeyFile)
        public = X25519PublicKey.from_public_bytes(bytes.fromhex(found.public))
    except ValueError as error:
        raise SealBroken("the key file holds no public key") from error
    if _key_id(public) != found.key_id:
        raise SealBroken(f"the key file's id {found.key_id!r} is not that of its key")
    return public, found.key_id


def seal(public: X25519PublicKey, key_id: str, plain: bytes, /, **where: str) -> str:
    """Close `plain` for the reader whose public key this is, for this occasion only."""
    closed = _SUITE.encrypt(plain, public, info=_bound(key_id, where))
    return f"{_FORM}.{key_id}.{urlsafe_b64encode(closed).rstrip(b'=').decode()}"


def unseal(private_by_id: Mapping[str, X25519PrivateKey], text: str, /, **where: str) -> bytes:
    """What was sealed. Checks in this order: form, key id, key, occasion. Raises SealBroken."""
    form, _, rest = text.partition(".")
    key_id, _, body = rest.partition(".")
    if form != _FORM or not body or len(text) > SEALED_CHARACTERS_MAX:
        raise SealBroken("this is not a seal of ours")
    private = private_by_id.get(key_id)
    if private is None:
        raise SealBroken("it is sealed for a key that is not here")
    try:
        closed = b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
        return _SUITE.decrypt(closed, private, info=_bound(key_id, where))
    except (InvalidTag, binascii.Error, ValueError):
        raise SealBroken(f"it does not open with key {key_id} for this occasion") from None


def _key_id(public: X25519PublicKey) -> str:
    """The first 16 hex digits of the key's SHA-256: free of dots, and the same on every side."""
    return hashlib.sha256(public.public_bytes_raw()).hexdigest()[:16]


def _bound(key_id: str, where: Mapping[str, str]) -> bytes:
    occasion = msgspec.json.encode({"kid": key_id, "where": dict(where)}, order="sorted")
    return b"payrail/sealed/1|" + occasion
