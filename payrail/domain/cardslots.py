"""How per-card keys lie in their file: one key a slot, with a check that names the slot.

A card is sealed under the key of its own slot. A slot of zeros was shredded: nobody opens that card
any more, whatever copies of it are left. Pure: bytes in, bytes out, for the vault that writes the
file and for those who look at it. Never: shows a key.
"""

import hashlib
from enum import StrEnum

#: The file, made by the vault; `Fs` keeps everything below data/secrets to its owner.
CARD_KEYS = "data/secrets/vault/card_keys"
KEY_BYTES = 32  # AES-256.
#: Divides a disk's sector: overwriting one slot touches no half of another.
SLOT_BYTES = 64
_ZEROS = bytes(SLOT_BYTES)


class Slot(StrEnum):
    """What a slot is found to hold."""

    FILLED = "filled"
    SHREDDED = "shredded"
    BROKEN = "broken"  # edited, moved here from another slot, or cut off
    MISSING = "missing"  # beyond the end of the file


def slot_bytes(slot: int, key: bytes) -> bytes:
    """The slot with this key in it."""
    return key + _check(slot, key)


def state_of(slot: int, data: bytes) -> Slot:
    """What `data`, read at the slot's place, says."""
    if not data:
        return Slot.MISSING
    if data == _ZEROS:
        return Slot.SHREDDED
    key = data[:KEY_BYTES]
    return Slot.FILLED if data == key + _check(slot, key) else Slot.BROKEN


def key_in(slot: int, data: bytes) -> bytes | None:
    """The key that stands in a slot; None unless it is filled."""
    return data[:KEY_BYTES] if state_of(slot, data) is Slot.FILLED else None


def _check(slot: int, key: bytes) -> bytes:
    """Of 256 random bits a plain hash gives nothing away."""
    return hashlib.sha256(f"payrail/vault/card-key/1|{slot}|".encode() + key).digest()
