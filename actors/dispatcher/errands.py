"""The dispatcher's work on the world: read an event's bytes, sign them, send them; or read on.

    deliver ──▶ packed: the line without its links, under its own id ──▶ Send ──▶ delivery.done
    read    ──▶ read_more: places of what an endpoint missed                 ──▶ events.found

Secrets are derived here and stay here: what is journaled carries their versions alone. Both works
bear being done twice.
"""

from collections.abc import Callable
from dataclasses import dataclass

from msgspec import Struct

from actors.dispatcher.outbox import heads
from payrail.domain.books import OUTBOX_BOOK
from payrail.domain.webhooks import wants
from payrail.domain.words.endpoints import EventsFound, FoundEvent
from payrail.errors import Corrupt
from payrail.runtime.ports import Clock, File, Fs
from payrail.security.webhook_secrets import signed_headers, webhook_secret
from payrail.storage.lines import complete_lines, is_whole, without_links

#: Bytes of the outbox looked at for one piece; whoever gets few events reads on.
PIECE_BYTES = 1024 * 1024


class Deliver(Struct):
    """One attempt to deliver one event."""

    endpoint_id: str
    url: str
    versions: list[int]  # of the secrets that sign, the newest first
    attempt: int
    seq: int
    event_id: str
    at: int  # offset of its line in the outbox
    size: int
    correlation_id: str


class ReadMore(Struct):
    """Look for an endpoint's events from `offset` on, which is behind the event `seq`."""

    endpoint_id: str
    merchant_id: str
    filters: list[str]
    after_seq: int
    seq: int
    offset: int
    until: int
    events_max: int


@dataclass(frozen=True, slots=True)
class Packed:
    """What is sent: exactly these bytes were signed."""

    url: str
    body: bytes
    headers: dict[str, str]


Pack = Callable[[Deliver], Packed]


def packer(fs: Fs, clock: Clock, house_secret: bytes) -> Pack:
    """Makes what is sent. It raises Corrupt for a line that is not what was journaled."""

    opened: list[File] = []  # the outbox, once it is there

    def packed(order: Deliver) -> Packed:
        if not opened:
            opened.append(fs.open(OUTBOX_BOOK))
        body = _body(opened[0], order) or _put_back(order)
        if body is None:
            why = f"{order.event_id} does not stand there any more"
            raise Corrupt(OUTBOX_BOOK, order.seq, why)
        secrets = [webhook_secret(house_secret, order.endpoint_id, v) for v in order.versions]
        headers = {
            "Content-Type": "application/json",
            "X-Correlation-Id": order.correlation_id,
            **signed_headers(secrets, order.event_id, body, clock.now().wall_ms),
        }
        return Packed(order.url, body, headers)

    def _put_back(order: Deliver) -> bytes | None:
        """From the file that people may have put in the place of the one we read."""
        if fs.identity(OUTBOX_BOOK) in (opened[0].identity(), None):
            return None
        left, opened[0] = opened[0], fs.open(OUTBOX_BOOK)
        left.close()
        return _body(opened[0], order)

    return packed


def _body(outbox: File, order: Deliver) -> bytes | None:
    """The event as it was posted; None where it does not stand."""
    line = outbox.pread(order.at, order.size)
    if not is_whole(line) or f'"id":"{order.event_id}"'.encode() not in line:
        return None
    return without_links(line)


def read_more(fs: Fs, order: ReadMore) -> EventsFound:
    """The next piece of the outbox, as far as this endpoint is concerned."""
    file = fs.open(OUTBOX_BOOK)
    try:
        data = file.pread(order.offset, min(PIECE_BYTES, order.until - order.offset))
    finally:
        file.close()
    lines, _ = complete_lines(data)
    events, seq, offset = heads(lines, order.offset)
    mine = [event for event in events if _is_for(event, order)]
    if len(mine) > order.events_max:
        first = mine[order.events_max]
        seq, offset, mine = first.seq - 1, first.at, mine[: order.events_max]
    return EventsFound(order.endpoint_id, mine, seq or order.seq, offset)


def _is_for(event: FoundEvent, order: ReadMore) -> bool:
    return (
        event.merchant_id == order.merchant_id
        and event.seq > order.after_seq
        and wants(order.filters, event.type)
    )
