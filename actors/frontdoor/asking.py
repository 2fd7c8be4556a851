"""Ask an actor and pass its answer on untouched.

Never: decodes an answer, or leaves a client without one when the house goes down.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from aiohttp import web
from msgspec import Struct

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
        self._waiting: set[asyncio.Task[object]] = set()
        self._given_up = False
        self.closed = False
        self.paused = False

    @property
    def open_questions(self) -> int:
        return self._edge.open_questions

    async def ask(
        self, request: web.Request, receiver: str, kind: str, body: Struct, key: str | None = None
    ) -> web.Response:
        """The actor's answer. Raises RequestError: 503 nothing was written, 504 it may happen."""
        self._must_be_open()
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a question is asked by a task")
        if not self._waiting:
            self._wake()
        self._waiting.add(task)
        try:
            reply = await self._edge.ask(
                receiver,
                kind,
                body,
                correlation_id=correlation_id(request),
                budget_ms=self._budget_ms,
                key=key,
            )
        except asyncio.CancelledError:
            if not self._given_up:
                raise
            task.uncancel()
            raise _going_down() from None
        finally:
            self._waiting.discard(task)
        return passed_on(reply)

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
