"""One request of a client as it is sent each time, and how an answer to it is understood.

Never: takes an answer for final that the same key could still change.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from actors.cli.chaos.plans import Plan

#: How a client may see a killed house; anything else is written down as strange.
PASSING = frozenset({202, 409, 429, 503, 504})


class Strange(Exception):
    """An answer that no kill explains."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One request as it will be sent each time."""

    plan: Plan
    operation: str
    key: str
    url: str
    body: Mapping[str, Any]
    amount_minor: int
    payment_id: str | None = None

    def seen(self, **more: Any) -> dict[str, Any]:
        """The fields of a line of the history."""
        return {
            "operation": self.operation,
            "key": self.key,
            "payment_id": self.payment_id,
            "amount": self.amount_minor,
            "currency": self.plan.currency,
            "merchant": self.plan.merchant,
            **more,
        }


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: dict[str, Any]
    sha: str
    retry_after_s: float


def is_final(answer: Answer) -> bool:
    """Whether sending the same key again could tell nothing new."""
    return answer.status in (200, 201, 402)


def is_passing(answer: Answer) -> bool:
    """Whether a kill explains it: the same key will tell later."""
    is_refusal = answer.status == 409 and answer.body.get("retryable") is False
    return answer.status in PASSING and not is_refusal


def told_of(wish: Wish, answer: Answer) -> dict[str, Any]:
    """What the history keeps of an answer."""
    told: dict[str, Any] = {"status": answer.status, "body_sha": answer.sha}
    if wish.operation == "create" and answer.status in (200, 201):
        told["payment_id"] = answer.body.get("id")
    if answer.status >= 400:
        told |= {name: answer.body.get(name) for name in ("code", "retryable")}
    return told


def read_answer(status: int, data: bytes, headers: Mapping[str, str]) -> Answer:
    """Read an answer. Raises Strange for one that is no JSON object."""
    try:
        body = json.loads(data)
    except ValueError as error:
        raise Strange(f"{status} with a body that is no JSON") from error
    if not isinstance(body, dict):
        raise Strange(f"{status} with a body that is no object")
    retry_after = headers.get("Retry-After", "0")
    pause_s = float(retry_after) if retry_after.isdigit() else 0.0
    return Answer(status, body, hashlib.sha256(data).hexdigest(), pause_s)
