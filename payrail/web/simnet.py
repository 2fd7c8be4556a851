"""The network of a simulated house: HTTP over memory, in virtual time, as rough as it is told.

    net = SimNet(clock)
    net.listen("api", app, loop)                    # a web.Application, served in its process' loop
    net.sink("shop.example", lambda asked: 204)     # somebody outside the house
    net.ask(Asked("api", "GET", "/health"), print)  # Answer or NoAnswer, once it is known
    while net.turn() or loop.run_ready():
        ...

The library's own parser and handlers serve, as in the house: a request is bytes on a connection in
memory, kept for the next one. That costs 0.1 ms a request, and leaves nothing to imitate.
A process that ends breaks its connections; one that is stopped keeps its askers waiting. `fate`
may delay or lose a request or its answer, or have a request come twice.
Never: opens a socket, or waits. Whoever owns the clock moves it to `next_due_ms`.
"""

import asyncio
import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Literal

from aiohttp import web

from payrail.runtime.ports import Clock
from payrail.runtime.simloop import VirtualLoop
from payrail.web.server import set_up
from payrail.web.simconn import Door
from payrail.web.simwire import Answer, NoAnswer, request_bytes

__all__ = ["FAIR", "Answer", "Asked", "Fate", "Heard", "NoAnswer", "SimNet", "Sink"]

#: How long an asker waits, unless it says so itself.
TIMEOUT_MS = 15_000


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    host: str  # a name that somebody listens under
    method: str
    path: str  # with its query
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


Heard = Callable[[Answer | NoAnswer], object]
#: Somebody outside: a status, a whole answer, or None for one who never answers.
Sink = Callable[[Asked], int | Answer | None]


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one request on its way. A loss breaks the connection, or is silent: then the
    asker waits to its limit. It cannot tell whether it was the request or its answer."""

    request_ms: int = 0
    answer_ms: int = 0
    loses: Literal["", "request", "answer"] = ""
    silently: bool = False
    twice: bool = False  # it comes twice; whichever answer is first counts


FAIR = Fate()


class SimNet:
    """Everybody's connections. `told` hears of each step of a request, for a trace."""

    def __init__(
        self,
        clock: Clock,
        fate: Callable[[Asked], Fate] = lambda _asked: FAIR,
        told: Callable[[str, Asked, Answer | NoAnswer | None], object] | None = None,
    ) -> None:
        self._clock, self.fate, self.told = clock, fate, told
        self._doors: dict[str, Door] = {}
        self._sinks: dict[str, Sink] = {}
        self._moves: list[tuple[int, int, _Question | None, Callable[[], object]]] = []
        self._numbers = count()

    def listen(self, host: str, app: web.Application, loop: VirtualLoop) -> None:
        """Serve `app` under this name, in the process of `loop`, until that ends."""
        door = Door(loop, loop.finish(set_up(app)))
        self._doors[host] = door
        loop.at_end(lambda: self._closed(host, door))

    def sink(self, host: str, hear: Sink) -> None:
        """Somebody who is not simulated any further."""
        self._sinks[host] = hear

    def ask(self, asked: Asked, heard: Heard, timeout_ms: int = TIMEOUT_MS) -> None:
        """Send a request; `heard` is told once what came of it."""
        question, fate = _Question(asked, heard), self.fate(asked)
        self._move(timeout_ms, question, lambda: self._end(question, NoAnswer("timeout")))
        for _ in range(2 if fate.twice else 1):
            self._move(fate.request_ms, None, lambda: self._arrive(question, fate))

    def request(
        self,
        host: str,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        timeout_ms: int = TIMEOUT_MS,
    ) -> "asyncio.Future[Answer]":
        """The same for coroutines of a `VirtualLoop`. The future raises NoAnswer."""
        future = asyncio.get_running_loop().create_future()

        def heard(answer: Answer | NoAnswer) -> None:
            future.get_loop().call_soon(_settle, future, answer)

        self.ask(Asked(host, method, path, headers or {}, body), heard, timeout_ms)
        return future

    def turn(self) -> bool:
        """Carry what is due now, not what that brings about. False: there was nothing."""
        moves, now_ms = self._moves, self._clock.monotonic_ms()
        due = []
        while moves and moves[0][0] <= now_ms:
            due.append(heapq.heappop(moves))
        for _due_ms, _number, _question, move in due:
            move()
        return bool(due)

    def next_due_ms(self) -> int | None:
        """When there is something to carry, on the monotonic clock; None for never."""
        moves = self._moves
        while moves and (question := moves[0][2]) is not None and question.is_over:
            heapq.heappop(moves)
        return moves[0][0] if moves else None

    # On the way.

    def _move(self, wait_ms: int, question: "_Question | None", move: Callable[[], object]) -> None:
        """`move` after a while; with a `question` only as long as that is open."""
        due_ms = self._clock.monotonic_ms() + wait_ms
        heapq.heappush(self._moves, (due_ms, next(self._numbers), question, move))

    def _arrive(self, question: "_Question", fate: Fate) -> None:
        asked = question.asked
        if fate.loses == "request":
            self._lose(question, fate, 0)
        elif asked.host in self._sinks:
            self._tell("arrived", asked)
            self._sunk(question, fate, self._sinks[asked.host](asked))
        elif asked.host in self._doors:
            self._tell("arrived", asked)
            data = request_bytes(asked.host, asked.method, asked.path, asked.headers, asked.body)
            connection = self._doors[asked.host].connection()
            connection.carry(data, lambda came: self._leave(question, fate, came))
        else:
            self._end(question, NoAnswer("refused"))

    def _sunk(self, question: "_Question", fate: Fate, answer: int | Answer | None) -> None:
        if answer is not None:
            whole = Answer(answer) if isinstance(answer, int) else answer
            self._leave(question, fate, whole)

    def _leave(self, question: "_Question", fate: Fate, came: Answer | NoAnswer) -> None:
        """An answer sets out. What a broken connection says needs no way."""
        if isinstance(came, NoAnswer):
            self._move(0, question, lambda: self._end(question, came))
            return
        self._tell("answered", question.asked, came)
        if fate.loses == "answer":
            self._lose(question, fate, fate.answer_ms)
        else:
            self._move(fate.answer_ms, question, lambda: self._end(question, came))

    def _lose(self, question: "_Question", fate: Fate, wait_ms: int) -> None:
        self._tell("lost", question.asked)
        if not fate.silently:
            broken = NoAnswer("disconnected")
            self._move(wait_ms, question, lambda: self._end(question, broken))

    def _end(self, question: "_Question", came: Answer | NoAnswer) -> None:
        if not question.is_over:
            question.is_over = True
            self._tell("heard", question.asked, came)
            question.heard(came)

    def _closed(self, host: str, door: Door) -> None:
        if self._doors.get(host) is door:
            del self._doors[host]
        door.close()

    def _tell(self, what: str, asked: Asked, came: Answer | NoAnswer | None = None) -> None:
        if self.told is not None:
            self.told(what, asked, came)


@dataclass(slots=True, eq=False)
class _Question:
    asked: Asked
    heard: Heard
    is_over: bool = False


def _settle(future: "asyncio.Future[Answer]", came: Answer | NoAnswer) -> None:
    if future.done():
        return
    if isinstance(came, NoAnswer):
        future.set_exception(came)
    else:
        future.set_result(came)
