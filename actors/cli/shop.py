"""A shop as a client: tokenizes, creates, authorizes, captures, and keeps at it with the same keys.

Used by the tour, `seed` and the stories. Every question is measured, and tried again with the same
idempotency key while the answer is a dropped connection or says that trying again is right.
Never: prints or keeps a card number beyond the question that carries it.
"""

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import aiohttp

from payrail.domain.synthetic import SyntheticCard

#: One question waits no longer; the house answers within 10 s.
QUESTION_S_MAX = 20.0
#: How long a shop keeps at one question.
PATIENCE_S = 60.0
_PAUSE_S = 0.1
_AGAIN = frozenset({429, 503, 504})

Keys = Mapping[str, Mapping[str, str]]  # merchant: role: key


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer; status 0: the connection was dropped."""

    status: int
    data: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> dict[str, Any]:
        try:
            value = json.loads(self.data)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def code(self) -> str:
        """The problem's code; empty for a yes."""
        return str(self.body.get("code", "")) if self.status >= 400 else ""

    @property
    def payment(self) -> dict[str, Any]:
        """The payment that a yes, or a decline, carries."""
        found = self.body.get("payment_intent") if self.status == 402 else self.body
        return found if isinstance(found, dict) else {}

    @property
    def replayed(self) -> bool:
        return self.headers.get("Idempotent-Replayed") == "true"

    @property
    def again(self) -> bool:
        """Whether the same question with the same key is right."""
        in_flight = self.status == 409 and self.body.get("retryable") is True
        return self.status in _AGAIN or self.status == 0 or in_flight


class Shop:
    """One client of a running house, for as many merchants as it has keys for."""

    def __init__(
        self,
        api_url: str,
        vault_url: str,
        keys: Keys,
        *,
        role: str = "admin",
        is_measured: bool = True,
    ) -> None:
        """`role`: in which one asks, unless a question names another. Unless `is_measured`, nothing
        is kept of a question that is answered."""
        self._api_url, self._vault_url, self._keys, self._role = api_url, vault_url, keys, role
        self._is_measured = is_measured
        self.latency_ms: dict[str, list[float]] = defaultdict(list)
        #: Told of every answer before it is judged; the stories watch what clients may see.
        self.watch: Callable[[str, Answer], None] = lambda _operation, _answer: None

    async def __aenter__(self) -> "Shop":
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=QUESTION_S_MAX),
            connector=aiohttp.TCPConnector(limit=0),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def tokenize(self, merchant_id: str, card: SyntheticCard) -> str:
        """A token for the card. Raises RuntimeError when the vault refuses it."""
        answer = await self.store(merchant_id, card)
        if answer.status != 201:
            raise RuntimeError(f"tokenize answered {answer.status} {answer.code}")
        return str(answer.body["token"])

    async def store(self, merchant_id: str, card: SyntheticCard) -> Answer:
        """The vault's answer about the card, asked with the publishable key as a browser would."""
        body = {
            "number": card.number,
            "exp_month": card.exp_month,
            "exp_year": card.exp_year,
            "cvc": card.cvc,
        }
        key = self._keys[merchant_id]["publishable"]
        url = f"{self._vault_url}/tokenize"

        async def send() -> Answer:
            return await self._send("tokenize", "POST", url, key, body)

        return await self.patiently(send)

    async def detokenize(self, merchant_id: str, body: Any, *, role: str = "") -> Answer:
        """The vault's answer to one look at a card."""
        key = self._keys[merchant_id][role or self._role]
        return await self._send("read", "POST", f"{self._vault_url}/detokenize", key, body)

    async def vault_answers(self) -> bool:
        """Whether anybody is reached at the vault's URL."""
        return (await self._send("read", "GET", f"{self._vault_url}/health", "")).status != 0

    async def post(
        self, operation: str, merchant_id: str, path: str, body: Any, key: str | None,
        *, role: str = "",
    ) -> Answer:  # fmt: skip
        """One POST, once. `key` None sends no Idempotency-Key."""
        headers = {} if key is None else {"Idempotency-Key": key}
        api_key = self._keys[merchant_id][role or self._role]
        url = f"{self._api_url}{path}"
        return await self._send(operation, "POST", url, api_key, body, headers)

    async def get(self, merchant_id: str, path: str) -> Answer:
        api_key = self._keys[merchant_id][self._role]
        return await self._send("read", "GET", f"{self._api_url}{path}", api_key)

    async def keep_posting(
        self, operation: str, merchant_id: str, path: str, body: Any, key: str | None,
        *, role: str = "",
    ) -> Answer:  # fmt: skip
        """POST with one key until the answer is final or still in doubt (202)."""

        async def send() -> Answer:
            return await self.post(operation, merchant_id, path, body, key, role=role)

        return await self.patiently(send)

    async def keep_getting(self, merchant_id: str, path: str) -> Answer:
        """GET until somebody answers."""

        async def send() -> Answer:
            return await self.get(merchant_id, path)

        return await self.patiently(send)

    async def patiently(self, send: Callable[[], Awaitable[Answer]]) -> Answer:
        """The first answer that is not to be asked again; after PATIENCE_S whatever there is."""
        ends = time.monotonic() + PATIENCE_S
        while True:
            answer = await send()
            if not answer.again or time.monotonic() > ends:
                return answer
            await asyncio.sleep(_PAUSE_S)

    async def _send(
        self,
        operation: str,
        method: str,
        url: str,
        api_key: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        began = time.perf_counter()
        sent = {"Authorization": f"Bearer {api_key}", **(headers or {})}
        try:
            async with self._session.request(method, url, json=body, headers=sent) as response:
                data = await response.read()
                answer = Answer(response.status, data, dict(response.headers))
        except (aiohttp.ClientError, TimeoutError, OSError):
            answer = Answer(0)
        if self._is_measured:
            self.latency_ms[operation].append((time.perf_counter() - began) * 1000)
        self.watch(operation, answer)
        return answer
