"""Somebody who looks: payments over the API and pages of the console, all the time.

A read needs neither the gateway nor the vault: it is answered while they are dead.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress

import aiohttp

from actors.cli.chaos.house import House

#: Pauses between two reads and two pages: a killed gateway is back within 0.2 s.
READ_S, TURN_S = 0.05, 0.1
#: What a page of the console may say while the front door is away.
_PASSING = frozenset({502, 503, 504})
_PAGES = ("/", "/payments", "/providers", "/health")


class Visitor:
    """`reads` and `pages` by status (0: nobody answered); `failures` are what no kill explains."""

    def __init__(
        self,
        house: House,
        api_key: str,
        known: Callable[[], Sequence[str]],
        session: aiohttp.ClientSession,
        *,
        seed: int,
    ) -> None:
        """`known` tells payments of the merchant of `api_key` that were acknowledged."""
        self._house, self._known, self._session = house, known, session
        self._headers = {"Authorization": f"Bearer {api_key}"}
        self._chance = random.Random(seed)
        self.reads: Counter[int] = Counter()
        self.pages: Counter[int] = Counter()
        self.read_while_dead = 0
        self.at_the_console = 0
        self.failures: list[str] = []

    async def run(self) -> None:
        """Look until cancelled."""
        await asyncio.gather(self._read_payments(), self._turn_pages())

    async def _read_payments(self) -> None:
        while True:
            await asyncio.sleep(READ_S)
            if known := self._known():
                await self._read(self._chance.choice(known))

    async def _read(self, payment_id: str) -> None:
        was_dead = self._is_dead("gateway")
        url = f"{self._house.api}/payment-intents/{payment_id}"
        status = await self._get(url, self._headers)
        self.reads[status] += 1
        self.read_while_dead += was_dead and status == 200 and self._is_dead("gateway")
        if status not in (0, 200, *_PASSING):
            self.failures.append(f"GET of {payment_id}: {status}")

    async def _turn_pages(self) -> None:
        while True:
            await asyncio.sleep(TURN_S)
            page = self._chance.choice(_PAGES)
            self.at_the_console += 1
            try:
                status = await self._get(f"http://127.0.0.1:{self._house.ports['CONSOLE']}{page}")
            finally:
                self.at_the_console -= 1
            self.pages[status] += 1
            if status not in (0, 200, *_PASSING):
                self.failures.append(f"page {page}: {status}")

    def _is_dead(self, actor: str) -> bool:
        row = self._house.row(actor)
        return row is not None and not row["pid"]

    async def _get(self, url: str, headers: dict[str, str] | None = None) -> int:
        with suppress(aiohttp.ClientError, OSError, TimeoutError):
            async with self._session.get(url, headers=headers) as answer:
                await answer.read()
                return answer.status
        return 0
