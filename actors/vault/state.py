"""What the vault knows: tokens, ciphertexts, and the line that every access leaves.

Owns: data/vault/tokens.json, data/vault/encrypted_cards.json, data/vault/access_log.jsonl.
Never: holds a card number or an encryption key. Those are in `keys` and live for one call.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Struct, field, structs

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
from payrail.domain.books import CARD_ACCESS_BOOK
from payrail.errors import LineDamaged
from payrail.runtime.actor import Asker, BookSpec

TOKENS = "data/vault/tokens.json"
CARDS = "data/vault/encrypted_cards.json"
ACCESS_LOG = CARD_ACCESS_BOOK
REUSABLE, SINGLE_USE = "reusable", "single_use"
#: Who may wait for one deletion; of more, the first are not answered.
ASKERS_MAX = 16


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
    usage: str = REUSABLE
    expires_at: str | None = None  # business time; None: as long as the card
    used_by: str | None = None  # of a single-use token: the payment that it serves


class EncryptedCard(Struct, frozen=True, omit_defaults=True):
    """One card at rest; opens only with key `key_id` and only for the token it is filed under."""

    key_id: str
    ciphertext: str
    slot: int | None = None  # of its own key; None: stored before cards had one


class CardStored(Struct, frozen=True, tag_field="type", tag="card.stored"):
    token: str
    record: TokenRecord
    card: EncryptedCard


class TokenUsed(Struct, frozen=True, tag_field="type", tag="token.used"):
    """A single-use token has found its payment."""

    token: str
    payment_id: str


class CardDeleted(Struct, frozen=True, tag_field="type", tag="card.deleted"):
    """The card is gone from what we know; its own key is still to be shredded. Again for each who
    asks meanwhile."""

    token: str
    slot: int | None  # None: stored before cards had keys of their own; then nothing is shredded
    merchant_id: str
    asker: Asker | None


class KeyShredded(Struct, frozen=True, tag_field="type", tag="card.shredded"):
    """Its own key is overwritten: every copy of its ciphertext is noise now."""

    token: str
    slot: int


class Shredding(Struct, frozen=True):
    """A deletion on its way: which key has to go, and who waits for it."""

    slot: int
    merchant_id: str
    askers: tuple[Asker, ...]


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
    shredding: dict[str, Shredding] = {}  # by token

    def token_of(self, token: str, merchant_id: str | None) -> TokenRecord | None:
        """The record, if it is this merchant's (None: the house asks, over all merchants)."""
        record = self.tokens.get(token)
        if record is None or merchant_id not in (None, record.merchant_id):
            return None
        return record

    def owner_of(self, token: str) -> str | None:
        """Whose token it is; None for one that we do not know."""
        found = self.tokens.get(token) or self.shredding.get(token)
        return found.merchant_id if found else None


class _Tokens(Struct):
    tokens: dict[str, TokenRecord]
    shredding: dict[str, Shredding] = {}


class _Cards(Struct):
    cards: dict[str, EncryptedCard]


class _Rotation(Struct):
    rotation: Rotation


_Event = (
    CardStored
    | TokenUsed
    | CardDeleted
    | KeyShredded
    | RotationBegun
    | KeyTaken
    | CardsMoved
    | KeysRetiring
    | KeyRetired
)
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
        case CardStored(token, record, card):
            state.tokens[token], state.cards[token] = record, card
        case TokenUsed(token, payment_id):
            if (used := state.tokens.get(token)) is not None:
                state.tokens[token] = structs.replace(used, used_by=payment_id)
        case CardDeleted():
            _deleted(state, event)
        case KeyShredded(token):
            state.shredding.pop(token, None)
        case CardsMoved(key_id=key_id, cards=cards):
            for token, text in cards.items():
                state.cards[token] = structs.replace(
                    state.cards[token], key_id=key_id, ciphertext=text
                )
        case RotationBegun() | KeyTaken() | KeysRetiring() | KeyRetired():
            keys_rotation.fold(state.rotation, event)


def _deleted(state: VaultState, event: CardDeleted) -> None:
    state.tokens.pop(event.token, None)
    state.cards.pop(event.token, None)
    if event.slot is None:
        return
    known = state.shredding.get(event.token)
    waiting = known.askers if known else ()
    askers = waiting if event.asker is None else (*waiting, event.asker)
    state.shredding[event.token] = Shredding(event.slot, event.merchant_id, askers[-ASKERS_MAX:])


def documents(state: VaultState) -> dict[str, Any]:
    """The state as its documents; people read them, `load` uses them."""
    tokens: dict[str, Any] = {"tokens": state.tokens}
    if state.shredding:
        tokens["shredding"] = state.shredding
    return {
        TOKENS: tokens,
        CARDS: {"cards": state.cards},
        ROTATION: {"rotation": state.rotation},
    }


def load(found: Mapping[str, bytes]) -> VaultState:
    """The state that `documents` wrote. Raises LineDamaged when they do not fit together."""
    try:
        first = _decode_tokens(found[TOKENS])
        cards = _decode_cards(found[CARDS]).cards
        rotation = _decode_rotation(found[ROTATION]).rotation
    except (KeyError, msgspec.MsgspecError) as error:
        raise LineDamaged(f"not the documents of the vault: {error}") from error
    if first.tokens.keys() != cards.keys():
        raise LineDamaged("tokens.json and encrypted_cards.json name different tokens")
    return VaultState(first.tokens, cards, rotation, first.shredding)
