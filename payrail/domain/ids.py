"""Ids: derived from who made them and where, so that a replay makes the same one.

Tokens and secrets are not ids: those are random and made at an edge.
"""

import hashlib
from base64 import b32encode

_ID_BYTES = 10  # 80 bits: 16 characters of base32 without padding.


def derived_id(prefix: str, actor: str, step: int, index: int) -> str:
    """The id of the `index`-th thing that step `step` of `actor` makes, e.g. `pi_4k2…`."""
    digest = hashlib.sha256(f"{actor}:{step}:{index}:{prefix}".encode()).digest()
    return f"{prefix}_{b32encode(digest[:_ID_BYTES]).decode().lower()}"
