"""data/vault/keys.json: the keys that cards at rest are encrypted with, and their checks.

Owns: data/vault/keys.json (its own truth, never journaled): its lines, its spelling, its making.
Never: writes anything under a key that fails its check, or shows a key's bytes.
"""

import base64
import binascii
import hashlib
import hmac
from typing import NoReturn

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from actors.vault.operators import Protection, WrapBroken, Wrapping, is_wrapped
from actors.vault.refusals import VaultSealed
from actors.vault.state import ACCESS_LOG
from payrail.domain.timestamps import iso
from payrail.errors import BadSettings
from payrail.runtime.ports import Clock, Fs, Rng
from payrail.runtime.recovery import journal_path
from payrail.storage.fs import VAULT_KEYS

KEYS = VAULT_KEYS
FINGERPRINT_PATH = "data/secrets/vault/fingerprint"
KEY_BYTES = 32  # Fernet: 16 to sign, 16 to encrypt.
_FIRST_ID = "k1"


class KeyLine(Struct):
    id: str
    created_at: str
    retired_at: str | None
    key: str | None  # None: retired, and nothing is under it any more
    check: str  # tells a wrong key from a right one without opening a card

    def __repr__(self) -> str:
        return f"KeyLine({self.id})"


class KeysFile(Struct, omit_defaults=True):
    keys: list[KeyLine]  # newest first
    begun_with: str  # the check of the first key, kept when that key is long retired
    protected: Protection | None = None  # by two operators: then each key is wrapped


_decode_file = msgspec.json.Decoder(KeysFile).decode


def read_keys(fs: Fs) -> KeysFile | None:
    if not fs.exists(KEYS):
        # Keys are durable before the vault opens its journal.
        if fs.size(ACCESS_LOG) or fs.size(journal_path("vault")):
            sealed(f"{KEYS} is missing, but cards were stored under it; restore it")
        return None
    try:
        found = _decode_file(fs.read(KEYS))
    except OSError as error:
        sealed(f"{KEYS} cannot be read ({error.strerror}); give it to this user")
    except (msgspec.MsgspecError, UnicodeDecodeError):
        sealed(f"{KEYS} cannot be read; restore it")
    if not any(line.key for line in found.keys):
        sealed(f"{KEYS} holds no key; restore it")
    return found


def make_keys(fs: Fs, clock: Clock, own: bytes, key: str) -> KeysFile:
    line = new_line(_FIRST_ID, iso(clock.now().wire_ms), key, own)
    made = KeysFile([line], begun_with=line.check)
    write_keys(fs, made)
    return made


def new_line(key_id: str, created_at: str, key: str, own: bytes) -> KeyLine:
    return KeyLine(key_id, created_at, None, key, _check(own, key_id, key))


def write_keys(fs: Fs, keys: KeysFile) -> None:
    """The one way in which the file changes: whole and durable, or as it was. Where it is protected
    it takes no key in clear."""
    if keys.protected and not all(is_wrapped(line.key) for line in keys.keys if line.key):
        raise ValueError(f"{KEYS} is protected, and takes wrapped keys alone")
    fs.replace(KEYS, msgspec.json.encode(keys) + b"\n")


def unwrapped(found: KeysFile, wrapping: Wrapping | None) -> KeysFile:
    """The same with its keys in clear, for use in memory. Raises VaultSealed."""
    if found.protected is None or wrapping is None:
        return found
    try:
        lines = [
            replace(line, key=wrapping.open(line.id, line.key)) if line.key else line
            for line in found.keys
        ]
    except WrapBroken as broken:
        sealed(f"key id {broken}; restore {KEYS}")
    return replace(found, keys=lines)


def must_fit(found: KeysFile, own: bytes, given: str) -> None:
    for line in found.keys:
        if line.key and not _same(line.check, _check(own, line.id, line.key)):
            sealed(
                f"key id {line.id} does not open its key-check; restore {KEYS}, or"
                f" {FINGERPRINT_PATH} if that was changed"
            )
    if given and not _same(found.begun_with, _check(own, _FIRST_ID, given)):
        sealed("PAYRAIL_VAULT_KEY is not the key this home began with; give that one, or none")


def random_key(rng: Rng) -> str:
    return base64.urlsafe_b64encode(bytes.fromhex(rng.token_hex(KEY_BYTES))).decode()


def as_fernet_key(given: str) -> str:
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


def sealed(why: str) -> NoReturn:
    raise VaultSealed(why)


def _same(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(), right.encode())
