"""The one source of chance of a made-up world."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


_MASK = (1 << 64) - 1
_STEP = 0x9E3779B97F4A7C15


def _mixed(state: int) -> int:
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
    return state ^ (state >> 31)


class Draws:
    """Whole numbers from a seed, the same on every Python: SplitMix64, nothing to keep secret."""

    __slots__ = ("_state",)

    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK

    @classmethod
    def about(cls, seed: int, purpose: str, *numbers: int) -> "Draws":
        """Draws of one thing's own, so that it can be made without any other: thing `numbers` of a
        kind under a seed."""
        state = seed ^ int.from_bytes(purpose.encode())
        for number in numbers:
            state = _mixed((state + _STEP) & _MASK) ^ number
        return cls(_mixed(state & _MASK))

    def below(self, bound: int) -> int:
        """From 0 to `bound` - 1. The bias of a remainder of 64 bits does not show here."""
        self._state = (self._state + _STEP) & _MASK
        return _mixed(self._state) % bound

    def one_of(self, choices: Sequence[T]) -> T:
        return choices[self.below(len(choices))]

    def weighed(self, sums: Sequence[int]) -> int:
        """An index by weight; `sums` are the running sums of the weights."""
        return bisect_right(sums, self.below(sums[-1]))

    def digits(self, count: int) -> str:
        return "".join(str(self.below(10)) for _ in range(count))

    def shuffled(self, things: Sequence[T]) -> list[T]:
        mixed = list(things)
        for index in range(len(mixed) - 1, 0, -1):
            other = self.below(index + 1)
            mixed[index], mixed[other] = mixed[other], mixed[index]
        return mixed
