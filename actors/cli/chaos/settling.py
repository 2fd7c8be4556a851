"""Somebody who settles, reconciles and pays out over HTTP, again and again while actors die.

Each order is asked with its own key until it is done, as `payrail settle` and `reconcile` ask.
Never: closes its eyes to a refusal; anything but "not yet" is a failure of the run.
"""

import asyncio
import json
import time
from collections import Counter
from contextlib import suppress
from typing import Any

import aiohttp

#: Pause between two rounds of the storm.
EVERY_S = 2.0
#: How long one order may take to be done, all its tries together: whoever does it may be killed
#: every other second of a slow machine.
DONE_S_MAX = 600.0
_PAUSE_S = 0.2
#: Running, too much to do, or somebody of the house is away.
_NOT_YET = frozenset({202, 429, 503, 504})
SETTLE, RECONCILE, PAY_OUT = "/settlements", "/reconciliations", "/payouts"
#: Made, or nothing is available: both end an order.
_PAID_OUT = frozenset({201, 422})


class Settler:
    """Counts what came of its orders. `failures` are what no kill explains."""

    def __init__(
        self,
        api: str,
        admin_key: str,
        session: aiohttp.ClientSession,
        *,
        every_s: float = EVERY_S,
    ) -> None:
        self._api, self._key, self._session = api, admin_key, session
        self._every_s, self._orders = every_s, 0
        self.done: Counter[str] = Counter()
        self.passing: Counter[str] = Counter()  # "settlements 503"
        self.silent = 0  # batches that a dead provider did not close in time
        self.failures: list[str] = []

    async def run(self) -> None:
        """Settle and reconcile every `every_s` until cancelled; an order under way is finished by
        the next one's run."""
        while True:
            await asyncio.sleep(self._every_s)
            await self.round()

    async def round(self) -> bool:
        """One settlement and one reconciliation. Result: whether both are done, and no provider
        was silent."""
        settled = await self._order(SETTLE)
        if settled is None:
            return False
        silent = settled.get("silent", [])
        self.silent += len(silent)
        reconciled = await self._order(RECONCILE)
        return reconciled is not None and await self._pays_out() and not silent

    async def _pays_out(self) -> bool:
        """Pay out what is available; the bank sends every second payout back after it was paid.
        Result: whether it was done."""
        made = await self._order(PAY_OUT, {"currency": "USD"}, _PAID_OUT)
        if made is None or "id" not in made:
            return made is not None
        told = f"{PAY_OUT}/{made['id']}/resolve"
        paid = await self._order(told, {"outcome": "paid"})
        if paid is None or self.done["payouts"] % 2:
            return paid is not None
        return await self._order(told, {"outcome": "failed", "code": "drilled"}) is not None

    async def _order(
        self,
        path: str,
        fields: dict[str, str] | None = None,
        ends: frozenset[int] = frozenset({200}),
    ) -> dict[str, Any] | None:
        """Ask until it is done. Result: the answer, None when there was none."""
        self._orders += 1
        name = path.split("/")[1]
        key = f"kill-{self._orders}-{name}"
        until = time.monotonic() + DONE_S_MAX
        while time.monotonic() < until:
            status, body = await self._try(path, key, fields or {})
            if status in ends:
                self.done[name] += 1
                return body
            self.passing[f"{name} {status or 'dropped'}"] += 1
            if status and status not in _NOT_YET:
                self.failures.append(f"POST {path}: {status} {body.get('detail')}")
                return None
            await asyncio.sleep(_PAUSE_S)
        self.failures.append(f"POST {path}: not done in {DONE_S_MAX} s")
        return None

    async def _try(self, path: str, key: str, fields: dict[str, str]) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {self._key}", "Idempotency-Key": key}
        with suppress(aiohttp.ClientError, OSError, TimeoutError):
            url = f"{self._api}{path}"
            async with self._session.post(url, json=fields, headers=headers) as answer:
                return answer.status, json.loads(await answer.read())
        return 0, {}
