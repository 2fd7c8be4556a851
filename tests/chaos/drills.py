"""Drills beside the kills: the first provider refuses a few charges now and then, and then so many
at once that its breaker opens. What it refuses, the second one takes.
"""

import asyncio
import json
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp

#: Refusals a drill, one drill after the other; five in a row open the breaker.
COUNTS = (3, 3, 3, 8)
EVERY_S = 2.0


async def drill(api: str, admin_key: str, session: aiohttp.ClientSession) -> None:
    """Inject one rule after the other; one that a killed house does not take is left out."""
    headers = {"Authorization": f"Bearer {admin_key}"}
    for count in COUNTS:
        await asyncio.sleep(EVERY_S)
        rule = {"operation": "authorize", "do": "down", "count": count}
        with suppress(aiohttp.ClientError, OSError, TimeoutError):
            url = f"{api}/providers/provider-a/inject-failure"
            async with session.post(url, json=rule, headers=headers) as answer:
                await answer.read()


def what_came_of_it(home: Path) -> Counter[str]:
    """Charges by provider, charges that went elsewhere, and how often a breaker moved."""
    found: Counter[str] = Counter()
    for provider in ("providerA", "providerB"):
        truths = _lines(home / f"data/providers/{provider}_truth.jsonl")
        found[provider] = sum(line["operation"] == "authorize" for line in truths)
    for entry in _lines(home / "data/ledger/payments.jsonl"):
        if entry["type"] == "payment.attempt_started" and entry["data"]["number"] > 1:
            found["failovers"] += 1
        elif entry["type"].startswith("provider."):
            found[entry["type"]] += 1
    return found


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []
