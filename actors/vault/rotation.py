"""What the vault knows of its keys: which are in use, which one is being made, which ones end.

Owns: data/actors/vault/rotation.json. Never: holds a key, only the names of keys.
"""

from msgspec import Struct, field

from payrail.runtime.actor import Asker

ROTATION = "data/actors/vault/rotation.json"
FIRST = "k1"


class KeyWanted(Struct, frozen=True):
    """A key that somebody waits for."""

    key_id: str
    created_at: str
    asker: Asker | None = None


class Rotation(Struct):
    """Every key that ever was is in `live` or in `retired`, but for the one that is being made."""

    live: list[str] = field(default_factory=lambda: [FIRST])  # newest first
    number: int = 1  # of the newest key, also while it is being made
    making: KeyWanted | None = None
    retiring: dict[str, str] = {}  # still live, nothing may come under it: since when
    retired: dict[str, str] = {}  # its bytes are gone: since when
    who: str = ""  # who rotated last
    correlation_id: str = ""  # and under which name

    def takes(self, key_id: str) -> bool:
        """Whether a card may still be stored under this key."""
        return key_id not in self.retiring and key_id not in self.retired


class RotationBegun(Struct, frozen=True, tag_field="type", tag="rotation.begun"):
    """The intent to make a key."""

    wanted: KeyWanted
    who: str
    correlation_id: str


class KeyTaken(Struct, frozen=True, tag_field="type", tag="key.taken"):
    """The new key is durable and in use; the cards under older ones are to be moved."""

    key_id: str


class CardsMoved(Struct, frozen=True, tag_field="type", tag="cards.moved"):
    """Cards were encrypted again: their ciphertexts under `key_id`, by token."""

    key_id: str
    cards: dict[str, str]


class KeysRetiring(Struct, frozen=True, tag_field="type", tag="keys.retiring"):
    """Nothing is under these keys, and nothing will be: their bytes are to go."""

    key_ids: list[str]
    at: str


class KeyRetired(Struct, frozen=True, tag_field="type", tag="key.retired"):
    """The bytes of this key are gone."""

    key_id: str


RotationEvent = RotationBegun | KeyTaken | KeysRetiring | KeyRetired


def fold(rotation: Rotation, event: RotationEvent) -> None:
    """Fold one event about keys."""
    match event:
        case RotationBegun(wanted=wanted, who=who, correlation_id=correlation_id):
            rotation.making = wanted
            rotation.number += 1
            rotation.who, rotation.correlation_id = who, correlation_id
        case KeyTaken(key_id=key_id):
            rotation.making = None
            rotation.live.insert(0, key_id)
        case KeysRetiring(key_ids=key_ids, at=at):
            rotation.retiring.update(dict.fromkeys(key_ids, at))
        case KeyRetired(key_id=key_id):
            rotation.live.remove(key_id)
            rotation.retired[key_id] = rotation.retiring.pop(key_id)
