"""The public API as the console sees it: one session, the service key, questions only.

Never: sends anything but GET, or shows the key. What the API refuses, the console cannot do.
"""

from collections.abc import Mapping
from typing import TypeVar

import aiohttp
import msgspec
from yarl import URL

from actors.console import shapes
from payrail.errors import PayRailError

T = TypeVar("T")

#: A page waits no longer for the API; it then says that the API does not answer.
ANSWER_S_MAX = 2.0
#: The largest page of a list that is asked for is far below; more than this is not for us.
ANSWER_BYTES_MAX = 32 * 1024 * 1024
EVENTS_PAGE = 500


class ApiDown(PayRailError):
    """Nobody answered, or not in words that can be read. The text says which."""


class ApiRefused(PayRailError):
    """The API said no; status, code and the text are its own."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail


class Api:
    """Asks at one address. `close` ends its connections."""

    def __init__(self, url: str, service_key: str) -> None:
        self.url = url
        self._headers = {
            "Authorization": f"Bearer {service_key}",
            # Until there is a sign-in, everybody who reaches the console may look and nothing else.
            # The session's merchant, role and user will stand here, and the API will judge them.
            "X-Role": "viewer",
            "X-User": "console",
        }
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def health(self) -> shapes.Health:
        return await self._get("/health", shapes.Health)

    async def providers(self) -> list[shapes.Provider]:
        return (await self._get("/providers", shapes.Providers)).data

    async def balances(self) -> list[shapes.Balance]:
        return (await self._get("/balances", shapes.Balances)).data

    async def events(self, after: int) -> shapes.Events:
        query = {"after": str(after), "limit": str(EVENTS_PAGE)}
        return await self._get("/events", shapes.Events, query)

    async def payments(self, query: Mapping[str, str]) -> shapes.Payments:
        return await self._get("/payment-intents", shapes.Payments, query)

    async def payment(self, payment_id: str) -> shapes.Payment:
        return await self._get(f"/payment-intents/{payment_id}", shapes.Payment)

    async def ledger(self, payment_id: str) -> shapes.Ledger:
        return await self._get(f"/ledger/{payment_id}", shapes.Ledger)

    async def _get(self, path: str, shape: type[T], query: Mapping[str, str] | None = None) -> T:
        """Raises ApiDown, ApiRefused."""
        status, body = await self._ask(URL(self.url + path).with_query(query or {}))
        try:
            if status >= 400:
                said = msgspec.json.decode(body, type=shapes.Refusal)
                raise ApiRefused(status, said.code, said.detail)
            return msgspec.json.decode(body, type=shape)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise ApiDown(f"its answer ({status}) cannot be read") from None

    async def _ask(self, url: URL) -> tuple[int, bytes]:
        try:
            async with self._opened().get(url, allow_redirects=False) as answer:
                return answer.status, await _bounded(answer)
        except TimeoutError:
            raise ApiDown(f"no answer within {ANSWER_S_MAX:g} s") from None
        except aiohttp.ClientConnectorError:
            raise ApiDown("nobody listens there") from None
        except (aiohttp.ClientError, OSError):
            raise ApiDown("the connection broke off") from None

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                headers=self._headers,
                timeout=aiohttp.ClientTimeout(total=ANSWER_S_MAX),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        return self._session


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in answer.content.iter_any():
        body += chunk
        if len(body) > ANSWER_BYTES_MAX:
            raise ApiDown("its answer has no end")
    return bytes(body)
