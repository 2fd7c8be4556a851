"""Connections in memory: the real web server on one end, bytes and a callback on the other.

A request goes over a connection that is free, else over a new one. What the server does happens in
its own process' loop. Never: opens a socket, or answers for a server that is gone.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import web, web_app

from payrail.runtime.simloop import VirtualLoop
from payrail.web.simwire import Answer, AnswerReader, NoAnswer

#: Told what came of a request.
Came = Callable[[Answer | NoAnswer], None]


class Door:
    """One listener, and the connections to it."""

    def __init__(self, loop: VirtualLoop, runner: web.AppRunner) -> None:
        self.loop, self._runner = loop, runner
        self.idle: list[Connection] = []
        self.busy: dict[Connection, None] = {}

    def connection(self) -> "Connection":
        """One that is free, or a new one."""
        return self.idle.pop() if self.idle else Connection(self)

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
        _forget()


def _forget() -> None:
    """The library keeps the handlers it has met for as long as Python runs, and everything behind
    them: of a server that is gone nothing may stay, for the next simulated house needs the room."""
    kept = getattr(web_app, "_cached_build_middleware", None)
    if kept is not None:
        kept.cache_clear()


class Connection(asyncio.Transport):
    """The server's end of one connection, and what its other end has asked."""

    def __init__(self, door: Door) -> None:
        super().__init__()
        self._door = door
        self._protocol: asyncio.Protocol | None = None
        self._reader = AnswerReader()
        self._came: Came | None = None
        self._is_closing = False

    def carry(self, data: bytes, came: Came) -> None:
        """Bring a request's bytes; `came` is told what came of it, unless nothing ever does."""
        self._door.busy[self], self._came = None, came
        self._reader.begin(is_head=data.startswith(b"HEAD "))
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
