"""Somebody who repeats himself at the providers' inner door: captures that have happened, word for
word under their own reference. The provider must say what it said, and claim nothing again.
"""

import asyncio
import json
import random
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp

from actors.cli.chaos.house import House
from actors.cli.chaos.reading import Growing

EVERY_S = 0.25
#: The provider or its door is away, or too much is to be done.
_PASSING = frozenset({429, 503, 504})
_ACTORS = {"providerA": "provider-a", "providerB": "provider-b"}


class Truth:
    """What a provider did, as far as it was read."""

    def __init__(self, path: Path) -> None:
        self._file = Growing(path)
        self.captures: list[dict[str, Any]] = []
        self.held: dict[str, str] = {}  # reference of the first charge by payment

    def look(self) -> None:
        for line in self._file.new():
            if line["operation"] == "capture":
                self.captures.append(line)
            elif line["operation"] == "authorize":
                self.held.setdefault(_payment_of(line), line["reference"])


def _payment_of(line: dict[str, Any]) -> str:
    return str(line["reference"]).rpartition(".")[0]


class Stutterer:
    """`answers` by status (0: nobody answered); `failures` are what no kill explains."""

    def __init__(self, house: House, session: aiohttp.ClientSession, *, seed: int) -> None:
        self._house, self._session = house, session
        self._chance = random.Random(seed)
        truths = house.home / "data/providers"
        self._truths = {name: Truth(truths / f"{name}_truth.jsonl") for name in _ACTORS}
        self.answers: Counter[int] = Counter()
        self.failures: list[str] = []

    async def run(self) -> None:
        """Repeat one capture after the other until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            provider = self._chance.choice(list(_ACTORS))
            call = await asyncio.to_thread(self._some_capture, provider)
            if call is not None:
                await self._repeat(_ACTORS[provider], call)

    def _some_capture(self, provider: str) -> dict[str, Any] | None:
        """A capture of the truth as the call that led to it."""
        truth = self._truths[provider]
        truth.look()
        if not truth.captures:
            return None
        chosen = self._chance.choice(truth.captures)
        held = truth.held[_payment_of(chosen)]
        same = {name: chosen[name] for name in ("reference", "amount", "operation_id")}
        return {**same, "authorization": held}

    async def _repeat(self, actor: str, call: dict[str, Any]) -> None:
        secret = (self._house.home / "data/secrets/internal").read_text().strip()
        url = f"http://127.0.0.1:{self._house.ports['PROVIDER']}/providers/{actor}/capture"
        headers = {"Authorization": f"Bearer {secret}"}
        status, said = 0, ""
        with suppress(aiohttp.ClientError, OSError, TimeoutError):
            async with self._session.post(url, json=call, headers=headers) as answer:
                status, said = answer.status, json.dumps(await answer.json(content_type=None))
        self.answers[status] += 1
        if status not in (0, 200, *_PASSING):
            self.failures.append(f"{call['reference']} repeated: {status} {said[:200]}")
