"""The journal: one line a step, and the only truth of its actor.

A line holds everything that its step will write elsewhere (book lines, spool lines, replies),
encoded, so that after its fsync nothing but I/O remains. `dur` is the last step known durable when
the line was written; D is the largest `dur` in the file. Damage at or below D is corruption; above
D it is a tail that was never promised to anybody, and is cut.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
from msgspec import Raw, Struct

from payrail.errors import Corrupt
from payrail.storage.lines import GENESIS, complete_lines, is_whole, sealed

NOTHING = Raw(b"null")

#: A line is refused when it would grow past this. The largest message of 16 KiB stands in a line up
#: to eight times: as taken, in entries and their events, in messages out and in the reply.
LINE_BYTES_MAX = 256 * 1024
#: How much is read at once when a journal is folded.
READ_BYTES = 4 * 1024 * 1024


class Taken(Struct, kw_only=True):
    """What a step consumed. Lines of edges and people are kept whole: nobody else keeps them."""

    from_: str = msgspec.field(name="from")
    id: str
    kind: str
    n: int = 0
    epoch: int = 0
    step: int = 0  # the sender's head, an anchor of its journal in ours
    chain: str = ""
    correlation_id: str = ""
    generation: int = 0  # of hand.jsonl
    offset: int = 0  # of hand.jsonl or a followed book, behind the last line taken
    about: str = ""  # the dead letter that a replay or drop closes
    line: Raw = NOTHING


class BookLine(Struct):
    book: str
    line: Raw


class OutLine(Struct):
    """Enough of a spool line to count it; the whole bytes are beside it."""

    to: str
    n: int


class TimerLine(Struct, omit_defaults=True):
    """`set` an id with all of the rest, or `cancel` it."""

    set: str = ""
    cancel: str = ""
    kind: str = ""
    due: str = ""
    business: bool = False
    correlation_id: str = ""
    body: Raw = NOTHING


class StoredReply(Struct, omit_defaults=True):
    """A reply as it stands in the line that decided it."""

    to: str
    re: str
    correlation_id: str
    status: int = 200
    headers: dict[str, str] = {}
    body: Raw = NOTHING
    stored_at: int = -1  # offset of the line whose reply is given again
    diff_at: int = -1  # offset of the line whose request differs from this one
    replayed: bool = False


class JournalLine(Struct):
    s: int
    epoch: int
    at: str
    dur: int
    in_: Taken = msgspec.field(name="in")
    events: list[Raw]
    books: list[BookLine]
    out: list[Raw]
    timers: list[TimerLine]
    replies: list[StoredReply]
    prev: str
    hash: str
    ahead_ms: int = 0  # of business time before `at`; left out of the line when it is 0


class _Link(Struct):
    """The few fields that recovery needs to decide where the journal ends."""

    s: int
    dur: int
    prev: str
    hash: str


decode_line = msgspec.json.Decoder(JournalLine).decode
_decode_link = msgspec.json.Decoder(_Link).decode
_encode = msgspec.json.Encoder().encode


def journal_bytes(line: JournalLine) -> bytes:
    """The line as it will stand in the file, without its newline. Its `hash` field is not read.

    Raises ValueError past LINE_BYTES_MAX.
    """
    books = b",".join(b'{"book":"%b","line":%b}' % (b.book.encode(), b.line) for b in line.books)
    body = (
        b'{"s":%d,"epoch":%d,"at":"%b",%b"dur":%d,"in":%b,"events":[%b],"books":[%b],"out":[%b],'
        b'"timers":%b,"replies":%b,"prev":"%b"}'
    ) % (
        line.s,
        line.epoch,
        line.at.encode(),
        b'"ahead_ms":%d,' % line.ahead_ms if line.ahead_ms else b"",
        line.dur,
        _encode(line.in_),
        b",".join(line.events),
        books,
        b",".join(line.out),
        _encode(line.timers),
        _encode(line.replies),
        line.prev.encode(),
    )
    if len(body) > LINE_BYTES_MAX:
        raise ValueError(f"a step of {len(body)} bytes does not fit into a journal line")
    return sealed(body)


@dataclass(frozen=True, slots=True)
class Extent:
    """Where a journal can be trusted: `end` bytes, of which those from `doubtful` on were written
    but perhaps never reached the disk. `lines` counts the whole ones from where reading began."""

    end: int
    doubtful: int
    lines: int
    last_step: int
    last_hash: str
    cut_bytes: int


def _link_of(line: bytes) -> _Link | None:
    """The link of a whole journal line, None when `line` is anything else."""
    try:
        return _decode_link(line) if is_whole(line) else None
    except (msgspec.MsgspecError, ValueError):
        return None


def _links(data: bytes) -> Iterator[tuple[int, int, _Link | None]]:
    """(line number, end offset, link or None when the line is not whole) of every line."""
    lines, rest = complete_lines(data)
    offset = 0
    for number, line in enumerate(lines, 1):
        offset += len(line) + 1
        yield number, offset, _link_of(line)
    if rest:
        yield len(lines) + 1, offset + len(rest), None


def extent(path: str, data: bytes, *, step: int = 0, head: str = GENESIS, line: int = 0) -> Extent:
    """Decide how far `data` (which follows step `step` with hash `head`) can be trusted.

    Keeps the longest run of whole, linked lines. Raises Corrupt when that run ends before D.
    """
    durable, kept_end, running = step, 0, True
    last_step, last_hash, kept = step, head, 0
    ends: list[tuple[int, int]] = []
    broken_line = 0
    for number, end, link in _links(data):
        if link is not None:
            durable = max(durable, link.dur)
        if running and link is not None and link.s == last_step + 1 and link.prev == last_hash:
            last_step, last_hash, kept_end, kept = link.s, link.hash, end, kept + 1
            ends.append((link.s, end))
        elif running:
            running, broken_line = False, line + number
    if last_step < durable:
        raise Corrupt(path, broken_line, f"damaged at or below step {durable}, which was durable")
    doubtful = max((end for s, end in ends if s <= durable), default=0)
    return Extent(kept_end, doubtful, kept, last_step, last_hash, len(data) - kept_end)


def read_steps(data: bytes) -> Iterator[tuple[int, int, JournalLine]]:
    """(offset, size without the newline, decoded) of each line of trusted `data`."""
    offset = 0
    for line in complete_lines(data)[0]:
        yield offset, len(line), decode_line(line)
        offset += len(line) + 1


def verify_chain(path: str, data: bytes) -> tuple[int, str]:
    """(last step, last hash) of a whole journal. Raises Corrupt naming the first bad line."""
    step, head = 0, GENESIS
    lines, rest = complete_lines(data)
    for number, line in enumerate(lines, 1):
        link = _link_of(line)
        if link is None:
            raise Corrupt(path, number, "not a whole line of a journal")
        if link.s != step + 1 or link.prev != head:
            raise Corrupt(path, number, f"step {link.s} does not follow step {step}")
        step, head = link.s, link.hash
    if rest:
        raise Corrupt(path, len(lines) + 1, "the last line has no end")
    return step, head
