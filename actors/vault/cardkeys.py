"""A key of its own for every card, so that one card can be shredded wherever copies of it lie.

Owns: data/secrets/vault/card_keys (its own truth, never journaled). Keys are made a block ahead and
are durable before the first of them is used, so that storing a card costs no fsync of its own.
What a crash left of a block is never used: each incarnation begins a new one.
Never: uses a slot twice, moves one, or hands out a key whose check does not fit.
"""

import asyncio
import base64
import errno
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from actors.vault.refusals import VaultSealed
from payrail.domain.cardslots import (
    CARD_KEYS,
    KEY_BYTES,
    SLOT_BYTES,
    Slot,
    key_in,
    slot_bytes,
    state_of,
)
from payrail.domain.words.cards import CardShredded, ShredCard
from payrail.errors import PayRailError
from payrail.runtime.errands import Outcome, Work
from payrail.runtime.ports import File, Fs, Rng

#: Slots made at once: 16 KiB, one fsync for as many cards.
BLOCK_SLOTS = 256
SHRED = "shred"  # the vault's work that overwrites a slot
#: A key seals one text, once, so its nonce needs no chance.
_NONCE = bytes(12)


class RecordMismatch(PayRailError):
    """A card does not open: its ciphertext or its key is not what was written."""


class CardKeys:
    """The slots, as one incarnation of the vault uses them."""

    def __init__(self, fs: Fs, rng: Rng) -> None:
        self._fs, self._rng = fs, rng
        self._file: File | None = None
        self._next = self._end = 0  # what is left of this incarnation's block

    def take(self) -> tuple[int, bytes]:
        """A slot that no card has had, and its key, durable. Raises OSError."""
        self._must_be_the_file()
        if self._next == self._end:
            self._make_block()
        slot = self._next
        self._next += 1
        return slot, self.key_of(slot)

    def key_of(self, slot: int) -> bytes:
        """The key in a slot. Raises RecordMismatch when there is none, or not the one made."""
        data = self._read(slot)
        key = key_in(slot, data)
        if key is None:
            raise RecordMismatch(f"slot {slot} of {CARD_KEYS} is {state_of(slot, data)}")
        return key

    def must_reach(self, slot: int) -> None:
        """Raises VaultSealed when the file ends before this slot, which a card was stored under."""
        if self._fs.size(CARD_KEYS) < (slot + 1) * SLOT_BYTES:
            found = "ends too early" if self._fs.exists(CARD_KEYS) else "is missing"
            raise VaultSealed(f"{CARD_KEYS} {found}, but cards were stored under it; restore it")

    def _read(self, slot: int) -> bytes:
        try:
            return self._opened().pread(slot * SLOT_BYTES, SLOT_BYTES)
        except FileNotFoundError:
            return b""

    def _opened(self) -> File:
        if self._file is None:
            self._file = self._fs.open(CARD_KEYS)
        return self._file

    def _must_be_the_file(self) -> None:
        """Raises OSError when somebody took the file away: what is put into ours would be lost."""
        file = self._file
        if file is not None and file.identity() != self._fs.identity(CARD_KEYS):
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), CARD_KEYS)

    def _make_block(self) -> None:
        if self._file is None:
            self._file = self._fs.open(CARD_KEYS, create=True)
        file = self._file
        first = -(-file.size() // SLOT_BYTES)  # behind whatever a crash left, whole or torn
        keys = bytes.fromhex(self._rng.token_hex(KEY_BYTES * BLOCK_SLOTS))
        block = b"".join(
            slot_bytes(first + n, keys[n * KEY_BYTES : (n + 1) * KEY_BYTES])
            for n in range(BLOCK_SLOTS)
        )
        file.pwrite(first * SLOT_BYTES, block)
        file.sync()
        self._next, self._end = first, first + BLOCK_SLOTS


def seal_own(key: bytes, token: str, plain: bytes) -> str:
    """`plain` under a card's own key, bound to its token."""
    return base64.b64encode(AESGCM(key).encrypt(_NONCE, plain, token.encode())).decode()


def open_own(key: bytes, token: str, sealed: str) -> bytes:
    """What `seal_own` sealed. Raises RecordMismatch."""
    try:
        return AESGCM(key).decrypt(_NONCE, base64.b64decode(sealed), token.encode())
    except (InvalidTag, ValueError):
        raise RecordMismatch("the card does not open with the key of its slot") from None


@asynccontextmanager
async def shredding(fs: Fs) -> AsyncIterator[Mapping[str, Work]]:
    """The work `shred`, beside the loop."""

    async def shred(order: ShredCard) -> Outcome:
        return await asyncio.to_thread(shred_card, fs, order)

    yield {SHRED: shred}


def shred_card(fs: Fs, order: ShredCard) -> Outcome:
    """Overwrite the slot with zeros, durable; again does no harm. Raises OSError.

    Through a handle of its own: of a failed sync, each handle of a file hears once.
    """
    file = fs.open(CARD_KEYS)
    try:
        if state_of(order.slot, file.pread(order.slot * SLOT_BYTES, SLOT_BYTES)) is Slot.MISSING:
            raise OSError(errno.ENXIO, "the file ends before this slot", CARD_KEYS)
        file.pwrite(order.slot * SLOT_BYTES, bytes(SLOT_BYTES))
        file.sync()
    finally:
        file.close()
    return "card.shredded", CardShredded(order.token)
