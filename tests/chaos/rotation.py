"""The run of rotations: keys are rotated under load, and the vault is killed in the middle of it.

    python -m tests.chaos.rotation --cards 20000 --rotations 30

Shops store cards and charge them all the while. After each rotation was answered the vault is
killed at some moment of the work behind it: while cards are moved, while a key is retired, or while
it is reborn. In the end every card that was answered 201 must open with the newest key for its own
token, every older key must be gone, and the auditor must find nothing. Exit code 0 for a good run.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from msgspec import convert

from actors.cli.chaos.client import TRY_S_MAX
from actors.cli.chaos.house import House
from actors.vault.keyfile import KEYS
from actors.vault.keys import open_keys
from actors.vault.state import CARDS, EncryptedCard
from payrail.runtime.clocks import SystemClock, SystemRng
from payrail.storage.fs import RealFs
from tests.auditor.audit import audit
from tests.auditor.report import Report
from tests.scenarios.living import journal

NUMBERS = ("4242424242424242", "5555555555554444", "6011111111111117")
#: Cards that are stored at once while the house is filled.
FILLERS = 32
#: A kill comes so long after the answer: moving a card takes some 0.1 ms.
KILL_AFTER_MS_MAX = 120
#: Longer than any restart on a busy machine.
PATIENCE_S = 120.0
_LOOK_S = 0.05


@dataclass(frozen=True)
class Order:
    """What to run. A kill follows all rotations but each `spared`th, which nobody disturbs."""

    cards: int = 20_000
    rotations: int = 30
    spared: int = 4
    shops: int = 4
    seed: int = 42


@dataclass(slots=True)
class Outcome:
    """What a run showed."""

    order: Order
    stored: dict[str, str]  # token: number, of each 201
    answers: Counter[str] = field(default_factory=Counter)
    rotations: int = 0
    kills: Counter[str] = field(default_factory=Counter)  # by what the vault was at
    reborn: int = 0  # so often it came back with a rotation unfinished
    seconds: float = 0.0
    keys: list[dict[str, Any]] = field(default_factory=list)
    unopened: list[str] = field(default_factory=list)
    older: list[str] = field(default_factory=list)  # tokens under an older key
    verify_code: int = -1
    report: Report | None = None

    def wrong(self) -> list[str]:
        """Everything that must not be so; nothing for a good run."""
        found = []
        if self.unopened:
            found.append(f"{len(self.unopened)} cards do not open: {self.unopened[:3]}")
        if self.older:
            found.append(f"{len(self.older)} cards are under an older key: {self.older[:3]}")
        if kept := [line["id"] for line in self.keys[1:] if line["key"] or not line["retired_at"]]:
            found.append(f"{kept} were not retired")
        if self.rotations < self.order.rotations:
            found.append(f"{self.rotations} rotations of {self.order.rotations}")
        if strange := {name for name in self.answers if not _is_explained(name)}:
            found.append(f"answers that no kill explains: {sorted(strange)}")
        if self.verify_code:
            found.append(f"verify ended with {self.verify_code}")
        if self.report is None or not self.report.is_clean:
            found.append(f"the auditor: {self.report and self.report.findings}")
        return found

    def text(self) -> str:
        """The report for people."""
        return "\n".join(
            [
                f"cards      {len(self.stored)} stored, {len(self.unopened)} do not open",
                f"rotations  {self.rotations}, newest key {self.keys[0]['id']}",
                f"kills      {_counts(self.kills)}; reborn {self.reborn} times in a rotation",
                f"answers    {_counts(self.answers)}",
                f"time       {self.seconds:.1f} s, seed {self.order.seed}",
                f"verify     {self.verify_code}",
                *(f"WRONG: {what}" for what in self.wrong()),
            ]
        )


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counter.items())) or "none"


def _is_explained(answer: str) -> bool:
    """A shop may be told that the vault is away, and is not told anything else that is odd."""
    return answer.rpartition(" ")[2] in ("200", "201", "202", "409", "503", "504", "dropped")


async def run(order: Order, folder: Path) -> Outcome:
    """Run it in `folder`, which keeps the home. Raises HouseFailed."""
    house = House(folder, {"PAYRAIL_SEED": str(order.seed)})
    try:
        await asyncio.to_thread(house.start)
        async with aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=TRY_S_MAX),
            connector=aiohttp.TCPConnector(limit=0),
        ) as session:
            keys = (await asyncio.to_thread(house.keys))["m_001"]
            outcome = await Storm(order, house, keys, session).play()
        verified = await asyncio.to_thread(house.cli, "verify", seconds_max=900)
        outcome.verify_code = verified.returncode
    finally:
        await asyncio.to_thread(house.stop)
    judge(house.home, outcome)
    outcome.report = await asyncio.to_thread(audit, house.home, pans=list(NUMBERS))
    return outcome


class Storm:
    """Shops, the one who rotates, and the one who kills."""

    def __init__(
        self, order: Order, house: House, keys: dict[str, str], session: aiohttp.ClientSession
    ) -> None:
        self.order, self.house, self.keys, self.session = order, house, keys, session
        self.chance = random.Random(order.seed)
        self.outcome = Outcome(order, {})
        self.internal = (house.home / "data/secrets/internal").read_text().strip()

    async def play(self) -> Outcome:
        began = time.monotonic()
        each = -(-self.order.cards // FILLERS)
        await asyncio.gather(*(self._fill(each) for _ in range(FILLERS)))
        shops = [asyncio.create_task(self._sell()) for _ in range(self.order.shops)]
        try:
            for number in range(1, self.order.rotations + 1):
                await self._rotate()
                if number % self.order.spared:
                    await self._kill()
            await self._until(self._is_rotated)
        finally:
            for shop in shops:
                shop.cancel()
            await asyncio.gather(*shops, return_exceptions=True)
        await self._until(self._is_rotated)
        self.outcome.seconds = time.monotonic() - began
        return self.outcome

    async def _fill(self, cards: int) -> None:
        for _ in range(cards):
            await self._store()

    async def _store(self) -> str | None:
        number = self.chance.choice(NUMBERS)
        card = {"number": number, "exp_month": 12, "exp_year": 2035, "cvc": "123"}
        url = f"{self.house.vault}/tokenize"
        status, body = await self._ask("POST", url, self.keys["publishable"], card, "store")
        if status != 201:
            await asyncio.sleep(_LOOK_S)
            return None
        self.outcome.stored[body["token"]] = number
        return str(body["token"])

    async def _sell(self) -> None:
        """Store a card and charge it, or an older one, again and again."""
        while True:
            token = await self._store()
            if token is None or self.chance.random() < 0.5:
                token = self.chance.choice(list(self.outcome.stored))
            order = {"amount": 1099, "currency": "USD", "payment_method": token, "confirm": True}
            await self._ask(
                "POST", f"{self.house.api}/payment-intents", self.keys["admin"], order, "sell"
            )

    async def _rotate(self) -> None:
        """Until the house says yes; a question that was cut off may have been taken."""

        async def asked() -> bool:
            url = f"{self.house.vault}/rotate-keys"
            status, _ = await self._ask("POST", url, self.internal, None, "rotate")
            return status == 200

        await self._until(asked)
        self.outcome.rotations += 1

    async def _kill(self) -> None:
        """SIGKILL, some moments from now."""
        await asyncio.sleep(self.chance.random() * KILL_AFTER_MS_MAX / 1000)
        row = self.house.row("vault")
        if row and row["pid"]:
            with suppress(ProcessLookupError):
                os.kill(row["pid"], signal.SIGKILL)
            self.outcome.kills[str(row["state"])] += 1

    async def _is_rotated(self) -> bool:
        url = f"{self.house.vault}/rotate-keys"
        status, shown = await self._ask("GET", url, self.internal, None, "look")
        return status == 200 and not shown["previous"] and not shown["cards_to_do"]

    async def _until(self, found: Callable[[], Awaitable[bool]]) -> None:
        ends = time.monotonic() + PATIENCE_S
        while not await found():
            if time.monotonic() > ends:
                raise AssertionError(f"not within {PATIENCE_S} s: {found.__name__}")
            await asyncio.sleep(_LOOK_S)

    async def _ask(
        self, method: str, url: str, key: str, body: Any, what: str
    ) -> tuple[int | None, Any]:
        headers = {
            "Authorization": f"Bearer {key}",
            "Idempotency-Key": f"{self.chance.getrandbits(64):x}",
        }
        try:
            async with self.session.request(method, url, json=body, headers=headers) as answer:
                found = await answer.json(content_type=None)
                self.outcome.answers[f"{what} {answer.status}"] += 1
                return answer.status, found
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
            self.outcome.answers[f"{what} dropped"] += 1
            return None, None


def judge(home: Path, outcome: Outcome) -> None:
    """Open each card that a shop was promised, with the home's keys and its documents as the
    stopped house left them."""
    fs = RealFs(str(home))
    outcome.keys = json.loads(fs.read(KEYS))["keys"]
    cards = json.loads(fs.read(CARDS))["cards"]
    keys = open_keys(fs, SystemClock(), SystemRng())
    for token, number in outcome.stored.items():
        try:
            opened = keys.open_card(token, convert(cards[token], EncryptedCard))
        except Exception:
            outcome.unopened.append(token)
            continue
        if opened.number != number:
            outcome.unopened.append(token)
    outcome.reborn = _reborn(home)
    newest = outcome.keys[0]["id"]
    outcome.older = [token for token, card in cards.items() if card["key_id"] != newest]


def _reborn(home: Path) -> int:
    """How often the vault recovered while a key was being made, or an older one was not gone."""
    open_keys, found = 1, 0
    for step in journal(home, "vault"):
        found += step["in"]["kind"] == "opened" and open_keys > 1
        types = [event["type"] for event in step["events"]]
        open_keys += types.count("rotation.begun") - types.count("key.retired")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    for name, value in vars(Order()).items():
        parser.add_argument(f"--{name}", type=int, default=value)
    order = Order(**vars(parser.parse_args()))
    with tempfile.TemporaryDirectory(prefix="payrail-rotation-") as folder:
        outcome = asyncio.run(run(order, Path(folder)))
    print(outcome.text())
    return 1 if outcome.wrong() else 0


if __name__ == "__main__":
    sys.exit(main())
