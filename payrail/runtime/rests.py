"""When an actor was last at rest and what it waits for: six words of its cell, for moving time.

    rest.turning()                          # before a turn: nobody may take it for idle now
    rest.worked()                           # the turn did something
    rest.rested(looked_ms, due_ms, errands) # it found nothing to do, at that business time

What it promises: whoever reads not busy, and later not busy with the same `worked` and two more
`looks`, knows that the actor did nothing in between and that nothing lay unread in its mailbox when
the later of these looks began.
What it never is: truth. It begins anew with each incarnation; see `payrail.runtime.hopping`.
"""

from typing import Final

from msgspec import Struct

#: Words of a rest in its cell: see the numbers below.
REST_WORDS: Final = 6
_BUSY, _WORKED, _LOOKS, _LOOKED_MS, _DUE_MS, _ERRANDS = range(REST_WORDS)


class Rested(Struct, frozen=True, gc=False):
    """A rest as somebody else sees it. Times are business times."""

    busy: bool = True
    worked: int = 0  # turns that did something
    looks: int = 0  # turns that found nothing to do
    looked_ms: int = 0  # what time it was before the last of these
    due_ms: int | None = None  # the earliest timer then; None without one
    errands: int = 0  # work beside the loop that had no end then


class Rest:
    """The writing end: words of the actor's own cell."""

    def __init__(self, words: memoryview) -> None:
        self._words = words
        words[_BUSY] = 1
        for word in range(_WORKED, REST_WORDS):
            words[word] = 0

    def turning(self) -> None:
        """A turn begins."""
        self._words[_BUSY] = 1

    def worked(self) -> None:
        """The turn did something; only a later one can find rest."""
        self._words[_WORKED] += 1

    def rested(self, looked_ms: int, due_ms: int | None, errands: int) -> None:
        """The turn that began at `looked_ms` found nothing. Busy is taken back last."""
        words = self._words
        words[_LOOKED_MS] = looked_ms
        words[_DUE_MS] = 0 if due_ms is None else max(1, due_ms)
        words[_ERRANDS] = errands
        words[_LOOKS] += 1
        words[_BUSY] = 0

    def release(self) -> None:
        """Let go of the page."""
        self._words.release()


def read_rest(words: memoryview) -> Rested:
    """A rest as somebody else sees it; busy is read first and again at the end."""
    busy = words[_BUSY]
    worked, looks, looked_ms, due_ms, errands = words[_WORKED:REST_WORDS].tolist()
    return Rested(bool(busy or words[_BUSY]), worked, looks, looked_ms, due_ms or None, errands)
