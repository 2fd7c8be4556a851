"""Replies on their way to the edge that asked, also those that were given once before.

A stored answer is an offset into the journal: status and body are read there and given again byte
for byte. A reused key is told which fields differ from the request that stands there.
"""

from typing import Any

import msgspec
from msgspec import Raw

from payrail.domain.messages import Envelope, ReplyLine
from payrail.domain.problems import route_fields
from payrail.domain.timestamps import iso
from payrail.errors import LineDamaged
from payrail.runtime.ports import File, Now
from payrail.storage.books import read_line
from payrail.storage.journal import StoredReply, decode_line
from payrail.storage.lines import encode, sealed

REPLAYED = "Idempotent-Replayed"

_decode_envelope = msgspec.json.Decoder(Envelope).decode


def reply_line(actor: str, reply: StoredReply, journal: File, now: Now) -> bytes:
    """The reply as a line for the asker's mailbox, without its newline. Raises LineDamaged when
    what it refers to is not in the journal."""
    try:
        return _reply_line(actor, reply, journal, now)
    except (msgspec.MsgspecError, TypeError) as error:
        raise LineDamaged(f"nothing to answer from in the journal: {error}") from error


def _reply_line(actor: str, reply: StoredReply, journal: File, now: Now) -> bytes:
    found = _stored(reply, journal) if reply.stored_at >= 0 else reply
    headers = {**found.headers, REPLAYED: "true"} if reply.replayed else found.headers
    body = _with_diff(found.body, reply.diff_at, journal) if reply.diff_at >= 0 else found.body
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


def _with_diff(body: Raw, diff_at: int, journal: File) -> Raw:
    """The problem in `body`, whose `diff` holds this request's fields, with what differs there."""
    problem: dict[str, Any] = msgspec.json.decode(body)
    first = first_fields(journal, diff_at)
    problem["diff"] = field_diff(first, problem.get("diff", {}))
    return Raw(encode(problem))


def first_fields(journal: File, offset: int) -> dict[str, Any]:
    """Fields, method and path of the request that the line at `offset` consumed."""
    envelope = _decode_envelope(decode_line(read_line(journal, offset)).in_.line)
    body: dict[str, Any] = msgspec.json.decode(envelope.body)
    fields: dict[str, Any] = body.get("fields", {})
    return {**fields, **route_fields(body.get("route", ""))}


def field_diff(first: dict[str, Any], now: dict[str, Any]) -> list[dict[str, Any]]:
    """What differs, by field, sorted; a field that is missing on one side shows as null there."""
    names = sorted({*first, *now})
    return [
        {"field": name, "first": first.get(name), "now": now.get(name)}
        for name in names
        if first.get(name) != now.get(name)
    ]
