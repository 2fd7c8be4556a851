"""The vault at rest: every card opens, for its own token alone, and only the newest key is left."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from actors.simulation.evidence import Evidence
from actors.simulation.invariants.invariant import Invariant
from actors.simulation.seals import SimKeys
from actors.vault.cardkeys import CardKeys, RecordMismatch
from actors.vault.cipher import VaultKeys
from actors.vault.keyfile import KEYS, KeysFile
from actors.vault.state import CARDS, EncryptedCard
from payrail.runtime.sim import SimClock, SimRng

VAULT = "vault"
_decode_keys = msgspec.json.Decoder(KeysFile).decode
_decode_cards = msgspec.json.Decoder(dict[str, Any]).decode


def records_are_rotatable(evidence: Evidence) -> list[str]:
    """Each ciphertext opens for its own token and for no other; after a rotation nothing is under
    an older key, in memory and in the documents, and the bytes of that key are gone."""
    live = evidence.live.get(VAULT)
    if live is None or not evidence.fs.exists(KEYS):
        return []
    file = _decode_keys(evidence.fs.read(KEYS))
    found = [*_files(evidence, file), *_rotations(file, live.state.rotation)]
    if any(line.key for line in file.keys):
        keys = SimKeys(VaultKeys(file.keys, b"", SimClock(), CardKeys(evidence.fs, SimRng(0))))
        found += _records(keys, live.state.cards)
    return found


def _files(evidence: Evidence, file: KeysFile) -> Iterator[str]:
    for line in file.keys:
        if (line.key is None) != (line.retired_at is not None):
            yield f"{line.id} is {'' if line.retired_at else 'not '}retired ({KEYS})"
    gone = {line.id for line in file.keys if line.key is None}
    if evidence.fs.exists(CARDS):
        for token, card in _decode_cards(evidence.fs.read(CARDS))["cards"].items():
            if card["key_id"] in gone:
                yield f"{token} is under {card['key_id']}, which is retired ({CARDS})"


def _rotations(file: KeysFile, rotation: Any) -> Iterator[str]:
    there = [line.id for line in file.keys if line.key is not None]
    if rotation.making is not None:
        yield f"{rotation.making.key_id} is being made for ever"
    if rotation.live != there or len(there) != 1:
        yield f"keys {rotation.live} are in use, and {there} are there ({KEYS})"


def _records(keys: VaultKeys, cards: Mapping[str, EncryptedCard]) -> Iterator[str]:
    tokens = list(cards)
    for token, other in zip(tokens, [*tokens[1:], *tokens[:1]], strict=True):
        try:
            keys.open_card(token, cards[token])
        except RecordMismatch as error:
            yield f"{token} does not open: {error}"
        if other != token and _opens(keys, other, cards[token]):
            yield f"the card of {token} opens for {other} too"


def _opens(keys: VaultKeys, token: str, card: EncryptedCard) -> bool:
    try:
        keys.open_card(token, card)
    except RecordMismatch:
        return False
    return True


INVARIANTS = (
    Invariant(
        "I16", "vault records are bound and rotatable", records_are_rotatable, needs_rest=True
    ),
)
