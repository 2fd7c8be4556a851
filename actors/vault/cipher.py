"""The cards at rest: encrypted under the newest key, opened with the one a card names, and moved
from an older one to the newest.

A ciphertext holds its token and its key id inside, because Fernet binds no context of its own:
a card that was moved to another token does not open. Number and name lie in it once more sealed,
under a key of that card alone, which ends with the card (cardkeys.py).
Never: touches a file, stores a CVC, or prints a number.
"""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
from cryptography.fernet import Fernet, InvalidToken
from msgspec import Struct
from msgspec.structs import replace

from actors.vault.cardkeys import CardKeys, RecordMismatch, open_own, seal_own
from actors.vault.keyfile import KEYS, KeyLine, new_line
from actors.vault.operators import Protection, Wrapping
from actors.vault.state import EncryptedCard
from payrail.runtime.ports import Clock, Rng


@dataclass(frozen=True, slots=True, repr=False)
class Card:
    """A card in clear, for the length of one call. It has no repr, so that no log can show it."""

    number: str
    exp_month: int
    exp_year: int
    holder: str = ""


class _Plain(Struct, omit_defaults=True):
    """What is inside a ciphertext: the card, and the two names it is bound to."""

    t: str  # token
    k: str  # key id
    m: int  # expiry month
    y: int  # expiry year
    c: str = ""  # number and holder's name, under the card's own key
    n: str = ""  # number, of a card that was stored before cards had keys of their own
    h: str = ""  # holder's name, likewise


class _Own(Struct):
    """What only the card's own key opens."""

    n: str  # number
    h: str  # holder's name


_decode_plain = msgspec.json.Decoder(_Plain).decode
_decode_own = msgspec.json.Decoder(_Own).decode


class VaultKeys:
    """Encrypts with the newest key, opens with the one a card names."""

    def __init__(
        self,
        lines: Sequence[KeyLine],
        fingerprint_key: bytes,
        clock: Clock,
        card_keys: CardKeys,
    ) -> None:
        self._by_id = {line.id: Fernet(line.key) for line in lines if line.key}
        self._fingerprint_key = fingerprint_key
        self._clock = clock
        #: Set when two operators hold the keys: how they rest in the file.
        self.protection: Protection | None = None
        self.wrapping: Wrapping | None = None
        self.card_keys = card_keys
        self.current_id = next(iter(self._by_id))

    def encrypt(self, token: str, card: Card) -> EncryptedCard:
        """The card for rest, bound to `token` and to the current key. Raises OSError when a key of
        its own cannot be made durable."""
        slot, key = self.card_keys.take()
        own = seal_own(key, token, msgspec.json.encode(_Own(card.number, card.holder)))
        plain = _Plain(token, self.current_id, card.exp_month, card.exp_year, own)
        text = self.lock(self.current_id, token, msgspec.json.encode(plain))
        return EncryptedCard(self.current_id, text, slot)

    def open_card(self, token: str, stored: EncryptedCard) -> Card:
        """The card of `token`. Raises RecordMismatch."""
        plain = self._plain(token, stored)
        if stored.slot is None and plain.n:
            return Card(plain.n, plain.m, plain.y, plain.h)
        if stored.slot is None:
            raise RecordMismatch("the record of the card has lost its slot")
        own = _decode_own(open_own(self.card_keys.key_of(stored.slot), token, plain.c))
        return Card(own.n, plain.m, plain.y, own.h)

    def _plain(self, token: str, stored: EncryptedCard) -> _Plain:
        """What lies around the card, which stays under its own key."""
        try:
            plain = _decode_plain(self.unlock(stored.key_id, token, stored.ciphertext))
        except msgspec.MsgspecError:
            # Without the cause: a decoder's message may quote what it decoded.
            raise RecordMismatch(f"the card does not open with key {stored.key_id}") from None
        if (plain.t, plain.k) != (token, stored.key_id):
            raise RecordMismatch("the ciphertext was made for another token or key")
        return plain

    def again(self, token: str, stored: EncryptedCard) -> EncryptedCard:
        """The same card under the current key, as old as it was. Raises RecordMismatch."""
        plain = self._plain(token, stored)
        plain.k = self.current_id
        at_s = self.made_s(stored.key_id, stored.ciphertext)
        text = self.lock(plain.k, token, msgspec.json.encode(plain), at_s)
        return replace(stored, key_id=plain.k, ciphertext=text)

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

    def must_hold(self, cards: Iterable[EncryptedCard]) -> None:
        """Raises VaultSealed when the file of per-card keys is missing or too short for them."""
        last = max((card.slot for card in cards if card.slot is not None), default=None)
        if last is not None:
            self.card_keys.must_reach(last)

    # What a simulation does otherwise: without chance, and bound to the token here as well.

    def lock(self, key_id: str, token: str, plain: bytes, at_s: int | None = None) -> str:  # noqa: ARG002
        """`plain` under a key of ours; `at_s` says when it was first, if not now."""
        made_s = self._clock.now().wire_ms // 1000 if at_s is None else at_s
        return self._by_id[key_id].encrypt_at_time(plain, made_s).decode()

    def unlock(self, key_id: str, token: str, ciphertext: str) -> bytes:  # noqa: ARG002
        """What `lock` locked. Raises RecordMismatch."""
        cipher = self._by_id.get(key_id)
        if cipher is None:
            raise RecordMismatch(f"key {key_id} is not in {KEYS}")
        try:
            return cipher.decrypt(ciphertext)
        except InvalidToken:
            raise RecordMismatch(f"the card does not open with key {key_id}") from None

    def made_s(self, key_id: str, ciphertext: str) -> int:
        """When `lock` was called first."""
        return self._by_id[key_id].extract_timestamp(ciphertext)

    def fingerprint(self, merchant_id: str, number: str) -> str:
        """The same for the same card of one merchant; says nothing across merchants.

        Keyed, because a plain hash of a card number is guessed in minutes (PCI DSS 3.5.1.1).
        """
        text = f"payrail/vault/fingerprint/1|{merchant_id}|{number}".encode()
        return "fp_" + hmac.new(self._fingerprint_key, text, hashlib.sha256).hexdigest()[:32]
