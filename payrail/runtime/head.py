"""Where an actor stands: the runtime's own state beside the actor's, folded from the same lines.

Watermarks of what it consumed, counters of what it sent, the ends of its books, its timers and its
open dead letters. `fold` is the only thing that changes a head, in life and in recovery alike.
"""

from collections.abc import Mapping

import msgspec
from msgspec import Struct, field

from payrail.domain.messages import BOOK, EDGES, HAND, TIMER
from payrail.domain.timestamps import parse_iso
from payrail.runtime.actor import BookSpec
from payrail.storage.journal import JournalLine, OutLine, TimerLine
from payrail.storage.lines import GENESIS, hash_of

DLQ = "dlq"  # the book that every actor has


class BookEnd(Struct):
    """The end of one book: its size in bytes, its lines, and the hash of its last line."""

    size: int = 0
    lines: int = 0
    hash: str = GENESIS


class Timer(Struct):
    """Something to be told later. `generation` parts settings of one id."""

    kind: str
    due_ms: int
    business: bool
    body: msgspec.Raw
    correlation_id: str
    generation: int

    def __post_init__(self) -> None:
        # A document is indented; what is spliced into a line again may hold no newline.
        self.body = msgspec.Raw(msgspec.json.format(bytes(self.body), indent=-1))


class HandPosition(Struct):
    generation: int = 0
    offset: int = 0
    digest: str = ""  # SHA-256 of the file up to the offset


class FollowPosition(Struct):
    """How far a book of somebody else was taken in: bytes, lines, and the last line's hash."""

    offset: int = 0
    lines: int = 0
    hash: str = GENESIS


class DeadRef(Struct):
    """An open dead letter: enough to find it again."""

    message_id: str
    offset: int  # of its line in the book
    size: int


decode_out = msgspec.json.Decoder(OutLine).decode


class _DeadLine(Struct):
    id: str


_decode_dead = msgspec.json.Decoder(_DeadLine).decode


class Head(Struct):
    """All counters of one actor. Grows with peers, books, timers and open dead letters only."""

    step: int = 0
    hash: str = GENESIS
    epoch: int = 0
    at_ms: int = 0
    business_ms: int = 0  # as of `at_ms`
    size: int = 0  # of the journal
    inner: dict[str, int] = field(default_factory=dict)  # sender -> last n
    edges: dict[str, tuple[int, int]] = field(default_factory=dict)  # sender -> (epoch, n)
    hand: HandPosition = field(default_factory=HandPosition)
    sent: dict[str, int] = field(default_factory=dict)  # receiver -> last n
    books: dict[str, BookEnd] = field(default_factory=dict)
    sequences: dict[str, int] = field(default_factory=dict)  # sequence name -> last seq
    timers: dict[str, Timer] = field(default_factory=dict)
    dead: dict[str, DeadRef] = field(default_factory=dict)
    follows: dict[str, FollowPosition] = field(default_factory=dict)

    def book_end(self, book: str) -> BookEnd:
        return self.books.setdefault(book, BookEnd())


def fold(head: Head, line: JournalLine, size: int, books: Mapping[str, BookSpec]) -> None:
    """Advance `head` past `line`, which is `size` bytes long with its newline."""
    head.step, head.hash, head.epoch = line.s, line.hash, line.epoch
    head.at_ms = parse_iso(line.at)
    head.business_ms = head.at_ms + line.ahead_ms
    head.size += size
    _fold_taken(head, line)
    for posted in line.books:
        _fold_book(head, posted.book, bytes(posted.line), books)
    for raw in line.out:
        out = decode_out(raw)
        head.sent[out.to] = out.n
    for timer in line.timers:
        _fold_timer(head, timer, line)


def _fold_taken(head: Head, line: JournalLine) -> None:
    taken = line.in_
    if taken.from_ == TIMER:
        head.timers.pop(taken.id, None)
    elif taken.from_ == HAND:
        head.hand = HandPosition(taken.generation, taken.offset, taken.chain)
    elif taken.from_.startswith(BOOK):
        book = taken.from_.removeprefix(BOOK)
        head.follows[book] = FollowPosition(taken.offset, taken.n, taken.chain)
    elif taken.from_ in EDGES:
        head.edges[taken.from_] = (taken.epoch, taken.n)
    elif taken.n:
        head.inner[taken.from_] = taken.n
    if taken.about:
        head.dead.pop(taken.about, None)


def _fold_book(head: Head, book: str, line: bytes, books: Mapping[str, BookSpec]) -> None:
    end = head.book_end(book)
    if book == DLQ:
        dead = _decode_dead(line).id
        head.dead[dead] = DeadRef(dead, end.size, len(line))
    end.size += len(line) + 1
    end.lines += 1
    end.hash = hash_of(line)
    sequence = books[book].sequence
    head.sequences[sequence] = head.sequences.get(sequence, 0) + 1


def _fold_timer(head: Head, timer: TimerLine, line: JournalLine) -> None:
    if timer.cancel:
        head.timers.pop(timer.cancel, None)
        return
    head.timers[timer.set] = Timer(
        timer.kind, parse_iso(timer.due), timer.business, timer.body, timer.correlation_id, line.s
    )
