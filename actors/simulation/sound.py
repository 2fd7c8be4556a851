"""Whether a house at rest is sound: every invariant holds, and each question has its one answer.

The invariants are those of a whole run (`actors.simulation.invariants`); nothing is judged twice.
"""

import msgspec

from actors.simulation.house import SimHouse
from actors.simulation.invariants import check_all
from actors.simulation.reading import ACCESS_LOG
from actors.simulation.seen import evidence_of
from actors.simulation.witness import Question
from payrail.domain.messages import ReplyLine

__all__ = ["ACCESS_LOG", "is_final", "key_of", "must_be_sound"]

FINAL = frozenset({200, 201, 402})


def is_final(reply: ReplyLine) -> bool:
    """Whether the same key gives this answer for good."""
    if reply.status == 409:
        return not msgspec.json.decode(reply.body)["retryable"]
    return reply.status in FINAL or _is_gone(reply)


def key_of(question: Question) -> str:
    """What a repetition has in common with the first: the key, else the name."""
    _, body = question.order
    return getattr(body, "idempotency_key", None) or question.re.partition("~")[0]


def must_be_sound(house: SimHouse) -> None:
    """Raises AssertionError with what is wrong."""
    findings = check_all(evidence_of(house))
    assert not findings, str(findings)
    _answers_agree(house)


def _answers_agree(house: SimHouse) -> None:
    """Every final answer ever seen under one name is the same answer, and there is one: also where
    there is no key."""
    finals: dict[str, set[tuple[int, bytes]]] = {}
    gone = set()
    for re, question in house.witness.questions.items():
        found = finals.setdefault(key_of(question), set())
        for reply in house.witness.replies.get(re, ()):
            poisoned = reply.status == 500 and house.fired
            known = is_final(reply) or reply.status == 202 or poisoned or _is_in_flight(reply)
            assert known, reply.status
            if _is_gone(reply):
                gone.add(key_of(question))
            elif is_final(reply):
                found.add((reply.status, bytes(reply.body)))
    wrong = [key for key, found in finals.items() if len(found) != 1 and (found or key not in gone)]
    assert not wrong, finals


def _is_gone(reply: ReplyLine) -> bool:
    """A card that is deleted again: the first answer got lost, and this is the same end."""
    return reply.status == 404 and b"There is no such token." in bytes(reply.body)


def _is_in_flight(reply: ReplyLine) -> bool:
    body = msgspec.json.decode(reply.body)
    return reply.status == 409 and body["code"] == "idempotency-in-flight"
