"""Who was refused what: one line of the log for each request that its asker may not make.

A wrong key, a role that is too low, an own request approved, another merchant's id: 401, 403 and
404. The line names the user and the key by their ids, the route as it is written down, the code
and the correlation id. An id that is another's and one that never was are the same here, as they
are in the answer. Never: tells a key's text or a body, or lets whoever guesses fill a disk: of more
than `LINES_PER_S` only the number is told, with the next line.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from aiohttp import web

from payrail.domain.buckets import Bucket
from payrail.errors import RequestError
from payrail.runtime.ports import Clock
from payrail.web.access import Caller
from payrail.web.correlation import correlation_id
from payrail.web.metrics import Handler

REFUSED = "access.refused"
STATUSES = frozenset({401, 403, 404})
#: Lines of refusals a second, and at once; a person who looks reads no more.
LINES_PER_S, LINES_AT_ONCE = 20, 100


class _Code(msgspec.Struct):
    code: str = ""


_decode = msgspec.json.Decoder(_Code).decode


class Refusals:
    """Lines about refused requests at one door. `told` writes one; `whose` tells who asks, None
    when the key is nobody's."""

    def __init__(
        self,
        clock: Clock,
        told: Callable[[str, Mapping[str, Any]], None],
        whose: Callable[[web.Request], Caller | None],
    ) -> None:
        self._clock, self._told, self._whose = clock, told, whose
        self._bucket = Bucket(LINES_PER_S, clock.monotonic_ms(), LINES_AT_ONCE)
        self._unsaid = 0

    def heard(self, method: str, path: str, handler: Handler) -> Handler:
        """The handler, with its refusals told under the route as it is written down."""

        async def hear(request: web.Request) -> web.StreamResponse:
            try:
                answer = await handler(request)
            except RequestError as refusal:
                if refusal.status in STATUSES:
                    self._tell(request, method, path, refusal.status, refusal.code)
                raise
            if answer.status in STATUSES:
                self._tell(request, method, path, answer.status, _code_of(answer))
            return answer

        return hear

    def _tell(self, request: web.Request, method: str, path: str, status: int, code: str) -> None:
        if self._bucket.take(self._clock.monotonic_ms()):
            self._unsaid += 1
            return
        caller = self._whose(request)
        unsaid, self._unsaid = self._unsaid, 0
        line = {
            "user": caller.user_id if caller else None,
            "role": caller.role if caller else None,
            "merchant_id": caller.merchant_id if caller else None,
            "key_id": (caller.key_id or None) if caller else None,
            "method": method,
            "route": path,
            "status": status,
            "code": code,
            "unsaid": unsaid,
            "correlation_id": correlation_id(request),
        }
        self._told(REFUSED, line)


def _code_of(answer: web.StreamResponse) -> str:
    """The code of a problem that an actor answered with."""
    body = answer.body if isinstance(answer, web.Response) else None
    try:
        return _decode(body).code if isinstance(body, bytes) else ""
    except msgspec.MsgspecError:
        return ""
