"""The outbox as the dispatcher reads it: where each of the merchants' events stands."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from payrail.domain.timestamps import parse_iso
from payrail.domain.words.endpoints import FoundEvent

EVENTS_BOOK = "data/outbox/events.jsonl"


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
        head = _decode_head(line)
        seq = head.seq
        if head.merchant_id is not None:
            at_ms = parse_iso(head.timestamp)
            found.append(
                FoundEvent(
                    head.seq,
                    head.id,
                    offset,
                    len(line),
                    head.type,
                    at_ms,
                    head.merchant_id,
                    head.correlation_id,
                )
            )
        offset += len(line) + 1
    return found, seq, offset
