"""The vault's keys at its start: made once, durable before first use, checked before any use.

Owns: data/secrets/vault/fingerprint. The file of keys is keyfile.py, what they do is cipher.py.
Never: writes anything when a key is not the one this home began with.
"""

from actors.vault.cipher import VaultKeys
from actors.vault.keyfile import (
    KEYS,
    KeysFile,
    as_fernet_key,
    make_keys,
    must_fit,
    random_key,
    read_keys,
    sealed,
)
from actors.vault.state import ACCESS_LOG
from payrail.errors import BadSettings
from payrail.runtime.ports import Clock, Fs, Rng
from payrail.security.secrets import FOLDER, found_secret, secret

FINGERPRINT_KEY = "vault/fingerprint"  # below data/secrets


def open_keys(fs: Fs, clock: Clock, rng: Rng, given: str = "") -> VaultKeys:
    """The home's keys, made at its first start; `given` (PAYRAIL_VAULT_KEY) is then the first.

    Raises VaultSealed, before anything is written, when a key is not the one this home began with;
    BadSettings when `given` is no key.
    """
    found = fitting_keys(fs, given)
    own = secret(fs, FINGERPRINT_KEY, rng)
    if found is None:
        found = make_keys(fs, clock, own, as_fernet_key(given) if given else random_key(rng))
    elif not fs.size(ACCESS_LOG):
        # Again: whoever wrote it may have died before its name was durable. Once a card was stored
        # under it, a start has come behind this, and a full disk keeps none from its cards.
        fs.replace(KEYS, fs.read(KEYS))
    elif len(found.keys) > 1:
        # Whoever rotated may have died before the new name was durable: no card goes under a key
        # that a power cut takes back. This writes no byte, so that a full disk does not matter.
        fs.open(KEYS, create=True).close()
    return VaultKeys(found.keys, own, clock)


def fitting_keys(fs: Fs, given: str = "") -> KeysFile | None:
    """The keys of this home, None before its first start; only reads. Raises VaultSealed when they
    do not fit, BadSettings when `given` is no key."""
    first = as_fernet_key(given) if given else ""
    found = read_keys(fs)
    if found is not None:
        must_fit(found, _fingerprint_key(fs), first)
    return found


def _fingerprint_key(fs: Fs) -> bytes:
    path = f"{FOLDER}/{FINGERPRINT_KEY}"
    try:
        own = found_secret(fs, FINGERPRINT_KEY)
    except OSError as error:
        sealed(f"{path} cannot be read ({error.strerror}); give it to this user")
    except BadSettings:
        sealed(f"{path} holds no key; restore it")
    if own is None:
        sealed(f"{path} is missing; restore it")
    return own
