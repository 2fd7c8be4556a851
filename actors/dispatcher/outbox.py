"""The outbox as the dispatcher reads it: where each of the merchants' events stands."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from payrail.domain.timestamps import parse_iso
from payrail.domain.words.endpoints import FoundEvent


class _Head(Struct):
    """As much of an event's line as says where it goes."""

    seq: int
    id: str
    type: str
    timestamp: str
    merchant_id: str | None
    correlation_id: str


_decode_head = msgspec.json.Decoder(_Head).decode


def heads(lines: Sequence[bytes], offset: int) -> tuple[list[FoundEvent], int, int]:
    """The merchants' events among lines that begin at `offset`, the last `seq`, and the place
    behind the last line."""
    found, seq = [], 0
    for line in lines:
        head = _head(line)
        if head is not None:
            seq = head.seq
            if head.merchant_id is not None:
                found.append(_found(head, head.merchant_id, offset, len(line)))
        offset += len(line) + 1
    return found, seq, offset


def _head(line: bytes) -> _Head | None:
    """None for a line that is whole and yet no event: nobody gets it, and those behind it count."""
    try:
        return _decode_head(line)
    except msgspec.MsgspecError:
        return None


def _found(head: _Head, merchant_id: str, offset: int, size: int) -> FoundEvent:
    at_ms = parse_iso(head.timestamp)
    return FoundEvent(
        head.seq, head.id, offset, size, head.type, at_ms, merchant_id, head.correlation_id
    )
