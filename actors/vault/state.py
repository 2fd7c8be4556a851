"""What the vault knows: tokens, ciphertexts, and the line that every access leaves.

Owns: data/vault/tokens.json, data/vault/encrypted_cards.json, data/vault/access_log.jsonl.
Never: holds a card number or an encryption key. Those are in `keys` and live for one call.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Struct, field

from actors.vault import rotation as keys_rotation
from actors.vault.rotation import (
    ROTATION,
    CardsMoved,
    KeyRetired,
    KeysRetiring,
    KeyTaken,
    Rotation,
    RotationBegun,
)
from payrail.errors import LineDamaged
from payrail.runtime.actor import BookSpec

TOKENS = "data/vault/tokens.json"
CARDS = "data/vault/encrypted_cards.json"
ACCESS_LOG = "data/vault/access_log.jsonl"


class TokenRecord(Struct, frozen=True):
    """What may be shown of a token. Without a card number, as its name says: a record."""

    merchant_id: str
    brand: str
    bin: str
    last4: str
    fingerprint: str
    exp_month: int
    exp_year: int
    created_at: str


class EncryptedCard(Struct, frozen=True):
    """One card at rest; opens only with key `key_id` and only for the token it is filed under."""

    key_id: str
    ciphertext: str


class CardStored(Struct, frozen=True, tag_field="type", tag="card.stored"):
    token: str
    record: TokenRecord
    card: EncryptedCard


class AccessLine(Struct, frozen=True, omit_defaults=True):
    """One line of the access log: somebody wanted something of a token, and got it or did not.
    What has a default stands in a line only where there is something to say."""

    at: str  # wire time: when it really happened
    who: str
    token: str
    purpose: str  # one of PURPOSES, or `unknown`
    payment_id: str | None
    correlation_id: str
    outcome: str  # allowed | refused:<why>
    origin: str
    merchant_id: str | None = None  # whose token it is
    provider: str | None = None  # for whom the card was asked to be sealed
    reference: str | None = None  # of that provider's operation
    key_id: str | None = None  # the key that came or went


class VaultState(Struct):
    tokens: dict[str, TokenRecord] = {}
    cards: dict[str, EncryptedCard] = {}
    rotation: Rotation = field(default_factory=Rotation)

    def token_of(self, token: str, merchant_id: str | None) -> TokenRecord | None:
        """The record, if it is this merchant's (None: the house asks, over all merchants)."""
        record = self.tokens.get(token)
        if record is None or merchant_id not in (None, record.merchant_id):
            return None
        return record

    def owner_of(self, token: str) -> str | None:
        """Whose token it is; None for one that we do not know."""
        record = self.tokens.get(token)
        return record.merchant_id if record else None


class _Tokens(Struct):
    tokens: dict[str, TokenRecord]


class _Cards(Struct):
    cards: dict[str, EncryptedCard]


class _Rotation(Struct):
    rotation: Rotation


_Event = CardStored | RotationBegun | KeyTaken | CardsMoved | KeysRetiring | KeyRetired
_decode_event: Callable[[bytes], Struct] = msgspec.json.Decoder(_Event).decode
_decode_access = msgspec.json.Decoder(AccessLine).decode
_decode_tokens = msgspec.json.Decoder(_Tokens).decode
_decode_cards = msgspec.json.Decoder(_Cards).decode
_decode_rotation = msgspec.json.Decoder(_Rotation).decode


def read_event(line: bytes) -> Struct:
    """An event of the vault. Raises LineDamaged."""
    try:
        return _decode_event(line)
    except msgspec.MsgspecError as error:
        raise LineDamaged(f"not an event of the vault: {error}") from error


def read_access(line: bytes) -> Struct:
    """A line of the access log. Raises LineDamaged."""
    try:
        return _decode_access(line)
    except msgspec.MsgspecError as error:
        raise LineDamaged(f"not a line of the access log: {error}") from error


ACCESS_BOOK = BookSpec(path=ACCESS_LOG, read=read_access, sequence="access")


def apply(state: VaultState, event: Struct) -> None:
    """Fold one event. An access line changes nothing that the vault decides by."""
    match event:
        case CardStored():
            state.tokens[event.token] = event.record
            state.cards[event.token] = event.card
        case CardsMoved(key_id=key_id, cards=cards):
            for token, ciphertext in cards.items():
                state.cards[token] = EncryptedCard(key_id, ciphertext)
        case RotationBegun() | KeyTaken() | KeysRetiring() | KeyRetired():
            keys_rotation.fold(state.rotation, event)


def documents(state: VaultState) -> dict[str, Any]:
    """The state as its documents; people read them, `load` uses them."""
    return {
        TOKENS: {"tokens": state.tokens},
        CARDS: {"cards": state.cards},
        ROTATION: {"rotation": state.rotation},
    }


def load(found: Mapping[str, bytes]) -> VaultState:
    """The state that `documents` wrote. Raises LineDamaged when they do not fit together."""
    try:
        tokens = _decode_tokens(found[TOKENS]).tokens
        cards = _decode_cards(found[CARDS]).cards
        rotation = _decode_rotation(found[ROTATION]).rotation
    except (KeyError, msgspec.MsgspecError) as error:
        raise LineDamaged(f"not the documents of the vault: {error}") from error
    if tokens.keys() != cards.keys():
        raise LineDamaged("tokens.json and encrypted_cards.json name different tokens")
    return VaultState(tokens, cards, rotation)
