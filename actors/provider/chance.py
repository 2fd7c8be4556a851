"""Luck without chance: the same words always give the same share."""

import hashlib

_SCALE = 1 << 64


def share_of(seed: int, *words: str) -> float:
    """A number from 0 up to but not 1, spread evenly over different words."""
    text = "|".join((str(seed), *words)).encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") / _SCALE
