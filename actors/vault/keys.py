"""The keys that cards at rest are encrypted with: made once, durable before first use.

Owns: data/vault/keys.json (its own truth, never journaled), data/secrets/vault/fingerprint.
A ciphertext holds its token and its key id inside, because Fernet binds no context of its own:
a card that was moved to another token does not open.
Never: writes anything under a key that fails its check, stores a CVC, or prints a number.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

import msgspec
from cryptography.fernet import Fernet, InvalidToken
from msgspec import Struct

from actors.vault.state import ACCESS_LOG, EncryptedCard
from payrail.domain.timestamps import iso
from payrail.errors import BadSettings, PayRailError
from payrail.runtime.ports import Clock, Fs, Rng
from payrail.security.secrets import FOLDER, secret

KEYS = "data/vault/keys.json"
FINGERPRINT_KEY = "vault/fingerprint"  # below data/secrets
KEY_BYTES = 32  # Fernet: 16 to sign, 16 to encrypt.
_FIRST_ID = "k1"


class RecordMismatch(PayRailError):
    """A ciphertext does not open, or it holds another token's card."""


@dataclass(frozen=True, slots=True, repr=False)
class Card:
    """A card in clear, for the length of one call. It has no repr, so that no log can show it."""

    number: str
    exp_month: int
    exp_year: int
    holder: str = ""


class _Plain(Struct):
    """What is inside a ciphertext: the card, and the two names it is bound to."""

    t: str  # token
    k: str  # key id
    n: str  # number
    m: int  # expiry month
    y: int  # expiry year
    h: str  # holder's name


class KeyLine(Struct):
    id: str
    created_at: str
    retired_at: str | None
    key: str
    check: str  # tells a wrong key from a right one without opening a card

    def __repr__(self) -> str:
        return f"KeyLine({self.id})"


class KeysFile(Struct):
    keys: list[KeyLine]  # newest first
    begun_with: str  # the check of the first key, kept when that key is long retired


_decode_file = msgspec.json.Decoder(KeysFile).decode
_decode_plain = msgspec.json.Decoder(_Plain).decode


class VaultKeys:
    """Encrypts with the newest key, opens with the one a card names."""

    def __init__(self, lines: Sequence[KeyLine], fingerprint_key: bytes, clock: Clock) -> None:
        self._by_id = {line.id: Fernet(line.key) for line in lines}
        self._fingerprint_key = fingerprint_key
        self._clock = clock
        self.current_id = lines[0].id

    def encrypt(self, token: str, card: Card) -> EncryptedCard:
        """The card for rest, bound to `token` and to the current key."""
        plain = _Plain(
            token, self.current_id, card.number, card.exp_month, card.exp_year, card.holder
        )
        at_s = self._clock.now().wire_ms // 1000
        cipher = self._by_id[self.current_id]
        text = cipher.encrypt_at_time(msgspec.json.encode(plain), at_s)
        return EncryptedCard(self.current_id, text.decode())

    def open_card(self, token: str, stored: EncryptedCard) -> Card:
        """The card of `token`. Raises RecordMismatch."""
        cipher = self._by_id.get(stored.key_id)
        if cipher is None:
            raise RecordMismatch(f"key {stored.key_id} is not in {KEYS}")
        try:
            plain = _decode_plain(cipher.decrypt(stored.ciphertext))
        except (InvalidToken, msgspec.MsgspecError):
            # Without the cause: a decoder's message may quote what it decoded.
            raise RecordMismatch(f"the card does not open with key {stored.key_id}") from None
        if (plain.t, plain.k) != (token, stored.key_id):
            raise RecordMismatch("the ciphertext was made for another token or key")
        return Card(plain.n, plain.m, plain.y, plain.h)

    def fingerprint(self, merchant_id: str, number: str) -> str:
        """The same for the same card of one merchant; says nothing across merchants.

        Keyed, because a plain hash of a card number is guessed in minutes (PCI DSS 3.5.1.1).
        """
        text = f"payrail/vault/fingerprint/1|{merchant_id}|{number}".encode()
        return "fp_" + hmac.new(self._fingerprint_key, text, hashlib.sha256).hexdigest()[:32]


def open_keys(fs: Fs, clock: Clock, rng: Rng, given: str = "") -> VaultKeys:
    """The home's keys, made at its first start; `given` (PAYRAIL_VAULT_KEY) is then the first.

    Raises BadSettings, before anything is written, when a key is not the one this home began with.
    """
    first = _as_fernet_key(given) if given else ""
    found = _read(fs)
    if found is not None and not fs.exists(f"{FOLDER}/{FINGERPRINT_KEY}"):
        _sealed(f"{FOLDER}/{FINGERPRINT_KEY} is missing; restore it")
    own = secret(fs, FINGERPRINT_KEY, rng)
    keys = found or _make(fs, clock, own, first or _random_key(rng))
    _must_fit(keys, own, first)
    if found is not None and not fs.size(ACCESS_LOG):
        # Again: whoever wrote it may have died before its name was durable. Once a card was stored
        # under it, a start has come behind this, and a full disk keeps none from its cards.
        fs.replace(KEYS, fs.read(KEYS))
    return VaultKeys(keys.keys, own, clock)


def _read(fs: Fs) -> KeysFile | None:
    if not fs.exists(KEYS):
        if fs.size(ACCESS_LOG):
            _sealed(f"{KEYS} is missing, but cards were stored under it; restore it")
        return None
    try:
        found = _decode_file(fs.read(KEYS))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        _sealed(f"{KEYS} cannot be read; restore it")
    if not found.keys:
        _sealed(f"{KEYS} holds no key; restore it")
    return found


def _make(fs: Fs, clock: Clock, own: bytes, key: str) -> KeysFile:
    check = _check(own, _FIRST_ID, key)
    line = KeyLine(_FIRST_ID, iso(clock.now().wire_ms), None, key, check)
    made = KeysFile([line], begun_with=check)
    fs.replace(KEYS, msgspec.json.encode(made) + b"\n")
    return made


def _must_fit(found: KeysFile, own: bytes, given: str) -> None:
    for line in found.keys:
        if not _same(line.check, _check(own, line.id, line.key)):
            _sealed(f"key id {line.id} does not open its key-check; restore {KEYS}")
    if given and not _same(found.begun_with, _check(own, _FIRST_ID, given)):
        _sealed("PAYRAIL_VAULT_KEY is not the key this home began with; give that one, or none")


def _random_key(rng: Rng) -> str:
    return base64.urlsafe_b64encode(bytes.fromhex(rng.token_hex(KEY_BYTES))).decode()


def _as_fernet_key(given: str) -> str:
    """A given key in Fernet's spelling: 32 bytes as url-safe base64 or as 64 hex digits."""
    try:
        raw = bytes.fromhex(given) if len(given) == 2 * KEY_BYTES else _from_base64(given)
    except (ValueError, binascii.Error):
        raw = b""
    if len(raw) != KEY_BYTES:
        raise BadSettings("PAYRAIL_VAULT_KEY: give 32 bytes as url-safe base64 or 64 hex digits")
    return base64.urlsafe_b64encode(raw).decode()


def _from_base64(text: str) -> bytes:
    return base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)


def _check(own: bytes, key_id: str, key: str) -> str:
    text = f"payrail/vault/key-check/1|{key_id}|{key}".encode()
    return hmac.new(own, text, hashlib.sha256).hexdigest()


def _sealed(why: str) -> NoReturn:
    raise BadSettings(f"vault sealed: {why}")


def _same(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(), right.encode())
