"""`Prefer: wait=N`: whoever repeats an order that is under way waits up to N seconds for its end.

The same order is asked again, ever more rarely, while its answer is not final: that costs a line in
a mailbox each time, and holds no question open. Never: asks under another key, or waits longer.
"""

import re
from typing import Any

import msgspec
from aiohttp import web
from msgspec import Struct

from payrail.domain.messages import ReplyLine
from payrail.errors import RequestError

HEADER, APPLIED = "Prefer", "Preference-Applied"
WAIT_S_MAX = 30
#: So many may wait at once; then the others are answered as without the header.
WAITING_MAX = 500
#: Pauses between two looks, in seconds; the last one repeats.
_PAUSES_S = (0.05, 0.1, 0.2, 0.4, 0.8)
_WAIT = re.compile(r'\s*wait\s*=\s*(?:"([0-9]{1,4})"|([0-9]{1,4}))\s*', re.ASCII | re.IGNORECASE)


class _Problem(Struct):
    code: str = ""


_decode = msgspec.json.Decoder(_Problem).decode


def wait_of(request: web.Request, order: Any) -> int | None:
    """How many seconds the client of a keyed order would wait; None: it did not say. Other
    preferences are none of ours. Raises RequestError 400."""
    if getattr(order, "idempotency_key", None) is None:
        return None
    words = [word for line in request.headers.getall(HEADER, []) for word in line.split(",")]
    waits = [word for word in words if word.partition("=")[0].strip().lower() == "wait"]
    if not waits:
        return None
    found = _WAIT.fullmatch(waits[0]) if len(waits) == 1 else None
    seconds = int(found[1] or found[2]) if found else WAIT_S_MAX + 1
    if seconds > WAIT_S_MAX:
        detail = f"The header {HEADER} must say wait=N once, with N from 0 to {WAIT_S_MAX} seconds."
        told = {"field": HEADER, "message": f"wait must be from 0 to {WAIT_S_MAX}"}
        raise RequestError(400, "validation-error", detail, errors=[told])
    return seconds


def is_unfinished(reply: ReplyLine) -> bool:
    """Whether the same key will tell more: 202, or a twin is being worked on."""
    if reply.status != 409:
        return reply.status == 202
    return _decode(reply.body).code == "idempotency-in-flight"


def pause_s(look: int, left_s: float) -> float:
    """How long to wait before look number `look` (from 0)."""
    return min(left_s, _PAUSES_S[min(look, len(_PAUSES_S) - 1)])
