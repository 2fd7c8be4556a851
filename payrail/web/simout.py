"""Requests of ours to others over the simulated net; fills `outgoing.Poster`.

    async with SimOutgoing(net, clock, guard=AllowList(), total_ms=15_000) as outgoing:
        posted = await outgoing.post("https://shop.example/hooks", body, headers)

URLs, names and addresses are judged by the rooms that judge real ones; then the host of the URL is
asked under its name. Never: raises for what the other side does.
"""

from collections.abc import Mapping, Sequence
from typing import Self

from payrail.domain.webhooks import AllowList, parse_url, retry_after_s
from payrail.runtime.ports import Clock
from payrail.web.outgoing import TOTAL_MS, USER_AGENT, AddressRefused, Posted, Resolve, judged
from payrail.web.simnet import SimNet
from payrail.web.simwire import NoAnswer

#: Where every name of the simulated world lies: an address that a guard lets pass.
PUBLIC = "93.184.215.14"


async def resolve_public(_host: str, _port: int) -> Sequence[str]:
    """Every name has one public address."""
    return (PUBLIC,)


class SimOutgoing:
    """A client in a simulated process."""

    def __init__(
        self,
        net: SimNet,
        clock: Clock,
        *,
        guard: AllowList | None,
        total_ms: int = TOTAL_MS,
        resolve: Resolve = resolve_public,
    ) -> None:
        self._net, self._clock, self._guard = net, clock, guard
        self._total_ms, self._resolve = total_ms, resolve

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        """There is nothing to close."""

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Posted:
        """See `outgoing.Poster`."""
        began_ms = self._clock.monotonic_ms()
        status, asked, error = None, None, None
        try:
            status, asked = await self._answer(url, body, headers)
        except NoAnswer as fault:
            error = fault.word
        except AddressRefused:
            error = "address-refused"
        except OSError:
            error = "name-unknown"
        except ValueError:
            error = "bad-url"
        now = self._clock.now().wall_ms
        latency_ms = self._clock.monotonic_ms() - began_ms
        return Posted(status, error, latency_ms, retry_after_s(asked, now))

    async def _answer(
        self, url: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, str | None]:
        target = parse_url(url)
        await judged(target, self._guard, self._resolve)
        path = url.partition("://")[2].partition("/")[2]
        sent = {"User-Agent": USER_AGENT, **headers}
        answer = await self._net.request(
            target.host, "POST", f"/{path}", sent, body, self._total_ms
        )
        return answer.status, answer.headers.get("retry-after")
