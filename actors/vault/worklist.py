"""Which cards are to be encrypted again, a few at a time.

A hint beside the state, made anew by each incarnation and whenever it has come to its end: what is
true of a card is what the state says when its turn comes.
Never: tries a card twice in one incarnation that did not open.
"""

from collections.abc import Mapping
from typing import Protocol

from actors.vault.cardkeys import RecordMismatch
from actors.vault.state import EncryptedCard

#: Cards of one step: a few milliseconds, so that whoever charges a card hardly waits.
CARDS_MAX = 64
#: Ciphertext of one step: a line of the journal has 64 KiB at most.
CHUNK_BYTES = 40 * 1024


class CardMover(Protocol):
    """Collaborator of rotation: `cipher.VaultKeys`."""

    @property
    def current_id(self) -> str: ...

    def opens(self, key_id: str) -> bool: ...

    def again(self, token: str, stored: EncryptedCard) -> EncryptedCard:
        """The same card under the current key. Raises RecordMismatch."""


class Worklist:
    """The cards under older keys, as they were when somebody looked last."""

    def __init__(self, keys: CardMover, at_once: int = CARDS_MAX) -> None:
        self._keys, self._at_once = keys, at_once
        self._target = ""
        self._todo: list[str] = []
        self._unopened: set[str] = set()

    def next(self, cards: Mapping[str, EncryptedCard]) -> dict[str, str] | None:
        """The next cards under the current key, by token, perhaps none of them; None when there is
        nothing left that can be moved."""
        if not self._todo or self._target != self._keys.current_id:
            self._look(cards)
        if not self._todo:
            return None
        moved: dict[str, str] = {}
        size_bytes = 0
        while self._todo and len(moved) < self._at_once and size_bytes < CHUNK_BYTES:
            text = self._moved(self._todo.pop(), cards)
            if text is not None:
                moved[text[0]] = text[1]
                size_bytes += len(text[1])
        return moved

    def is_lost(self, token: str, card: EncryptedCard) -> bool:
        """Whether this card cannot be moved: its key is gone, or it did not open."""
        return not self._keys.opens(card.key_id) or token in self._unopened

    def waits(self, token: str, card: EncryptedCard) -> bool:
        """Whether this card is under an older key, and can be moved."""
        return card.key_id != self._keys.current_id and not self.is_lost(token, card)

    def _look(self, cards: Mapping[str, EncryptedCard]) -> None:
        if self._target != self._keys.current_id:
            self._target = self._keys.current_id
            self._unopened.clear()
        waiting = [token for token, card in cards.items() if self.waits(token, card)]
        self._todo = waiting[::-1]

    def _moved(self, token: str, cards: Mapping[str, EncryptedCard]) -> tuple[str, str] | None:
        card = cards.get(token)
        if card is None or not self.waits(token, card):
            return None
        try:
            return token, self._keys.again(token, card).ciphertext
        except RecordMismatch:
            self._unopened.add(token)
            return None
