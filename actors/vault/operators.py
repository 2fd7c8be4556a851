"""Two operators' passphrases, and the key that both together make: the vault's keys at rest.

    passphrase --Argon2id--> share + check     (each operator with a salt of its own)
    share + share --HKDF--> a key              (of both: neither alone opens anything)
    a key --AES-256-GCM--> each of the vault's keys, bound to its id

Owns: what stands under `protected` in data/vault/keys.json. A check tells a wrong passphrase from
a right one of that operator alone, at the price of one Argon2id for each guess.
Never: keeps a passphrase, or says what is wrong with one.
"""

import binascii
import hashlib
import hmac
import re
import unicodedata
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec import Meta, Struct

from payrail.errors import PayRailError
from payrail.runtime.ports import Rng

#: How many together hold the keys: PCI DSS 3.7.6 wants split knowledge and dual control.
OPERATORS = 2
#: PCI DSS 8.3.6 asks for twelve characters.
PASSPHRASE_CHARACTERS_MIN, PASSPHRASE_CHARACTERS_MAX = 12, 256
NAME = re.compile(r"[a-z][a-z0-9._-]{0,31}")
_SALT_BYTES = 16
_SHARE_BYTES = _CHECK_BYTES = 32
_NONCE_BYTES = 12
_FORM = "wrapped1."


class Cost(Struct, frozen=True):
    """What one Argon2id costs. An edited file must not cost the machine."""

    memory_kib: Annotated[int, Meta(ge=8, le=1_048_576)]
    iterations: Annotated[int, Meta(ge=1, le=64)]
    lanes: Annotated[int, Meta(ge=1, le=16)]


#: OWASP's password storage cheat sheet, first choice: 46 MiB, one pass, one lane. Twice the passes.
COST = Cost(memory_kib=47_104, iterations=2, lanes=1)


class Operator(Struct, frozen=True):
    name: str
    salt: str
    check: str


class Protection(Struct, frozen=True):
    """How the keys of the file are wrapped; in `operators` the order of their shares."""

    kdf: Literal["argon2id"]
    cost: Cost
    operators: Annotated[tuple[Operator, ...], Meta(min_length=OPERATORS, max_length=OPERATORS)]
    salt: str
    fingerprint: str  # the fingerprint key, wrapped as the others

    @property
    def names(self) -> list[str]:
        return [operator.name for operator in self.operators]

    def operator(self, name: str) -> Operator | None:
        return next((one for one in self.operators if one.name == name), None)


class WrapBroken(PayRailError):
    """What stands in the file does not open with the key of the two operators."""


class Wrapping:
    """Wraps keys for the file and unwraps them. It has no repr, so that no log can show it."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def shut(self, what: str, clear: str, rng: Rng) -> str:
        """`clear` for the file, as `what` alone: under another name it does not open."""
        nonce = bytes.fromhex(rng.token_hex(_NONCE_BYTES))
        shut = nonce + self._cipher.encrypt(nonce, clear.encode(), _bound(what))
        return _FORM + urlsafe_b64encode(shut).decode()

    def open(self, what: str, shut: str) -> str:
        """What was shut as `what`. Raises WrapBroken."""
        try:
            data = b64decode(shut.removeprefix(_FORM).encode(), altchars=b"-_", validate=True)
            clear = self._cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], _bound(what))
            return clear.decode()
        except (InvalidTag, binascii.Error, ValueError):
            raise WrapBroken(f"{what} does not open with the operators' key") from None


def is_wrapped(text: str) -> bool:
    return text.startswith(_FORM)


def share_of(protection: Protection, operator: Operator, passphrase: str) -> bytes | None:
    """The operator's share of the key; None when the passphrase is not its own. Takes tens of
    milliseconds and memory: beside the loop."""
    share, check = _stretched(passphrase, operator.name, operator.salt, protection.cost)
    return share if hmac.compare_digest(check, operator.check) else None


def wrapping_of(protection: Protection, shares: Mapping[str, bytes]) -> Wrapping:
    """The wrapping of all its operators together. Raises KeyError when a share is missing."""
    together = b"".join(shares[name] for name in protection.names)
    told = b"payrail/vault/operators/1|" + "|".join(protection.names).encode()
    salt = protection.salt.encode()
    return Wrapping(HKDF(SHA256(), _SHARE_BYTES, salt=salt, info=told).derive(together))


def protect(
    pairs: Sequence[tuple[str, str]], fingerprint: str, rng: Rng, cost: Cost = COST
) -> tuple[Protection, Wrapping]:
    """A new protection by these names and passphrases, and its wrapping; as slow as `share_of`."""
    operators, shares = [], {}
    for name, passphrase in pairs:
        salt = rng.token_hex(_SALT_BYTES)
        shares[name], check = _stretched(passphrase, name, salt, cost)
        operators.append(Operator(name, salt, check))
    begun = Protection("argon2id", cost, tuple(operators), rng.token_hex(_SALT_BYTES), "")
    wrapping = wrapping_of(begun, shares)
    wrapped = wrapping.shut("fingerprint", fingerprint, rng)
    return Protection(begun.kdf, cost, begun.operators, begun.salt, wrapped), wrapping


def waits_for(missing: list[str]) -> str:
    """What the seal of a protected vault says."""
    people = "operator" if len(missing) == 1 else "operators"
    names = ", ".join(missing)
    return f"waits for {len(missing)} {people}: {names}; `payrail vault unlock --operator NAME`"


def _stretched(passphrase: str, name: str, salt: str, cost: Cost) -> tuple[bytes, str]:
    """Share and check. Both come out of Argon2id, and neither says anything about the other."""
    stretched = Argon2id(
        salt=salt.encode(),
        length=_SHARE_BYTES + _CHECK_BYTES,
        iterations=cost.iterations,
        lanes=cost.lanes,
        memory_cost=cost.memory_kib,
    ).derive(unicodedata.normalize("NFC", passphrase).encode())
    told = f"payrail/vault/operator-check/1|{name}".encode()
    check = hmac.new(stretched[_SHARE_BYTES:], told, hashlib.sha256).hexdigest()
    return stretched[:_SHARE_BYTES], check


def _bound(what: str) -> bytes:
    return f"payrail/vault/wrapped/1|{what}".encode()
