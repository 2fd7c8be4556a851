"""The network of a simulated house: HTTP over memory, in virtual time, as rough as it is told.

    net = SimNet(clock)
    net.listen("api", app, loop)                    # a web.Application, served in its process' loop
    net.sink("shop.example", lambda asked: 204)     # somebody outside the house
    net.ask(Asked("api", "GET", "/health"), print)  # Answer or NoAnswer, once it is known
    while net.turn() or loop.run_ready():
        ...

The library's own parser and handlers serve, as in the house: a request is bytes on a connection in
memory, kept for the next one (0.1 ms dearer than to make requests by hand, and nothing to imitate).
A process that ends breaks its connections; one that is stopped keeps its askers waiting. `fate`
may delay or lose a request or its answer, or have a request come twice.
Never: opens a socket, or waits. Whoever owns the clock moves it to `next_due_ms`.
"""

import asyncio
import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal

from aiohttp import web

from payrail.runtime.ports import Clock
from payrail.runtime.simloop import VirtualLoop
from payrail.web.server import set_up
from payrail.web.simwire import Answer, AnswerReader, request_bytes

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


class NoAnswer(OSError):
    """Why there is none: `refused` (it never arrived) | `disconnected` | `timeout` (it may have
    happened), the words of `payrail.web.outgoing`."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word

    @property
    def may_have_happened(self) -> bool:
        return self.word != "refused"


Heard = Callable[[Answer | NoAnswer], object]
#: Somebody outside: a status, a whole answer, or None for one who never answers.
Sink = Callable[[Asked], int | Answer | None]


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one request on its way. A lost one breaks the connection: the asker cannot
    tell whether it was the request or its answer."""

    request_ms: int = 0
    answer_ms: int = 0
    loses: Literal["", "request", "answer"] = ""
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
        self._doors: dict[str, _Door] = {}
        self._sinks: dict[str, Sink] = {}
        self._moves: list[tuple[int, int, _Question | None, Callable[[], object]]] = []
        self._numbers = count()

    def listen(self, host: str, app: web.Application, loop: VirtualLoop) -> None:
        """Serve `app` under this name, in the process of `loop`, until that ends."""
        door = _Door(loop, loop.finish(set_up(app)))
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
            self._tell("lost", asked)
            self._end(question, NoAnswer("disconnected"))
        elif asked.host in self._sinks:
            self._tell("arrived", asked)
            self._sunk(question, fate, self._sinks[asked.host](asked))
        elif asked.host in self._doors:
            self._tell("arrived", asked)
            connection = self._doors[asked.host].connection()
            connection.carry(question, lambda came: self._leave(question, fate, came))
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
            came_lost = NoAnswer("disconnected")
            self._move(fate.answer_ms, question, lambda: self._end(question, came_lost))
        else:
            self._move(fate.answer_ms, question, lambda: self._end(question, came))

    def _end(self, question: "_Question", came: Answer | NoAnswer) -> None:
        if not question.is_over:
            question.is_over = True
            self._tell("heard", question.asked, came)
            question.heard(came)

    def _closed(self, host: str, door: "_Door") -> None:
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


class _Door:
    """One listener, and the connections to it."""

    def __init__(self, loop: VirtualLoop, runner: web.AppRunner) -> None:
        self.loop, self._runner = loop, runner
        self.idle: list[_Connection] = []
        self.busy: dict[_Connection, None] = {}

    def connection(self) -> "_Connection":
        """One that is free, or a new one."""
        return self.idle.pop() if self.idle else _Connection(self)

    def protocol(self) -> asyncio.Protocol:
        server = self._runner.server
        if server is None:
            raise RuntimeError("nobody listens here any more")
        return server()

    def close(self) -> None:
        """The process is gone, and its side of every connection with it."""
        self.idle.clear()
        for connection in list(self.busy):
            connection.broken()


class _Connection(asyncio.Transport):
    """The server's end of one connection, and what its other end has asked."""

    def __init__(self, door: _Door) -> None:
        super().__init__()
        self._door = door
        self._protocol: asyncio.Protocol | None = None
        self._reader = AnswerReader()
        self._came: Callable[[Answer | NoAnswer], None] | None = None
        self._is_closing = False

    def carry(self, question: _Question, came: Callable[[Answer | NoAnswer], None]) -> None:
        """Bring a request; `came` is told what came of it, unless nothing ever does."""
        asked = question.asked
        self._door.busy[self], self._came = None, came
        self._reader.begin(is_head=asked.method == "HEAD")
        data = request_bytes(asked.host, asked.method, asked.path, asked.headers, asked.body)
        self._door.loop.call_soon(self._received, data)

    def broken(self) -> None:
        """The other end hears that there is no answer."""
        self._is_closing = True
        self._door.busy.pop(self, None)
        came, self._came = self._came, None
        if came is not None:
            came(NoAnswer("disconnected"))

    def _received(self, data: bytes) -> None:
        if self._protocol is None:
            self._protocol = self._door.protocol()
            self._protocol.connection_made(self)
        if self._is_closing:
            self.broken()  # It was closed while the request was on its way.
        else:
            self._protocol.data_received(data)

    # What a server asks of its transport.

    def write(self, data: bytes | bytearray | memoryview) -> None:
        answer = self._reader.feed(bytes(data))
        if answer is None or self._came is None:
            return
        came, self._came = self._came, None
        self._door.busy.pop(self, None)
        if not (self._is_closing or answer.headers.get("connection") == "close"):
            self._door.idle.append(self)
        came(answer)

    def writelines(self, parts: Any) -> None:
        self.write(b"".join(parts))

    def close(self) -> None:
        if self._is_closing:
            return
        self._is_closing = True
        if self in self._door.idle:
            self._door.idle.remove(self)
        self._door.loop.call_soon(self._lost)

    abort = close

    def _lost(self) -> None:
        if self._protocol is not None:
            self._protocol.connection_lost(None)
        self.broken()

    def is_closing(self) -> bool:
        return self._is_closing

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 0) if name == "peername" else default

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...
