"""The vault's keys at its start: made once, durable before first use, checked before any use.

Owns: data/secrets/vault/fingerprint. The file of keys is keyfile.py, what they do is cipher.py.
Never: writes anything when a key is not the one this home began with.
"""

from actors.vault.cipher import VaultKeys
from actors.vault.keyfile import (
    KEYS,
    as_fernet_key,
    make_keys,
    must_fit,
    random_key,
    read_keys,
    sealed,
)
from actors.vault.state import ACCESS_LOG
from payrail.runtime.ports import Clock, Fs, Rng
from payrail.security.secrets import FOLDER, secret

FINGERPRINT_KEY = "vault/fingerprint"  # below data/secrets


def open_keys(fs: Fs, clock: Clock, rng: Rng, given: str = "") -> VaultKeys:
    """The home's keys, made at its first start; `given` (PAYRAIL_VAULT_KEY) is then the first.

    Raises BadSettings, before anything is written, when a key is not the one this home began with.
    """
    first = as_fernet_key(given) if given else ""
    found = read_keys(fs)
    if found is not None and not fs.exists(f"{FOLDER}/{FINGERPRINT_KEY}"):
        sealed(f"{FOLDER}/{FINGERPRINT_KEY} is missing; restore it")
    own = secret(fs, FINGERPRINT_KEY, rng)
    keys = found or make_keys(fs, clock, own, first or random_key(rng))
    must_fit(keys, own, first)
    if found is not None and not fs.size(ACCESS_LOG):
        # Again: whoever wrote it may have died before its name was durable. Once a card was stored
        # under it, a start has come behind this, and a full disk keeps none from its cards.
        fs.replace(KEYS, fs.read(KEYS))
    return VaultKeys(keys.keys, own, clock)
