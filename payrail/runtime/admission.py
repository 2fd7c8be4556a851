"""From bytes in a mailbox to a message that may be decided on, or to the reason why not.

Inner lines are ours and carry a hash; a damaged one is passed over, and the gap it leaves is what
makes it heal. Hand lines come from people: they are parsed strictly, and each bad one becomes a
dead letter with its bytes.
"""

import msgspec
from msgspec import Raw, Struct

from payrail.domain.messages import (
    BOOK,
    EDGES,
    ERRAND,
    HAND,
    KINDS,
    MESSAGE_BYTES_MAX,
    TIMER,
    Envelope,
)
from payrail.domain.timestamps import parse_iso
from payrail.errors import MalformedJson
from payrail.runtime.actor import BookRead, Message
from payrail.runtime.head import Head
from payrail.storage.journal import NOTHING, Taken
from payrail.storage.lines import is_whole
from payrail.storage.strict import parse


class SpoolItem(Struct, frozen=True):
    """One complete line of a sender's spool, without its newline."""

    sender: str
    line: bytes


class HandItem(Struct, frozen=True):
    """One complete line of hand.jsonl; `end` and `digest` are those of the file up to it."""

    generation: int
    end: int
    line: bytes
    digest: str


class DueItem(Struct, frozen=True):
    """A timer that came due, as it was set in step `generation`."""

    timer_id: str
    generation: int


class DoneItem(Struct, frozen=True):
    """What came of an errand: a message of `kind`, its body encoded."""

    errand_id: str
    kind: str
    body: bytes
    correlation_id: str


class ReadItem(Struct, frozen=True):
    """New lines of a followed book. `offset`, `total` and `hash` are those behind the last one."""

    book: str
    lines: tuple[bytes, ...]
    offset: int
    total: int  # lines of the book up to here
    hash: str


Item = SpoolItem | HandItem | DueItem | DoneItem | ReadItem


class Refused(Struct, frozen=True):
    """A line that will not be decided: it becomes a dead letter with this reason."""

    why: str
    detail: str
    taken: Taken
    message: Raw | None  # the original when it is JSON of ours
    raw: bytes | None = None  # the original bytes when it is not
    reply_to: str | None = None


class Admitted(Struct, frozen=True):
    taken: Taken
    message: Message
    original: Raw  # the line as it came, for a dead letter
    sent_ms: int = 0  # wire time of its sending; 0 where nobody says


class Passed(Struct, frozen=True):
    """Nothing to do: seen before, damaged, or behind a gap (`gap` says so)."""

    gap: bool = False
    damaged: bool = False


class _HandLine(Struct, forbid_unknown_fields=True):
    kind: str
    body: Raw = Raw(b"{}")
    id: str | None = None


_decode_envelope = msgspec.json.Decoder(Envelope).decode
_decode_hand = msgspec.json.Decoder(_HandLine).decode
_decode_body = {name: msgspec.json.Decoder(kind.body).decode for name, kind in KINDS.items()}


def body_of(kind: str, raw: bytes | Raw) -> Struct:
    """The checked body of a kind in the table. Raises msgspec.MsgspecError, KeyError."""
    return _decode_body[kind](raw)


def admit_spool(item: SpoolItem, head: Head, actor: str) -> Admitted | Refused | Passed:
    """Check one spool line against the watermark of its sender and the table of kinds."""
    if not is_whole(item.line):
        return Passed(damaged=True)
    try:
        envelope = _decode_envelope(item.line)
    except (msgspec.MsgspecError, ValueError):
        return Passed(damaged=True)
    order = _order(envelope, item.sender, head)
    if order is not None:
        return order
    return _by_table(envelope, item, actor)


def _order(envelope: Envelope, sender: str, head: Head) -> Passed | None:
    if sender in EDGES:
        seen = (envelope.epoch, envelope.n) <= head.edges.get(sender, (0, 0))
        return Passed() if seen else None
    last = head.inner.get(sender, 0)
    if envelope.n <= last:
        return Passed()
    return Passed(gap=True) if envelope.n > last + 1 else None


def _by_table(envelope: Envelope, item: SpoolItem, actor: str) -> Admitted | Refused:
    taken = _taken(envelope, item)
    original = Raw(item.line)
    if len(item.line) > MESSAGE_BYTES_MAX * 2:  # neither the journal nor the book can hold it
        taken = msgspec.structs.replace(taken, line=NOTHING)
        detail = f"{len(item.line)} bytes in a message of at most {MESSAGE_BYTES_MAX}"
        return Refused("too_large", detail, taken, None, item.line, envelope.reply_to)
    kind = KINDS.get(envelope.kind)
    if kind is None:
        detail = f"no kind {envelope.kind[:100]!r}"
        return Refused("unknown_kind", detail, taken, original, reply_to=envelope.reply_to)
    if envelope.from_ != item.sender or item.sender not in kind.senders or envelope.to != actor:
        detail = f"{item.sender} may not send {kind.name} to {actor}"
        return Refused("sender", detail, taken, original, reply_to=envelope.reply_to)
    try:
        body = body_of(kind.name, envelope.body)
        deadline = parse_iso(envelope.deadline) if envelope.deadline else None
    except (msgspec.MsgspecError, ValueError) as error:
        return Refused("schema", str(error), taken, original, reply_to=envelope.reply_to)
    return Admitted(
        taken,
        Message(
            id=envelope.id,
            sender=item.sender,
            kind=kind.name,
            body=body,
            correlation_id=envelope.correlation_id,
            reply_to=envelope.reply_to,
            deadline_ms=deadline,
            key=envelope.key,
        ),
        original,
        _sent_ms(envelope),
    )


def _sent_ms(envelope: Envelope) -> int:
    try:
        return parse_iso(envelope.sent_at)
    except ValueError:
        return 0


def _taken(envelope: Envelope, item: SpoolItem) -> Taken:
    edge = item.sender in EDGES
    return Taken(
        from_=item.sender,
        id=envelope.id,
        kind=envelope.kind,
        n=envelope.n,
        epoch=envelope.epoch,
        step=envelope.step,
        chain="" if edge else envelope.chain,
        correlation_id=envelope.correlation_id,
        line=Raw(item.line) if edge else NOTHING,
    )


def admit_hand(item: HandItem, actor: str) -> Admitted | Refused:
    """Check one line that a person appended. Refuses what the table does not let people send."""
    ident = f"hand>{actor}:{item.generation}:{item.end}"
    taken = Taken(
        from_=HAND,
        id=ident,
        kind="",
        generation=item.generation,
        offset=item.end,
        chain=item.digest,
        correlation_id=f"cor_hand_{actor}_{item.generation}_{item.end}",
    )
    if len(item.line) > MESSAGE_BYTES_MAX:
        detail = f"{len(item.line)} bytes in a line of at most {MESSAGE_BYTES_MAX}"
        return Refused("too_large", detail, taken, None, item.line)
    try:
        parse(item.line)
    except MalformedJson as error:
        return Refused("unparseable", str(error), taken, None, item.line)
    return _hand_by_table(item, taken)


def _hand_by_table(item: HandItem, taken: Taken) -> Admitted | Refused:
    try:
        line = _decode_hand(item.line)
    except (msgspec.MsgspecError, ValueError) as error:
        return Refused("schema", str(error), taken, None, item.line)
    kind = KINDS.get(line.kind)
    if kind is None:
        return Refused("unknown_kind", f"no kind {line.kind!r}", taken, None, item.line)
    if not kind.by_hand:
        return Refused("sender", f"people may not send {kind.name}", taken, None, item.line)
    try:
        body = body_of(kind.name, line.body)
    except (msgspec.MsgspecError, ValueError) as error:
        return Refused("schema", str(error), taken, None, item.line)
    taken = msgspec.structs.replace(taken, kind=kind.name, line=Raw(item.line))
    message = Message(taken.id, HAND, kind.name, body, taken.correlation_id)
    return Admitted(taken, message, taken.line)


def admit_due(item: DueItem, head: Head) -> Admitted | Passed:
    """The message of a timer, unless it was cancelled or moved since."""
    timer = head.timers.get(item.timer_id)
    if timer is None or timer.generation != item.generation:
        return Passed()
    taken = Taken(
        from_=TIMER,
        id=item.timer_id,
        kind=timer.kind,
        correlation_id=timer.correlation_id,
    )
    ident = f"timer:{item.timer_id}:{timer.generation}"
    original = Raw(b'{"kind":"%b","body":%b}' % (timer.kind.encode(), timer.body))
    body = body_of(timer.kind, timer.body)
    message = Message(ident, TIMER, timer.kind, body, timer.correlation_id)
    return Admitted(taken, message, original)


def admit_done(item: DoneItem) -> Admitted:
    """The outcome of an errand. Its body is ours: one that does not fit the table is a bug, and
    raises."""
    ident = f"{ERRAND}:{item.errand_id}"
    original = Raw(b'{"kind":"%b","body":%b}' % (item.kind.encode(), item.body))
    taken = Taken(
        from_=ERRAND, id=ident, kind=item.kind, correlation_id=item.correlation_id, line=original
    )
    body = body_of(item.kind, item.body)
    return Admitted(taken, Message(ident, ERRAND, item.kind, body, item.correlation_id), original)


def admit_read(item: ReadItem) -> Admitted:
    """New lines of a book. They lie there: what is journaled is how far they were taken."""
    sender = f"{BOOK}{item.book}"
    ident = f"{sender}:{item.total}"
    taken = Taken(
        from_=sender,
        id=ident,
        kind="book.read",
        n=item.total,
        offset=item.offset,
        chain=item.hash,
        correlation_id=f"cor_{item.book}_{item.total}",
    )
    message = Message(
        ident, sender, "book.read", BookRead(item.book, item.lines), taken.correlation_id
    )
    return Admitted(taken, message, NOTHING)
