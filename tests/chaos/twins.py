"""A thousand twins: one order under one key, sent by all at once, while its house is killed.

    python -m tests.chaos.twins --twins 1000

Gateway and front door die by SIGKILL meanwhile. Afterwards there is one payment, charged once, and
every answer that a twin ever had was the same final one or said that it may be asked again. Exit
code 0 for a good run.
"""

import argparse
import asyncio
import hashlib
import json
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from actors.cli.chaos.client import FINAL_S_MAX, TRY_S_MAX
from actors.cli.chaos.house import House
from actors.cli.chaos.killer import Killer
from actors.cli.chaos.wishes import PASSING
from tests.auditor.audit import audit
from tests.scenarios.living import lines

KEY = "one-key-for-all"
CARD = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2040, "cvc": "123"}
LEDGER = "data/ledger/payments.jsonl"
_FINAL = frozenset({200, 201})
_PAUSE_S, _PAUSE_S_MAX = 0.2, 3.0


@dataclass(frozen=True)
class Order:
    """What to run: so many twins, in waves that go on for at least so long, all under one key."""

    twins: int = 1_000
    seconds_min: float = 6.0  # so that the killer has its turns
    kills_per_second: float = 1.0
    wait_s: int = 2  # what every second twin prefers to wait
    seed: int = 42


@dataclass(slots=True)
class Seen:
    """What all twins saw together."""

    statuses: Counter[str] = field(default_factory=Counter)
    finals: Counter[tuple[int, str]] = field(default_factory=Counter)  # status and hash of the body
    replayed: int = 0
    dropped: int = 0
    in_flight: int = 0
    strange: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Outcome:
    """What a run showed."""

    order: Order
    seen: Seen
    killer: Killer
    created: int
    charged: int
    findings: list[str]
    verify_code: int
    seconds: float

    def wrong(self) -> list[str]:
        """Everything that must not be so; nothing for a good run."""
        found = [*self.seen.strange, *self.findings]
        if (self.created, self.charged) != (1, 1):
            found.append(f"{self.created} payments created, {self.charged} charges")
        if len(self.seen.finals) != 1:
            found.append(f"{len(self.seen.finals)} different final answers")
        if self.seen.finals.total() < self.order.twins:
            found.append(f"{self.seen.finals.total()} of {self.order.twins} have a final answer")
        if self.verify_code:
            found.append(f"verify ended with {self.verify_code}")
        return found

    def text(self) -> str:
        """The report for people."""
        told = ", ".join(f"{name} {n}" for name, n in sorted(self.seen.statuses.items()))
        kills = ", ".join(f"{name} {n}" for name, n in sorted(self.killer.by_actor().items()))
        return "\n".join(
            [
                f"twins       {self.order.twins}, final answers {self.seen.finals.total()},"
                f" of them replayed {self.seen.replayed}",
                f"answers     {told}; connections dropped {self.seen.dropped}",
                f"payments    {self.created} created, {self.charged} charges",
                f"kills       {len(self.killer.kills)}: {kills}",
                f"time        {self.seconds:.1f} s",
                f"verify      {self.verify_code}",
                *(f"WRONG: {what}" for what in self.wrong()),
            ]
        )


async def run(order: Order, folder: Path) -> Outcome:
    """Run it in `folder`. Raises HouseFailed."""
    house = House(folder, {"PAYRAIL_SEED": str(order.seed)})
    try:
        await asyncio.to_thread(house.start)
        return await _storm(order, house)
    finally:
        await asyncio.to_thread(house.stop)


async def _storm(order: Order, house: House) -> Outcome:
    keys = (await asyncio.to_thread(house.keys))["m_001"]
    seen = Seen()
    killer = Killer(
        house,
        {"frontdoor": lambda: seen.in_flight},
        kills_per_second=order.kills_per_second,
        seed=order.seed,
        victims=("gateway", "frontdoor"),
    )
    timeout = aiohttp.ClientTimeout(total=TRY_S_MAX + order.wait_s)
    began = time.monotonic()
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
        body = await _order_of(session, house, keys)
        killing = asyncio.create_task(_kill_for(killer, order.seconds_min))
        stop_at = began + order.seconds_min
        twins = [_Twin(session, house, keys["admin"], body, seen, n) for n in range(order.twins)]
        await asyncio.gather(*(twin.live(order, stop_at) for twin in twins))
        await killing
        seconds = time.monotonic() - began
    verified = await asyncio.to_thread(house.cli, "verify")
    await asyncio.to_thread(house.stop)
    made = [line for line in lines(house.home / LEDGER) if line["type"] == "payment.created"]
    truths = [line for name in "AB" for line in _truths(house, f"provider{name}")]
    found = [str(finding) for finding in audit(house.home, pans=[str(CARD["number"])]).findings]
    code = verified.returncode
    return Outcome(order, seen, killer, len(made), len(truths), found, code, seconds)


async def _kill_for(killer: Killer, seconds: float) -> None:
    """Then it is calm: everybody comes to an answer."""
    killing = asyncio.create_task(killer.run())
    await asyncio.wait({killing}, timeout=seconds)
    killing.cancel()
    await asyncio.gather(killing, return_exceptions=True)


async def _order_of(
    session: aiohttp.ClientSession, house: House, keys: dict[str, str]
) -> dict[str, Any]:
    """The order that all twins send."""
    headers = {"Authorization": f"Bearer {keys['publishable']}"}
    card = {**CARD, "name": "A Twin"}
    async with session.post(f"{house.vault}/tokenize", json=card, headers=headers) as answer:
        token = (await answer.json())["token"]
    return {"amount": 1099, "currency": "USD", "payment_method": token, "confirm": True}


def _truths(house: House, provider: str) -> list[dict[str, Any]]:
    path = house.home / f"data/providers/{provider}_truth.jsonl"
    return lines(path) if path.exists() else []


class _Twin:
    """One of many that want the same; every second one prefers to wait."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        house: House,
        key: str,
        body: dict[str, Any],
        seen: Seen,
        number: int,
    ) -> None:
        self._session, self._url, self._body = session, f"{house.api}/payment-intents", body
        self._seen, self._waits = seen, number % 2 == 0
        # Quoted and bare, a key is the same.
        spelled = KEY if number % 3 else f'"{KEY}"'
        self._headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": spelled}

    async def live(self, order: Order, stop_at: float) -> None:
        """Ask until the answer is final, and again until the time is over: it stays the same."""
        if self._waits:
            self._headers["Prefer"] = f"wait={order.wait_s}"
        patience, pause_s = time.monotonic() + FINAL_S_MAX, _PAUSE_S
        while True:
            is_final = await self._ask()
            now = time.monotonic()
            if is_final and now >= stop_at:
                return
            if now > patience:
                self._seen.strange.append("a twin had no final answer in time")
                return
            pause_s = min(_PAUSE_S_MAX, pause_s * 1.5)
            await asyncio.sleep(max(_PAUSE_S, stop_at - now) if is_final else pause_s)

    async def _ask(self) -> bool:
        self._seen.in_flight += 1
        try:
            async with self._session.post(
                self._url, json=self._body, headers=self._headers
            ) as answer:
                return self._judged(answer.status, await answer.read(), answer.headers)
        except (aiohttp.ClientError, OSError, TimeoutError):
            self._seen.dropped += 1
            return False
        finally:
            self._seen.in_flight -= 1

    def _judged(self, status: int, data: bytes, headers: Any) -> bool:
        """Whether the answer is final; one that is neither final nor retryable is strange."""
        self._seen.statuses[str(status)] += 1
        if status in _FINAL:
            self._seen.finals[status, hashlib.sha256(data).hexdigest()] += 1
            self._seen.replayed += "Idempotent-Replayed" in headers
            return True
        is_retryable = status == 202 or json.loads(data).get("retryable") is True
        if status not in PASSING or not is_retryable:
            self._seen.strange.append(f"{status} {data[:200]!r}")
        return False


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--twins", type=int, default=Order.twins)
    parser.add_argument("--seconds-min", type=float, default=Order.seconds_min)
    parser.add_argument("--kills-per-second", type=float, default=Order.kills_per_second)
    parser.add_argument("--wait-s", type=int, default=Order.wait_s)
    parser.add_argument("--seed", type=int, default=Order.seed)
    order = Order(**vars(parser.parse_args()))
    with tempfile.TemporaryDirectory(prefix="payrail-twins-") as folder:
        outcome = asyncio.run(run(order, Path(folder)))
    print(outcome.text())
    return 1 if outcome.wrong() else 0


if __name__ == "__main__":
    sys.exit(main())
