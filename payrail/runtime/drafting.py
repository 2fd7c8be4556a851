"""From a decided step to its journal line: every byte that will leave is made here, once.

Book lines get their `seq` and chain, messages their number in the channel, timers their payload.
Nothing here changes the head; `payrail.runtime.head.fold` does, from the finished line.
"""

from collections.abc import Mapping

from msgspec import Raw

from payrail.domain.messages import KINDS, VERSION
from payrail.domain.timestamps import iso
from payrail.runtime.actor import BookSpec, CancelTimer, Moment, Reply, Send, SetTimer, Step
from payrail.runtime.head import Head
from payrail.storage.journal import (
    NOTHING,
    BookLine,
    JournalLine,
    StoredReply,
    Taken,
    TimerLine,
    journal_bytes,
)
from payrail.storage.lines import chained, encode, hash_of, sealed


def draft_step(
    head: Head,
    books: Mapping[str, BookSpec],
    taken: Taken,
    step: Step,
    moment: Moment,
    *,
    durable: int,
    wall_ms: int,
) -> tuple[bytes, JournalLine]:
    """The step's journal line, as bytes without the newline and as its own decoded form. `wall_ms`:
    the machine's clock at this moment, in which deadlines travel."""
    line = JournalLine(
        s=moment.step,
        epoch=head.epoch,
        at=iso(moment.wire_ms),
        ahead_ms=moment.business_ms - moment.wire_ms,
        dur=durable,
        in_=taken,
        events=[Raw(encode(event)) for event in step.events],
        books=_book_lines(head, books, step),
        out=_out_lines(head, taken, step, moment, wall_ms),
        timers=[_timer_line(timer, taken) for timer in step.timers],
        replies=[_stored(reply, taken) for reply in step.replies],
        prev=head.hash,
        hash="",
    )
    written = journal_bytes(line)
    line.hash = hash_of(written)
    return written, line


def _book_lines(head: Head, books: Mapping[str, BookSpec], step: Step) -> list[BookLine]:
    prevs: dict[str, str] = {}
    seqs: dict[str, int] = {}
    lines = []
    for post in step.posts:
        sequence = books[post.book].sequence
        seq = seqs.get(sequence, head.sequences.get(sequence, 0)) + 1
        seqs[sequence] = seq
        prev = prevs.get(post.book) or head.book_end(post.book).hash
        line = chained(b'{"seq":%d,%b' % (seq, encode(post.record)[1:]), prev)
        prevs[post.book] = hash_of(line)
        lines.append(BookLine(post.book, Raw(line)))
    return lines


def _out_lines(head: Head, taken: Taken, step: Step, moment: Moment, wall_ms: int) -> list[Raw]:
    counts: dict[str, int] = {}
    lines = []
    for send in step.out:
        n = counts.get(send.to, head.sent.get(send.to, 0)) + 1
        counts[send.to] = n
        lines.append(Raw(_out_line(head, taken, send, n, moment, wall_ms)))
    return lines


def _out_line(head: Head, taken: Taken, send: Send, n: int, moment: Moment, wall_ms: int) -> bytes:
    span_ms = KINDS[send.kind].deadline_ms
    deadline_ms = send.deadline_ms or (moment.wire_ms + span_ms if span_ms else None)
    if deadline_ms is not None:
        deadline_ms -= moment.wire_ms - wall_ms
    return envelope_line(
        sender=moment.actor,
        receiver=send.to,
        n=n,
        epoch=head.epoch,
        step=moment.step,
        chain=head.hash,
        kind=send.kind,
        key=send.key,
        correlation_id=taken.correlation_id,
        causation_id=taken.id,
        reply_to=None,
        sent_at_ms=moment.wire_ms,
        deadline_ms=deadline_ms,
        body=encode(send.body),
    )


def envelope_line(  # noqa: PLR0913 - a line has that many fields, each told by name
    *,
    sender: str,
    receiver: str,
    n: int,
    epoch: int,
    step: int,
    chain: str,
    kind: str,
    key: str | None,
    correlation_id: str,
    causation_id: str | None,
    reply_to: str | None,
    sent_at_ms: int,
    deadline_ms: int | None,
    body: bytes,
) -> bytes:
    """One mailbox line without its newline; the only place where one is put together."""
    ident = f"{sender}>{receiver}:{n}" if step else f"{sender}>{receiver}:{epoch}.{n}"
    fields = {
        "id": ident,
        "from": sender,
        "to": receiver,
        "n": n,
        "epoch": epoch,
        "step": step,
        "chain": chain,
        "kind": kind,
        "v": VERSION,
        "key": key,
        "correlation_id": correlation_id,
        "causation_id": causation_id,
        "reply_to": reply_to,
        "sent_at": iso(sent_at_ms),
        "deadline": iso(deadline_ms) if deadline_ms else None,
        "body": Raw(body),
    }
    return sealed(encode(fields))


def _timer_line(timer: SetTimer | CancelTimer, taken: Taken) -> TimerLine:
    if isinstance(timer, CancelTimer):
        return TimerLine(cancel=timer.id)
    return TimerLine(
        set=timer.id,
        kind=timer.kind,
        due=iso(timer.due_ms),
        business=timer.business,
        correlation_id=timer.correlation_id or taken.correlation_id,
        body=Raw(encode(timer.body)),
    )


def _stored(reply: Reply, taken: Taken) -> StoredReply:
    return StoredReply(
        to=reply.to,
        re=reply.re,
        correlation_id=reply.correlation_id or taken.correlation_id,
        status=reply.status,
        headers=dict(reply.headers),
        body=NOTHING if reply.body is None else Raw(encode(reply.body)),
        stored_at=-1 if reply.stored_at is None else reply.stored_at,
        diff_at=-1 if reply.diff_at is None else reply.diff_at,
        replayed=reply.replayed,
    )
