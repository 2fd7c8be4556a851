"""The vault's keys at its start: made once, durable before first use, checked before any use.

Owns: data/secrets/vault/fingerprint, which is gone while two operators hold the keys.
The file of keys is keyfile.py, what they do is cipher.py, whose they are is operators.py.
Never: writes anything when a key is not the one this home began with.
"""

from typing import NamedTuple

from actors.vault.cardkeys import CardKeys
from actors.vault.cipher import VaultKeys
from actors.vault.keyfile import (
    FINGERPRINT_PATH,
    KEYS,
    KeysFile,
    as_fernet_key,
    make_keys,
    must_fit,
    random_key,
    read_keys,
    sealed,
    unwrapped,
)
from actors.vault.operators import Protection, WrapBroken, Wrapping, waits_for
from actors.vault.refusals import VaultSealed
from actors.vault.state import ACCESS_LOG
from payrail.errors import BadSettings
from payrail.runtime.ports import Clock, Fs, Rng
from payrail.security.secrets import found_secret, secret

FINGERPRINT_KEY = "vault/fingerprint"  # below data/secrets


class VaultLocked(VaultSealed):
    """Two operators hold the keys, and have not given their passphrases."""

    def __init__(self, protection: Protection) -> None:
        super().__init__(waits_for(protection.names))
        self.protection = protection


class Fitting(NamedTuple):
    """Keys that fit, in clear, and the key of fingerprints."""

    file: KeysFile
    own: bytes


def open_keys(
    fs: Fs, clock: Clock, rng: Rng, given: str = "", wrapping: Wrapping | None = None
) -> VaultKeys:
    """The home's keys, made at its first start; `given` (PAYRAIL_VAULT_KEY) is then the first.

    Raises VaultSealed, before anything is written, when a key is not the one this home began with,
    VaultLocked when two operators hold them; BadSettings when `given` is no key.
    """
    found = fitting_keys(fs, given, wrapping)
    if found is None:
        own = secret(fs, FINGERPRINT_KEY, rng)
        made = make_keys(fs, clock, own, as_fernet_key(given) if given else random_key(rng))
        return VaultKeys(made.keys, own, clock, CardKeys(fs, rng))
    if not fs.size(ACCESS_LOG):
        # Again: whoever wrote it may have died before its name was durable. Once a card was stored
        # under it, a start has come behind this, and a full disk keeps none from its cards.
        fs.replace(KEYS, fs.read(KEYS))
    elif len(found.file.keys) > 1:
        # Whoever rotated may have died before the new name was durable: no card goes under a key
        # that a power cut takes back. This writes no byte, so that a full disk does not matter.
        fs.open(KEYS, create=True).close()
    keys = VaultKeys(found.file.keys, found.own, clock, CardKeys(fs, rng))
    keys.protection, keys.wrapping = found.file.protected, wrapping
    if keys.protection is None:
        secret(fs, FINGERPRINT_KEY, rng)  # its name durable, too
    else:
        remove_clear_fingerprint(fs, found.own)
    return keys


def fitting_keys(fs: Fs, given: str = "", wrapping: Wrapping | None = None) -> Fitting | None:
    """The keys of this home, None before its first start; only reads. Raises VaultSealed when they
    do not fit, VaultLocked without the operators' wrapping, BadSettings when `given` is no key."""
    first = as_fernet_key(given) if given else ""
    found = read_keys(fs)
    if found is None:
        return None
    if found.protected is None:
        own = _fingerprint_key(fs)
    elif wrapping is None:
        raise VaultLocked(found.protected)
    else:
        own = _unwrapped_fingerprint(found.protected, wrapping)
        found = unwrapped(found, wrapping)
    must_fit(found, own, first)
    return Fitting(found, own)


def remove_clear_fingerprint(fs: Fs, own: bytes) -> None:
    """Whoever wrapped it may have died, or failed, before its wrapped copy was durable: that is
    written again first, since a sync that failed once says nothing of the name any more."""
    if fs.exists(FINGERPRINT_PATH) and fs.read(FINGERPRINT_PATH).strip() == own:
        fs.replace(KEYS, fs.read(KEYS))
        fs.unlink(FINGERPRINT_PATH)


def _unwrapped_fingerprint(protection: Protection, wrapping: Wrapping) -> bytes:
    try:
        return wrapping.open("fingerprint", protection.fingerprint).encode()
    except WrapBroken as broken:
        sealed(f"{broken}; restore {KEYS}")


def _fingerprint_key(fs: Fs) -> bytes:
    try:
        own = found_secret(fs, FINGERPRINT_KEY)
    except OSError as error:
        sealed(f"{FINGERPRINT_PATH} cannot be read ({error.strerror}); give it to this user")
    except BadSettings:
        sealed(f"{FINGERPRINT_PATH} holds no key; restore it")
    if own is None:
        sealed(f"{FINGERPRINT_PATH} is missing; restore it")
    return own
