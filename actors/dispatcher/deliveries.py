"""The book of deliveries: one line for each attempt, whatever came of it."""

import msgspec
from msgspec import Struct

from payrail.domain.books import DELIVERIES_BOOK
from payrail.errors import LineDamaged
from payrail.runtime.actor import BookSpec

DELIVERIES = "deliveries"


class Attempted(Struct, kw_only=True):
    """One line, without `seq`, `prev` and `hash`."""

    event_id: str
    endpoint_id: str
    attempt: int  # from 1
    status: int | None  # None when nobody answered
    error: str | None  # then one word for why
    latency_ms: int
    at: str  # wire time
    next_at: str | None  # when it is tried again; None: not by itself
    correlation_id: str


_decode = msgspec.json.Decoder(Attempted).decode


def read_attempted(line: bytes) -> Struct:
    """A line of the book. Raises LineDamaged."""
    try:
        return _decode(line)
    except msgspec.MsgspecError as error:
        raise LineDamaged(f"not a line of the book of deliveries: {error}") from error


def deliveries_book() -> BookSpec:
    return BookSpec(DELIVERIES_BOOK, read_attempted, DELIVERIES)
