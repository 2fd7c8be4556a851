"""Seeded stand-ins for what encrypts cards: the same seed, the same bytes, and next to no time.

A stand-in keeps what the house relies on: nothing in clear, and a seal opens for its provider and
its reference alone. The real ones have tests of their own. Never: used outside of a simulation.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode

import msgspec

from actors.provider.seals import PresentedCard, SealUnopened
from actors.vault.cipher import Card, VaultKeys
from actors.vault.seals import SealedCard, sealed_card

_TAG_BYTES = 16
_decode_card = msgspec.json.Decoder(SealedCard).decode


class SimSeals:
    """Fills `ProviderSeals`."""

    def seal_for(self, provider: str, reference: str, card: Card) -> str:
        """The card for `provider` and `reference` alone."""
        plain = msgspec.json.encode(sealed_card(card))
        return _sealed(f"{provider}|{reference}".encode(), plain)


class SimUnseal:
    """Fills `Unseal` for one provider."""

    def __init__(self, public_name: str) -> None:
        self._public_name = public_name

    def open_seal(self, sealed: str, reference: str) -> PresentedCard:
        """The card that was sealed for this reference. Raises SealUnopened."""
        plain = _opened(f"{self._public_name}|{reference}".encode(), sealed)
        if plain is None:
            raise SealUnopened("the seal does not open here for this reference")
        card = _decode_card(plain)
        return PresentedCard(card.n, card.m, card.y, card.h)


class SimKeys(VaultKeys):
    """The vault's keys, without chance in what they make."""

    def __init__(self, keys: VaultKeys) -> None:
        self.__dict__.update(keys.__dict__)

    def lock(self, key_id: str, token: str, plain: bytes, at_s: int | None = None) -> str:
        del at_s
        return _sealed(f"{key_id}|{token}".encode(), plain)

    def unlock(self, key_id: str, token: str, ciphertext: str) -> bytes:
        plain = _opened(f"{key_id}|{token}".encode(), ciphertext) if self.opens(key_id) else None
        return super().unlock(key_id, token, ciphertext) if plain is None else plain

    def made_s(self, key_id: str, ciphertext: str) -> int:
        del key_id, ciphertext
        return 0


def _sealed(context: bytes, plain: bytes) -> str:
    return urlsafe_b64encode(_tag(context, plain) + _masked(context, plain)).decode()


def _opened(context: bytes, sealed: str) -> bytes | None:
    try:
        data = urlsafe_b64decode(sealed)
    except ValueError:
        return None
    plain = _masked(context, data[_TAG_BYTES:])
    return plain if hmac.compare_digest(_tag(context, plain), data[:_TAG_BYTES]) else None


def _masked(context: bytes, data: bytes) -> bytes:
    mask = hashlib.shake_256(context).digest(len(data))
    return bytes(one ^ other for one, other in zip(data, mask, strict=True))


def _tag(context: bytes, plain: bytes) -> bytes:
    return hashlib.blake2b(plain, key=context[:64], digest_size=_TAG_BYTES).digest()
