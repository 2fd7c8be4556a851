"""Ask an actor and pass its answer on untouched.

Never: changes an answer, or leaves a client without one when the house goes down.
"""

import asyncio
from collections.abc import Callable
from itertools import count
from typing import Any, Protocol

from aiohttp import web
from msgspec import Struct

from actors.frontdoor.prefer import APPLIED, WAITING_MAX, is_unfinished, pause_s, wait_of
from payrail.domain.messages import ReplyLine
from payrail.errors import RequestError
from payrail.web.correlation import correlation_id
from payrail.web.replies import passed_on

_AGAIN = {"Retry-After": "1"}


class Asker(Protocol):
    """What is needed of an edge; see `payrail.runtime.edge.Edge`."""

    @property
    def open_questions(self) -> int: ...

    async def ask(
        self,
        receiver: str,
        kind: str,
        body: Struct,
        *,
        correlation_id: str,
        budget_ms: int,
        key: str | None = None,
    ) -> ReplyLine: ...


class Asking:
    """The questions of one incarnation, and their end."""

    def __init__(
        self, edge: Asker, budget_ms: int, wake: Callable[[], None] = lambda: None
    ) -> None:
        """`wake` is called for the first open question, so that whoever reads replies reads."""
        self._edge, self._budget_ms, self._wake = edge, budget_ms, wake
        self._waiting: dict[asyncio.Task[object], None] = {}  # in the order of asking
        self._given_up, self._asleep = False, 0
        self.closed = False
        self.paused = False

    @property
    def open_questions(self) -> int:
        """Those under way, and those that wait for an end."""
        return self._edge.open_questions + self._asleep

    async def ask(
        self, request: web.Request, receiver: str, kind: str, body: Struct, key: str | None = None
    ) -> web.Response:
        """The actor's answer. Raises RequestError: 503 nothing was written, 504 it may happen."""
        wait_s = wait_of(request, body)
        self._must_be_open()
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a question is asked by a task")
        if not self._waiting:
            self._wake()
        self._waiting[task] = None
        try:
            reply = await self._once(request, receiver, kind, body, key)
            applied = {}
            if wait_s is not None and self._asleep < WAITING_MAX:
                reply = await self._finished(reply, wait_s, request, receiver, kind, body, key)
                applied = {APPLIED: f"wait={wait_s}"}
        except asyncio.CancelledError:
            if not self._given_up:
                raise
            task.uncancel()
            raise _going_down() from None
        finally:
            self._waiting.pop(task, None)
        answer = passed_on(reply)
        answer.headers.update(applied)
        return answer

    async def _once(
        self, request: web.Request, receiver: str, kind: str, body: Struct, key: str | None
    ) -> ReplyLine:
        return await self._edge.ask(
            receiver,
            kind,
            body,
            correlation_id=correlation_id(request),
            budget_ms=self._budget_ms,
            key=key,
        )

    async def _finished(self, reply: ReplyLine, wait_s: int, *asked: Any) -> ReplyLine:
        """The final answer, if it comes in time; else the last that there was."""
        now_s, looks = asyncio.get_running_loop().time, count()
        until_s = now_s() + wait_s
        while (left_s := until_s - now_s()) > 0 and is_unfinished(reply):
            self._asleep += 1
            try:
                await asyncio.sleep(pause_s(next(looks), left_s))
            finally:
                self._asleep -= 1
            reply = await self._once(*asked)
        return reply

    def close(self) -> None:
        """Take no new questions."""
        self.closed = True

    def give_up(self) -> None:
        """Answer whoever still waits: it may still happen."""
        self._given_up = True
        for task in self._waiting:
            task.cancel()

    def _must_be_open(self) -> None:
        if self.closed or self.paused:
            raise RequestError(
                503,
                "actor-restarting",
                f"The front door is {'stopping' if self.closed else 'paused'}; nothing was"
                " written, try again.",
                retryable=True,
                headers=_AGAIN,
            )


def _going_down() -> RequestError:
    return RequestError(
        504,
        "actor-restarting",
        "The house goes down; it may still happen, ask again with the same key.",
        retryable=True,
        headers=_AGAIN,
    )
