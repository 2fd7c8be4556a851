"""Idempotency: one key of one merchant means one effect and one answer.

Final 2xx, 402 and the 409 of a state machine are kept and given again byte for byte; everything
else is as if it had never been asked. 202 is provisional: the same key tells how things stand
until they are final.
"""

from typing import Any

from actors.gateway.dispute_state import standing
from actors.gateway.facts import KeyAnswered, KeyRecord, KeyTaken
from actors.gateway.state import KEY_MS, GatewayState
from payrail.domain.messages import Command
from payrail.domain.payments import render
from payrail.domain.problems import problem_fields, refusal_fields, route_fields
from payrail.errors import ReplayRefused, RequestError
from payrail.runtime.actor import Asker, Message, Moment, Reply, Step, asker_of

#: How long a twin should wait before it asks again, in seconds.
RETRY_S = "1"


def key_of(command: Command) -> str | None:
    """The scope of a key: merchant and key; None for a command without one (by hand)."""
    if command.idempotency_key is None:
        return None
    return f"{command.merchant_id} {command.idempotency_key}"


def seen_before(state: GatewayState, message: Message, moment: Moment) -> Step | None:
    """The answer to a key that is known; None when the command is to be decided."""
    asker = asker_of(message)
    key = key_of(message.body)
    record = state.keys.get(key) if key else None
    if record is None or _is_old(record, message, moment):
        return None
    if asker is None:
        return Step()  # a replayed dead letter whose key was used since: its effect is there
    if record.request_hash != message.body.request_hash:
        return Step(replies=[_reused(record, asker, message.body)])
    if record.final:
        again = record.asker != asker
        return Step(
            replies=[
                Reply(
                    asker.to,
                    asker.re,
                    correlation_id=asker.correlation_id,
                    stored_at=record.answer_at,
                    replayed=again,
                )
            ]
        )
    return _unfinished(state, record, asker)


def must_not_outlive_its_key(message: Message, moment: Moment) -> None:
    """A dead letter that is older than a key lives: its merchant may have used the key since, and
    nobody would know. Refuses: illegal-transition, to whoever replays it."""
    since_ms = message.dead_since_ms
    if key_of(message.body) is None or since_ms is None:
        return
    if moment.business_ms >= since_ms + KEY_MS:
        raise ReplayRefused(
            409,
            "illegal-transition",
            "this dead letter is older than its idempotency key lives, so the same order may have "
            "been carried out since; drop it, and let the merchant ask again with a new key",
            extra={"legal": ["drop"]},
        )


def _is_old(record: KeyRecord, message: Message, moment: Moment) -> bool:
    """A dead letter is as old as it is: a key that was known when it was set aside would have
    answered it, and does so when it is replayed."""
    since_ms = message.dead_since_ms
    now_ms = moment.business_ms if since_ms is None else since_ms
    return record.final and now_ms >= record.expires_ms


def _unfinished(state: GatewayState, record: KeyRecord, asker: Asker) -> Step:
    shown = _standing(state, record.payment_id or "") if record.status == 202 else None
    if shown is not None:
        return Step(replies=[reply(asker, 202, shown)])
    if record.asker == asker:
        return Step()  # asked again after our rebirth: the answer is on its way
    refusal = RequestError(
        409,
        "idempotency-in-flight",
        "a request with this key is being worked on; ask again with the same key",
        retryable=True,
        headers={"Retry-After": RETRY_S},
    )
    body = refusal_fields(refusal, asker.correlation_id)
    return Step(replies=[reply(asker, 409, body, refusal.headers)])


def _standing(state: GatewayState, ident: str) -> dict[str, Any] | None:
    """The payment, or the dispute, that the provisional answer was about."""
    if ident in state.payments:
        return render(state.payments[ident])
    return standing(state.disputes, ident)


def _reused(record: KeyRecord, asker: Asker, command: Command) -> Reply:
    """422 with what differs; the driver reads the first request at `diff_at`."""
    body = problem_fields(
        422,
        "idempotency-key-reused",
        "this key was used for another request; use a new key for a new request",
        asker.correlation_id,
        extra={"diff": {**command.fields, **route_fields(command.route)}},
    )
    return Reply(
        asker.to,
        asker.re,
        422,
        body,
        correlation_id=asker.correlation_id,
        diff_at=record.asked_at,
    )


def taken(message: Message, moment: Moment, payment_id: str | None) -> list[KeyTaken]:
    """The event that reserves the command's key, before anything else happens."""
    key, asker = key_of(message.body), asker_of(message)
    if key is None or asker is None:
        return []
    record = KeyRecord(
        message.body.request_hash,
        moment.offset,
        asker,
        moment.business_ms,
        payment_id,
        moment.business_ms + KEY_MS,
    )
    return [KeyTaken(key, record)]


def answered(key: str | None, status: int, moment: Moment) -> list[KeyAnswered]:
    """The event that freezes a key: the answer stands in this step's line."""
    expires_ms = moment.business_ms + KEY_MS
    return [] if key is None else [KeyAnswered(key, status, moment.offset, expires_ms)]


def done(
    step: Step,
    message: Message,
    moment: Moment,
    about: str | None,
    status: int,
    shown: dict[str, Any],
) -> Step:
    """`step`, whose command has its final answer at once: its key is taken and frozen in one, and
    who asked is told. `about`: the object that the key is about."""
    asker = asker_of(message)
    step.events[:0] = [
        *taken(message, moment, about),
        *answered(key_of(message.body), status, moment),
    ]
    if asker is not None:
        step.replies.append(reply(asker, status, shown))
    return step


def provisional(key: str | None, moment: Moment) -> list[KeyAnswered]:
    """The event that marks a key as answered 202 for now."""
    return [] if key is None else [KeyAnswered(key, 202, -1, moment.business_ms + KEY_MS)]


def reply(
    asker: Asker, status: int, body: dict[str, Any], headers: dict[str, str] | None = None
) -> Reply:
    """A reply to `asker`, who may have had a provisional one: then it is the kept one that
    counts, for the same key to find."""
    return Reply(asker.to, asker.re, status, body, headers or {}, asker.correlation_id)


def is_kept(refusal: RequestError) -> bool:
    """Whether a refusal is an answer that the key gives again."""
    return refusal.status == 409 and not refusal.retryable


def kept_refusal(refusal: RequestError, message: Message, moment: Moment) -> Step:
    """A final 409 of the state machine, stored under its key."""
    asker = asker_of(message)
    if asker is None:
        return Step()
    body = refusal_fields(refusal, message.correlation_id)
    return Step(
        events=[
            *taken(message, moment, getattr(message.body, "id", None)),
            *answered(key_of(message.body), refusal.status, moment),
        ],
        replies=[reply(asker, refusal.status, body, refusal.headers)],
    )
