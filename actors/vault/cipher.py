"""The cards at rest: encrypted under the newest key, opened with the one a card names, and moved
from an older one to the newest.

A ciphertext holds its token and its key id inside, because Fernet binds no context of its own:
a card that was moved to another token does not open.
Never: touches a file, stores a CVC, or prints a number.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from cryptography.fernet import Fernet, InvalidToken
from msgspec import Struct
from msgspec.structs import replace

from actors.vault.keyfile import KEYS, KeyLine, new_line
from actors.vault.operators import Protection, Wrapping
from actors.vault.state import EncryptedCard
from payrail.errors import PayRailError
from payrail.runtime.ports import Clock, Rng


class RecordMismatch(PayRailError):
    """A ciphertext does not open, or it holds another token's card."""


@dataclass(frozen=True, slots=True, repr=False)
class Card:
    """A card in clear, for the length of one call. It has no repr, so that no log can show it."""

    number: str
    exp_month: int
    exp_year: int
    holder: str = ""


class _Plain(Struct):
    """What is inside a ciphertext: the card, and the two names it is bound to."""

    t: str  # token
    k: str  # key id
    n: str  # number
    m: int  # expiry month
    y: int  # expiry year
    h: str  # holder's name


_decode_plain = msgspec.json.Decoder(_Plain).decode


class VaultKeys:
    """Encrypts with the newest key, opens with the one a card names."""

    def __init__(self, lines: Sequence[KeyLine], fingerprint_key: bytes, clock: Clock) -> None:
        self._by_id = {line.id: Fernet(line.key) for line in lines if line.key}
        self._fingerprint_key = fingerprint_key
        self._clock = clock
        #: Set when two operators hold the keys: how they rest in the file.
        self.protection: Protection | None = None
        self.wrapping: Wrapping | None = None
        self.current_id = next(iter(self._by_id))

    def encrypt(self, token: str, card: Card) -> EncryptedCard:
        """The card for rest, bound to `token` and to the current key."""
        plain = _Plain(
            token, self.current_id, card.number, card.exp_month, card.exp_year, card.holder
        )
        at_s = self._clock.now().wire_ms // 1000
        cipher = self._by_id[self.current_id]
        text = cipher.encrypt_at_time(msgspec.json.encode(plain), at_s)
        return EncryptedCard(self.current_id, text.decode())

    def open_card(self, token: str, stored: EncryptedCard) -> Card:
        """The card of `token`. Raises RecordMismatch."""
        plain = self._plain(token, stored)
        return Card(plain.n, plain.m, plain.y, plain.h)

    def _plain(self, token: str, stored: EncryptedCard) -> _Plain:
        cipher = self._by_id.get(stored.key_id)
        if cipher is None:
            raise RecordMismatch(f"key {stored.key_id} is not in {KEYS}")
        try:
            plain = _decode_plain(cipher.decrypt(stored.ciphertext))
        except (InvalidToken, msgspec.MsgspecError):
            # Without the cause: a decoder's message may quote what it decoded.
            raise RecordMismatch(f"the card does not open with key {stored.key_id}") from None
        if (plain.t, plain.k) != (token, stored.key_id):
            raise RecordMismatch("the ciphertext was made for another token or key")
        return plain

    def again(self, token: str, stored: EncryptedCard) -> EncryptedCard:
        """The same card under the current key, as old as it was. Raises RecordMismatch."""
        plain = self._plain(token, stored)
        plain.k = self.current_id
        at_s = self._by_id[stored.key_id].extract_timestamp(stored.ciphertext)
        text = self._by_id[plain.k].encrypt_at_time(msgspec.json.encode(plain), at_s)
        return EncryptedCard(plain.k, text.decode())

    def opens(self, key_id: str) -> bool:
        """Whether this key is here: one that was lost is not."""
        return key_id in self._by_id

    def begin(self, key_id: str, created_at: str, key: str) -> KeyLine:
        """The line of a new key, for the file."""
        return new_line(key_id, created_at, key, self._fingerprint_key)

    def at_rest(self, line: KeyLine, rng: Rng) -> KeyLine:
        """The line as it stands in the file: its key wrapped where two operators hold the keys."""
        if self.wrapping is None or line.key is None:
            return line
        return replace(line, key=self.wrapping.shut(line.id, line.key, rng))

    def use(self, line: KeyLine) -> None:
        """From now on new cards are under this key, which stands in the file; that is durable.
        Raises WrapBroken."""
        if line.key:
            key = self.wrapping.open(line.id, line.key) if self.wrapping else line.key
            self._by_id[line.id] = Fernet(key)
            self.current_id = line.id

    def forget(self, key_id: str) -> None:
        self._by_id.pop(key_id, None)

    @property
    def own(self) -> bytes:
        """The key of fingerprints and of key-checks."""
        return self._fingerprint_key

    def fingerprint(self, merchant_id: str, number: str) -> str:
        """The same for the same card of one merchant; says nothing across merchants.

        Keyed, because a plain hash of a card number is guessed in minutes (PCI DSS 3.5.1.1).
        """
        text = f"payrail/vault/fingerprint/1|{merchant_id}|{number}".encode()
        return "fp_" + hmac.new(self._fingerprint_key, text, hashlib.sha256).hexdigest()[:32]
