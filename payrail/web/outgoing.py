"""Requests of ours to others: one bounded POST, and never to an address that is not meant for us.

    async with Outgoing(clock, guard=AllowList(words), total_ms=15_000) as outgoing:
        posted = await outgoing.post(url, body, headers)

With a guard each name is resolved here, each of its addresses judged, and only a judged address is
connected to: what a name says a moment later changes nothing. Without one (`guard=None`) the target
is our own. No redirects, no cookies, no proxies; an answer's body is read to its bound and dropped.
Never: raises for what the other side does. `Posted.error` tells it in one word.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol, Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from payrail.domain.webhooks import (
    AllowList,
    Target,
    UrlRefused,
    addresses_of,
    parse_url,
    refusal_of,
    retry_after_s,
)
from payrail.runtime.ports import Clock

CONNECT_MS = 5_000
TOTAL_MS = 15_000
#: What is read of an answer before it is dropped with its connection.
ANSWER_BYTES_MAX = 64 * 1024
#: Open connections to all. There is no bound for one host: many endpoints may share a host, and a
#: slow one must not keep the others waiting for a connection, which would cost them attempts.
CONNECTIONS_MAX = 256
#: Names asked for at once. A name whose server hangs holds up one of these threads, however many
#: wait for it.
LOOKUPS_MAX = 64
USER_AGENT = "PayRail/1"

#: A name's addresses, as text. Raises OSError for a name that has none.
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Posted:
    """What came of a POST: an answer's status, or one word for why there is none.

    `error`: address-refused | name-unknown | refused | timeout | tls | disconnected | bad-url
    """

    status: int | None
    error: str | None
    latency_ms: int
    retry_after_s: int | None = None


class Poster(Protocol):
    """Who posts; a simulated house has its own."""

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Posted:
        """POST `body`, once. Raises nothing for what the other side does."""


#: Opens a poster for as long as a process lives.
Opened = Callable[[], AbstractAsyncContextManager[Poster]]


class AddressRefused(OSError):
    """No address of a name may be called."""


class Names:
    """The system's resolver, in threads of its own; one lookup of a name serves all who wait."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(LOOKUPS_MAX, thread_name_prefix="names")
        self._going: dict[tuple[str, int], asyncio.Future[list[str]]] = {}

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        going = self._going.get((host, port))
        if going is None:
            loop = asyncio.get_running_loop()
            going = loop.run_in_executor(self._threads, _looked_up, host, port)
            self._going[host, port] = going
            going.add_done_callback(lambda ended: self._ended(host, port, ended))
        return list(dict.fromkeys(await asyncio.shield(going)))

    def _ended(self, host: str, port: int, ended: "asyncio.Future[list[str]]") -> None:
        del self._going[host, port]
        if not ended.cancelled():
            ended.exception()  # Whoever asked may have given up long ago.

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _looked_up(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_more, address in found]


async def permitted(target: Target, guard: AllowList, resolve: Resolve) -> list[str]:
    """The addresses at which a target may be called. Raises UrlRefused when there is none, OSError
    for a name that does not resolve."""
    if target.address is not None:
        found = [target.address]
    else:
        found = addresses_of(await resolve(target.host, target.port))
    good = [str(address) for address in found if guard.permits(target, address)]
    if not good:
        raise UrlRefused(refusal_of(target))
    return good


class Outgoing:
    """A client; open it with `async with`, once for a process."""

    def __init__(
        self,
        clock: Clock,
        *,
        guard: AllowList | None,
        total_ms: int = TOTAL_MS,
        resolve: Resolve | None = None,
    ) -> None:
        self._clock, self._guard = clock, guard
        self._names = Names()
        self._resolve: Resolve = resolve or self._names
        connect_s = min(CONNECT_MS, total_ms) / 1_000
        self._timeout = aiohttp.ClientTimeout(total=total_ms / 1_000, sock_connect=connect_s)
        self._sessions: dict[str, aiohttp.ClientSession] = {}

    async def __aenter__(self) -> Self:
        for scheme in ("http", "https"):  # A resolver is not told the scheme that it is asked for.
            self._sessions[scheme] = self._session(scheme)
        return self

    async def __aexit__(self, *_error: object) -> None:
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()
        self._names.close()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Posted:
        """POST `body`, once. The headers are sent as given."""
        began_ms = self._clock.monotonic_ms()
        status, asked, error = None, None, None
        try:
            status, asked = await self._answer(url, body, headers)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as fault:
            error = _word(fault)
        latency_ms = self._clock.monotonic_ms() - began_ms
        return Posted(status, error, latency_ms, retry_after_s(asked, self._clock.now().wall_ms))

    async def _answer(
        self, url: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, str | None]:
        target = parse_url(url)
        if target.address is not None:  # A connector asks no resolver about an address.
            await judged(target, self._guard, self._resolve)
        session = self._sessions[target.scheme]
        async with session.post(
            URL(url, encoded=True), data=body, headers=headers, allow_redirects=False
        ) as answer:
            await _drop(answer)
            return answer.status, answer.headers.get("Retry-After")

    def _session(self, scheme: str) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=CONNECTIONS_MAX,
            use_dns_cache=False,
            resolver=_Resolver(scheme, self._guard, self._resolve),
        )
        return aiohttp.ClientSession(
            connector=connector,
            timeout=self._timeout,
            headers={"User-Agent": USER_AGENT},
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )


class _Resolver(AbstractResolver):
    """Gives a connector only addresses that were judged."""

    def __init__(self, scheme: str, guard: AllowList | None, resolve: Resolve) -> None:
        self._scheme, self._guard, self._resolve = scheme, guard, resolve

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        del family  # Either will do.
        target = Target(self._scheme, host.lower(), port, None)
        found = await judged(target, self._guard, self._resolve)
        return [_result(host, address, port) for address in found]

    async def close(self) -> None:
        """The threads are the client's."""


async def judged(target: Target, guard: AllowList | None, resolve: Resolve) -> Sequence[str]:
    """Where to connect to. Raises AddressRefused."""
    if guard is None:
        return () if target.address is not None else await resolve(target.host, target.port)
    try:
        return await permitted(target, guard, resolve)
    except UrlRefused as refusal:
        raise AddressRefused(str(refusal)) from refusal


def _result(host: str, address: str, port: int) -> ResolveResult:
    return ResolveResult(
        hostname=host,
        host=address,
        port=port,
        family=socket.AF_INET6 if ":" in address else socket.AF_INET,
        proto=socket.IPPROTO_TCP,
        flags=int(socket.AI_NUMERICHOST | socket.AI_NUMERICSERV),
    )


async def _drop(answer: aiohttp.ClientResponse) -> None:
    """Read a short body, so that its connection can be used again; a longer one ends it."""
    read_bytes = 0
    async for chunk in answer.content.iter_any():
        read_bytes += len(chunk)
        if read_bytes > ANSWER_BYTES_MAX:
            answer.close()
            return


def _word(fault: Any) -> str:
    """Why there was no answer, in one word."""
    cause = getattr(fault, "os_error", fault)
    if isinstance(cause, AddressRefused):
        return "address-refused"
    if isinstance(fault, TimeoutError):
        return "timeout"
    if isinstance(fault, aiohttp.ClientSSLError):
        return "tls"
    if isinstance(fault, aiohttp.ClientConnectorDNSError):
        return "name-unknown"
    if isinstance(fault, aiohttp.ClientConnectorError):
        return "refused"
    if isinstance(fault, aiohttp.InvalidURL | ValueError):
        return "bad-url"
    return "disconnected"
