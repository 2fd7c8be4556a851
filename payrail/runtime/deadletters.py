"""Dead letters: what cannot be handled is set aside with its reason, and nothing waits behind it.

Owns the shape of `mailboxes/dlq/<actor>.jsonl`, a book like any other. Bytes that are not a line
of ours are kept beside it as a file named by their SHA-256.
"""

import hashlib
import traceback
from collections.abc import Mapping
from typing import Protocol

import msgspec
from msgspec import Raw, Struct

from payrail.domain.messages import HAND, KINDS
from payrail.domain.problems import problem_fields
from payrail.domain.timestamps import iso, parse_iso
from payrail.errors import LineDamaged
from payrail.runtime.actor import BookSpec, Message, Moment, Post, Reply, Step
from payrail.runtime.admission import Admitted, Refused, body_of
from payrail.runtime.effects import Keep
from payrail.runtime.head import DLQ, DeadRef
from payrail.storage.journal import NOTHING, Taken
from payrail.storage.strict import parse


class DeadLetter(Struct, kw_only=True):
    """One line of the book, without `seq`, `prev` and `hash`."""

    id: str  # dl_…
    actor: str
    why: str  # unparseable, too_large, schema, unknown_kind, sender, …
    deaths: int
    at: str
    error: dict[str, str]  # type, message, where
    message: Raw  # the original, null when it was not JSON of ours
    raw: str | None  # file with the original bytes
    business_at: str | None = None  # `at` in business time; older letters have none


read_dead_letter = msgspec.json.Decoder(DeadLetter).decode


class Letters(Protocol):
    """Finds the message of an open dead letter again."""

    def message(self, ref: DeadRef, by: Message) -> Message | None: ...


class NoLetters:
    """For an actor whose dead letters cannot be read back (tests of the bare loop)."""

    def message(self, ref: DeadRef, by: Message) -> Message | None:
        del ref, by
        return None


def book_path(actor: str) -> str:
    return f"mailboxes/dlq/{actor}.jsonl"


def with_dead_letters(actor: str, books: Mapping[str, BookSpec]) -> dict[str, BookSpec]:
    """The books of an actor and the one that each has."""
    return {**books, DLQ: BookSpec(book_path(actor), read_dead_letter, DLQ)}


def decide_error(actor: str, admitted: Admitted, fault: BaseException, moment: Moment) -> Step:
    """A rule raised: set the message aside, tell the asker 500 with its correlation id."""
    error = {"type": type(fault).__name__, "message": str(fault)[:500], "where": _where(fault)}
    letter = _letter(actor, "decide_error", error, moment, message=admitted.original)
    return Step(posts=[Post(DLQ, letter)], replies=_failed(admitted.message))


def crash_loop(actor: str, admitted: Admitted, deaths: int, moment: Moment) -> Step:
    """The message has killed its reader `deaths` times."""
    error = {"type": "CrashLoop", "message": f"killed {actor} {deaths} times", "where": "cell"}
    letter = _letter(actor, "crash_loop", error, moment, message=admitted.original, deaths=deaths)
    return Step(posts=[Post(DLQ, letter)], replies=_failed(admitted.message))


def set_aside(
    moment: Moment,
    *,
    why: str,
    error: dict[str, str],
    kind: str,
    body: Struct,
    correlation_id: str,
    index: int = 0,
) -> Post:
    """A letter that an actor writes itself, about something it gave up. Its message, of a `kind`
    that this actor may send, is what a replay decides; `index` parts several of one step."""
    fields = {
        "kind": kind,
        "from": moment.actor,
        "correlation_id": correlation_id,
        "body": body,
    }
    message = Raw(msgspec.json.encode(fields))
    letter = _letter(moment.actor, why, error, moment, message=message, index=index)
    return Post(DLQ, letter)


def refusal(actor: str, refused: Refused, moment: Moment) -> tuple[Step, list[Keep]]:
    """A line that does not fit the table of kinds, or is no line at all."""
    keep, path = _kept(refused.raw)
    error = {"type": refused.why, "message": refused.detail[:500], "where": refused.taken.id}
    letter = _letter(actor, refused.why, error, moment, message=refused.message, raw=path)
    step = Step(posts=[Post(DLQ, letter)])
    if refused.reply_to is not None:
        step.replies.append(_problem(refused.taken.from_, refused.reply_to, refused.taken))
    return step, keep


def again(line: bytes, by: Message) -> Message | None:
    """The message in a dead letter's line, to be decided on behalf of `by`; None without one. It is
    answered as if it had been decided then: its key has this effect too, and gives its answer."""
    letter = read_dead_letter(line)
    if bytes(letter.message) == b"null":
        return None
    fields = parse(bytes(letter.message))
    body = body_of(fields["kind"], msgspec.json.encode(fields["body"]))
    if "from" in fields and fields["from"] not in KINDS[fields["kind"]].senders:
        raise LineDamaged("nobody may say by a replay what its sender may not say")
    return Message(
        id=by.id,
        sender=fields.get("from", HAND),
        kind=fields["kind"],
        body=body,
        correlation_id=fields.get("correlation_id", by.correlation_id),
        reply_to=fields.get("reply_to"),
        key=fields.get("key"),
        dead_since_ms=parse_iso(letter.business_at or letter.at),
    )


def _letter(
    actor: str,
    why: str,
    error: dict[str, str],
    moment: Moment,
    *,
    message: Raw | None,
    raw: str | None = None,
    deaths: int = 0,
    index: int = 0,
) -> DeadLetter:
    return DeadLetter(
        id=moment.new_id("dl", index),
        actor=actor,
        why=why,
        deaths=deaths,
        at=iso(moment.wire_ms),
        error=error,
        message=NOTHING if message is None else message,
        raw=raw,
        business_at=iso(moment.business_ms),
    )


def _kept(raw: bytes | None) -> tuple[list[Keep], str | None]:
    if raw is None:
        return [], None
    path = f"mailboxes/dlq/raw/{hashlib.sha256(raw).hexdigest()}"
    return [Keep(path, raw)], path


def _failed(message: Message) -> list[Reply]:
    if message.reply_to is None:
        return []
    detail = "we could not handle this request; the same key may be used again later"
    body = problem_fields(500, "internal-error", detail, message.correlation_id)
    return [Reply(message.sender, message.reply_to, 500, body, {}, message.correlation_id)]


def _problem(to: str, re: str, taken: Taken) -> Reply:
    detail = "the request did not fit what this actor understands"
    body = problem_fields(500, "internal-error", detail, taken.correlation_id)
    return Reply(to, re, 500, body, {}, taken.correlation_id)


def _where(fault: BaseException) -> str:
    frames = traceback.extract_tb(fault.__traceback__)
    if not frames:
        return ""
    last = frames[-1]
    return f"{last.filename.rsplit('/', 1)[-1]}:{last.name}:{last.lineno}"
