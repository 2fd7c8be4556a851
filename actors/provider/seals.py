"""Open what the vault has sealed for this provider and for one reference.

Owns: data/secrets/<actor>/seal (the secret half), data/providers/providerX_key.json (the public
one). Never: lets a card out of the call that asked for it.
"""

from dataclasses import dataclass
from typing import Protocol

import msgspec
from msgspec import Struct

from payrail.errors import PayRailError
from payrail.runtime.ports import Fs, Rng
from payrail.security.sealing import KeyPair, SealBroken, keypair_of, public_json, unseal
from payrail.security.secrets import secret


class SealUnopened(PayRailError):
    """The seal was made for another provider or reference, or holds no card."""


@dataclass(frozen=True, slots=True, repr=False)
class PresentedCard:
    """A card in clear, for the length of one call. It has no repr, so that no log can show it."""

    number: str
    exp_month: int
    exp_year: int
    holder: str = ""  # one of the names that decide a test, else nothing


class Unseal(Protocol):
    """Collaborator of a provider; a simulation gives a seeded one."""

    def open_seal(self, sealed: str, reference: str) -> PresentedCard:
        """The card that was sealed for this reference. Raises SealUnopened."""


class _Plain(Struct):
    """What the vault puts into a seal."""

    n: str  # number
    m: int  # expiry month
    y: int  # expiry year
    h: str = ""  # holder's name; seals that are older have none


class HpkeUnseal:
    """The real filling."""

    def __init__(self, keys: KeyPair, public_name: str) -> None:
        self._private_by_id = {keys.key_id: keys.private}
        self._public_name = public_name

    def open_seal(self, sealed: str, reference: str) -> PresentedCard:
        where = {"provider": self._public_name, "reference": reference}
        try:
            plain = msgspec.json.decode(unseal(self._private_by_id, sealed, **where), type=_Plain)
        except (SealBroken, msgspec.MsgspecError):
            # Without the cause: a decoder's message may quote what it decoded.
            raise SealUnopened("the seal does not open here for this reference") from None
        return PresentedCard(plain.n, plain.m, plain.y, plain.h)


def open_keys(fs: Fs, rng: Rng, actor: str, public_name: str) -> KeyPair:
    """This provider's keys, made at its first start; its public key is in its file afterwards."""
    keys = keypair_of(secret(fs, f"{actor}/seal", rng))
    path, public = f"data/providers/{public_name}_key.json", public_json(keys) + b"\n"
    if not fs.exists(path) or fs.read(path) != public:
        fs.replace(path, public)
    return keys
