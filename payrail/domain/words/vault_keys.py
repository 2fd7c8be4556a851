"""What is said about the keys that cards rest under: never a key itself."""

from msgspec import Struct

from payrail.domain.words.kinds import ERRAND, TIMER, asked, kind


class RotateKeys(Struct, forbid_unknown_fields=True):
    """The vault's door: make a new key, and move every card under it. `refused`: the door has said
    no already, and the vault writes that down."""

    who: str
    origin: str
    refused: str | None = None


class LookAtKeys(Struct, forbid_unknown_fields=True):
    """The vault's door: which keys there are, and how far the rotation has come."""


class KeyMade(Struct, forbid_unknown_fields=True):
    """The new key is durable, and the vault's door encrypts with it."""

    key_id: str


class EncryptAgain(Struct, forbid_unknown_fields=True):
    """The vault to itself: the next few cards under an older key, or the end of that key."""


class KeyDropped(Struct, forbid_unknown_fields=True):
    """The bytes of a retired key are gone, or they are kept since cards of it still stand in the
    vault's documents."""

    key_id: str
    kept: bool = False


KINDS = (
    asked("keys.rotate", "vault.http", RotateKeys),
    asked("keys.look", "vault.http", LookAtKeys),
    kind("keys.made", ERRAND, KeyMade),
    kind("keys.again", TIMER, EncryptAgain),
    kind("keys.dropped", ERRAND, KeyDropped),
)
