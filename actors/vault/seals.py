"""Seal a card for one provider, with the public key that this provider put into its file.

Reads: data/providers/providerA_key.json and its sibling, at each charge: a provider may be younger
than the vault. Never: opens a seal; only the addressed provider can.
"""

from typing import Protocol

from msgspec import Struct, json

from actors.vault.cipher import Card
from payrail.domain.testnames import spoken_name
from payrail.errors import PayRailError
from payrail.runtime.ports import Fs
from payrail.security.sealing import SealBroken, read_public, seal


class ProviderKeyMissing(PayRailError):
    """The provider has not published a key that can be used."""


class SealedCard(Struct, omit_defaults=True):
    """What a provider finds in a seal: the card, and nothing that a charge does not need."""

    n: str  # number
    m: int  # expiry month
    y: int  # expiry year
    h: str = ""  # holder's name, if it is one of those that decide a test; a person's stays here


def sealed_card(card: Card) -> SealedCard:
    """As much of a card as leaves the vault."""
    holder = spoken_name(card.holder)
    return SealedCard(card.number, card.exp_month, card.exp_year, holder)


class ProviderSeals(Protocol):
    """Collaborator of the vault; a simulation gives a seeded one."""

    def seal_for(self, provider: str, reference: str, card: Card) -> str:
        """The card for `provider` (providerA) and `reference` alone. Raises ProviderKeyMissing."""


class HpkeSeals:
    """The real filling."""

    def __init__(self, fs: Fs) -> None:
        self._fs = fs

    def seal_for(self, provider: str, reference: str, card: Card) -> str:
        plain = json.encode(sealed_card(card))
        try:
            public, key_id = read_public(self._fs.read(f"data/providers/{provider}_key.json"))
        except (FileNotFoundError, SealBroken) as error:
            raise ProviderKeyMissing(f"{provider} has no usable key file") from error
        return seal(public, key_id, plain, provider=provider, reference=reference)
