"""Replies on their way to the edge that asked, also those that were given once before.

A stored answer is an offset into the journal: status and body are read there and given again byte
for byte. A reused key is told which fields differ from the request that stands there; of one that
was replayed, from the request in its dead letter.
"""

from typing import Any

import msgspec
from msgspec import Raw

from payrail.domain.messages import Envelope, ReplyLine
from payrail.domain.problems import route_fields
from payrail.domain.timestamps import iso
from payrail.errors import LineDamaged
from payrail.runtime.deadletters import read_dead_letter
from payrail.runtime.ports import File, Now
from payrail.storage.books import read_line
from payrail.storage.journal import StoredReply, decode_line
from payrail.storage.lines import complete_lines, encode, sealed

REPLAYED = "Idempotent-Replayed"

_decode_envelope = msgspec.json.Decoder(Envelope).decode


def reply_line(actor: str, reply: StoredReply, journal: File, letters: File, now: Now) -> bytes:
    """The reply as a line for the asker's mailbox, without its newline. Raises LineDamaged when
    what it refers to is neither in the journal nor in the book of dead letters."""
    try:
        return _reply_line(actor, reply, journal, letters, now)
    except (msgspec.MsgspecError, TypeError) as error:
        raise LineDamaged(f"nothing to answer from in the journal: {error}") from error


def _reply_line(actor: str, reply: StoredReply, journal: File, letters: File, now: Now) -> bytes:
    found = _stored(reply, journal) if reply.stored_at >= 0 else reply
    headers = {**found.headers, REPLAYED: "true"} if reply.replayed else found.headers
    body = found.body
    if reply.diff_at >= 0:
        body = _with_diff(body, first_fields(journal, reply.diff_at, letters))
    line = ReplyLine(
        id=f"{actor}>{reply.to}:re:{reply.re}",
        from_=actor,
        to=reply.to,
        kind="reply",
        re=reply.re,
        correlation_id=reply.correlation_id,
        sent_at=iso(now.wire_ms),
        status=found.status,
        headers=headers,
        body=body,
    )
    return sealed(encode(line))


def _stored(reply: StoredReply, journal: File) -> StoredReply:
    line = decode_line(read_line(journal, reply.stored_at))
    for given in line.replies:
        if given.stored_at < 0 and given.status < 500:
            return given
    raise LineDamaged(f"no answer stands in the journal at {reply.stored_at}")


def _with_diff(body: Raw, first: dict[str, Any]) -> Raw:
    """The problem in `body`, whose `diff` holds this request's fields, with what differs there."""
    problem: dict[str, Any] = msgspec.json.decode(body)
    problem["diff"] = field_diff(first, problem.get("diff", {}))
    return Raw(encode(problem))


def first_fields(journal: File, offset: int, letters: File) -> dict[str, Any]:
    """Fields, method and path of the request that the line at `offset` consumed or replayed."""
    taken = decode_line(read_line(journal, offset)).in_
    asked = _letter(letters, taken.about) if taken.about else taken.line
    envelope = _decode_envelope(asked)
    body: dict[str, Any] = msgspec.json.decode(envelope.body)
    fields: dict[str, Any] = body.get("fields", {})
    return {**fields, **route_fields(body.get("route", ""))}


def _letter(letters: File, ident: str) -> Raw:
    """The message of a dead letter, however long ago it was closed. Raises LineDamaged."""
    data = letters.pread(0, letters.size())
    for line in complete_lines(data)[0]:
        if ident.encode() in line and (letter := read_dead_letter(line)).id == ident:
            return letter.message
    raise LineDamaged(f"there is no dead letter {ident}")


def field_diff(first: dict[str, Any], now: dict[str, Any]) -> list[dict[str, Any]]:
    """What differs, by field, sorted; a field that is missing on one side shows as null there."""
    names = sorted({*first, *now})
    return [
        {"field": name, "first": first.get(name), "now": now.get(name)}
        for name in names
        if first.get(name) != now.get(name)
    ]
