"""What one journal line did, as nodes of a causal chain: the message it took, the step itself, and
everything that it wrote elsewhere."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from payrail.audit.findings import Finding
from payrail.domain.messages import BOOK, HAND, TIMER, Envelope
from payrail.domain.money import format_minor
from payrail.domain.routing import RoutingDecision, told
from payrail.storage.journal import BookLine, JournalLine, StoredReply

_decode_envelope = msgspec.json.Decoder(Envelope).decode


@dataclass(frozen=True, slots=True)
class Node:
    """One link. `cause` is the id of the node that led to it, None for a beginning."""

    id: str
    cause: str | None
    at: str
    actor: str
    kind: str  # message step reply entry event access truth delivery dead_letter record
    file: str
    line: int  # from 1; 0: in the journal of its writer only
    what: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """A line that must stand somewhere else. `hash` is empty where the journal does not know it."""

    node: str
    hash: str
    writer: str  # actor whose journal promises it
    step: int
    n: int = 0  # of a message


class _Caused(msgspec.Struct):
    causation_id: str | None = None


_decode_caused = msgspec.json.Decoder(_Caused).decode


def named_cause(raw: bytes) -> str | None:
    """The message that a line of a mailbox or book says it follows from, if it says so."""
    return _decode_caused(raw).causation_id


def step_id(actor: str, step: int) -> str:
    return f"{actor}:{step}"


def step_node(actor: str, path: str, line: JournalLine, cause: str | None) -> Node:
    taken = line.in_
    by = f"timer {taken.id}" if taken.from_ == TIMER else taken.id
    what = f"decides {taken.kind}, told by {by}"
    if taken.from_.startswith(BOOK):
        what = f"reads {taken.from_.removeprefix(BOOK)} up to line {taken.n}"
    return Node(step_id(actor, line.s), cause, line.at, actor, "step", path, line.s, what)


def envelope_node(raw: bytes, cause: str | None, file: str, line: int) -> Node:
    """The node of a mailbox line."""
    told = _decode_envelope(raw)
    about = f" about {told.key}" if told.key else ""
    what = f"{told.kind}{about}, to {told.to}"
    return Node(told.id, cause, told.sent_at, told.from_, "message", file, line, what)


def hand_node(actor: str, line: JournalLine) -> Node:
    """A line that a person wrote; its place in the file is an offset, so the journal is named."""
    taken = line.in_
    file = f"mailboxes/{actor}/hand.jsonl"
    return Node(taken.id, None, line.at, HAND, "message", file, 0, f"{taken.kind}, to {actor}")


def reply_node(actor: str, path: str, line: JournalLine, reply: StoredReply) -> Node:
    what = f"answers {reply.status} to {reply.to}"
    if reply.stored_at >= 0:
        what = f"gives an earlier answer again to {reply.to}"
    ident = f"{actor}>{reply.to}:re:{reply.re}"
    cause = step_id(actor, line.s)
    return Node(ident, cause, line.at, actor, "reply", path, line.s, what)


def book_nodes(
    actor: str, paths: Mapping[str, str], line: JournalLine
) -> Iterator[tuple[Node, bytes]]:
    """(node, book line) of each line that a step wrote into books that are known."""
    for posted in line.books:
        if posted.book in paths:
            yield _book_node(actor, paths[posted.book], line, posted), bytes(posted.line)


def _book_node(actor: str, path: str, line: JournalLine, posted: BookLine) -> Node:
    fields: dict[str, Any] = msgspec.json.decode(posted.line)
    cause = step_id(actor, line.s)
    kind, ident, what = _described(posted.book, fields)
    if kind == "event":
        ident, cause = f"event:{ident}", ident  # an event follows from its entry
    at = str(fields.get("timestamp") or fields.get("at") or line.at)
    return Node(ident, cause, at, actor, kind, path, 0, what)


def _described(book: str, fields: dict[str, Any]) -> tuple[str, str, str]:
    """Kind, id and words for a book line, told by the fields it has."""
    ident = f"{book}:{fields.get('seq')}"
    if "event_id" in fields and "postings" in fields:
        return (
            "entry",
            str(fields["event_id"]),
            f"{fields['type']}{_amount(fields)}{_routed(fields)}",
        )
    if "object_seq" in fields:
        return "event", str(fields["id"]), f"tells {fields['type']}"
    if "purpose" in fields:
        return "access", ident, f"{fields['purpose']} of {fields['token']}: {fields['outcome']}"
    if "operation_id" in fields:
        done = f"{fields['operation']} {fields['reference']} {fields['outcome']}"
        return "truth", ident, f"{done},{_amount(fields)}"
    if "endpoint_id" in fields and "attempt" in fields:
        done = "no answer" if fields.get("status") is None else f"status {fields['status']}"
        to = f"{fields.get('event_id')} to {fields['endpoint_id']}"
        return "delivery", ident, f"try {fields['attempt']} of {to}: {done}"
    if "deaths" in fields:
        return "dead_letter", str(fields["id"]), f"set aside: {fields['why']}"
    about = next((fields[name] for name in _NAMES if fields.get(name)), "")
    told = f": {fields['type']} {about}" if "type" in fields else ""
    return "record", ident, f"{book} line {fields.get('seq')}{told}"


def _amount(fields: Mapping[str, Any]) -> str:
    """What a line moves, as money with a blank before it; nothing for a line about none."""
    amount_minor, currency = fields["amount"], fields["currency"]
    try:
        return f" {format_minor(amount_minor, currency)}" if currency else ""
    except ValueError:  # Damage, or no currency of ours: shown as it stands there.
        return f" {amount_minor} {currency}"


def _routed(fields: Mapping[str, Any]) -> str:
    """Why a charge went where it went, for an entry that says so."""
    data = fields["data"]
    if not isinstance(data, dict) or not data.get("routing"):
        return ""
    decision = msgspec.convert(data["routing"], RoutingDecision)
    return f": {told(decision, data['provider'], fields['currency'])}"


@dataclass(frozen=True, slots=True)
class Needle:
    """How an id stands in a line. A plain search first: most lines do not hold it at all."""

    mark: bytes
    pattern: re.Pattern[bytes]

    def is_in(self, raw: bytes) -> bool:
        return self.mark in raw and self.pattern.search(raw) is not None


#: What a record of the access book is about, its own id before those that it belongs to.
_NAMES = ("endpoint_id", "key_id", "user_id", "merchant_id")


@dataclass(slots=True)
class Trace:
    """What is known so far."""

    needle: Needle
    nodes: dict[str, Node] = field(default_factory=dict)
    messages: dict[str, Wanted] = field(default_factory=dict)  # id -> where it must stand
    books: dict[str, Wanted] = field(default_factory=dict)  # hash -> where it must stand
    broken: list[Finding] = field(default_factory=list)
    told: dict[str, int] = field(default_factory=dict)  # actor -> step that all others can see
    causes: dict[tuple[str, int], tuple[str, int] | None] = field(default_factory=dict)  # of steps
    named: dict[str, tuple[str, int]] = field(default_factory=dict)  # cause -> who names it: place
