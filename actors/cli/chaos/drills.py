"""Drills beside the kills: the first provider refuses a few charges now and then, and then so many
at once that its breaker opens; what it refuses, the second one takes. Meanwhile both send webhooks
twice, late, early and out of order.
"""

import asyncio
import itertools
from collections import Counter
from contextlib import suppress
from pathlib import Path

import aiohttp

from actors.cli.chaos.house import House, HouseFailed
from actors.cli.chaos.reading import lines

#: Refusals a drill, one drill after the other; five in a row open the breaker.
REFUSALS = (3, 3, 3, 8)
#: What happens to so many webhooks of each provider after each of the refusals.
WEBHOOKS = ("duplicate_webhook", "late_webhook:1", "reorder_webhooks", "early_webhook")
WEBHOOKS_A_DRILL = 5
EVERY_S, REST_S = 2.0, 60.0


async def drill(api: str, admin_key: str, session: aiohttp.ClientSession) -> None:
    """Inject one rule after the other, rest, and again, until cancelled; a rule that a killed house
    does not take is left out."""
    drills = itertools.cycle(zip(REFUSALS, WEBHOOKS, strict=True))
    for number, (count, webhooks) in enumerate(drills):
        is_next_cycle = number and number % len(REFUSALS) == 0
        await asyncio.sleep(REST_S if is_next_cycle else EVERY_S)
        refuse = {"operation": "authorize", "do": "down", "count": count}
        disturb = {"operation": "webhook", "do": webhooks, "count": WEBHOOKS_A_DRILL}
        for name, rule in (
            ("provider-a", refuse),
            ("provider-a", disturb),
            ("provider-b", disturb),
        ):
            headers = {"Authorization": f"Bearer {admin_key}"}
            url = f"{api}/providers/{name}/inject-failure"
            with suppress(aiohttp.ClientError, OSError, TimeoutError):
                async with session.post(url, json=rule, headers=headers) as answer:
                    await answer.read()


async def end_drills(house: House) -> None:
    """Let both providers be well. Raises HouseFailed."""
    for name in ("provider-a", "provider-b"):
        ran = await asyncio.to_thread(house.cli, "providers", "clear", name)
        if ran.returncode:
            raise HouseFailed(f"providers clear {name} ended with {ran.returncode}: {ran.stderr}")


def what_came_of_it(home: Path) -> Counter[str]:
    """Charges by provider, charges that went elsewhere, how often a breaker moved, and webhooks of
    providers that a drill had part in."""
    found: Counter[str] = Counter()
    for name, provider in (("provider-a", "providerA"), ("provider-b", "providerB")):
        truths = lines(home / f"data/providers/{provider}_truth.jsonl")
        found[provider] = sum(line["operation"] == "authorize" for line in truths)
        found["webhook drills"] += _used(home / f"data/actors/{name}/journal.jsonl")
    for entry in lines(home / "data/ledger/payments.jsonl"):
        if entry["type"] == "payment.attempt_started" and entry["data"]["number"] > 1:
            found["failovers"] += 1
        elif entry["type"].startswith("provider."):
            found[entry["type"]] += 1
    return found


def _used(journal: Path) -> int:
    """How often a drill on webhooks was used."""
    rules, used = set[str](), 0
    for step in lines(journal):
        for event in step["events"]:
            if event["type"] == "fault.injected" and event["rule"]["operation"] == "webhook":
                rules.add(event["id"])
            used += event["type"] == "fault.used" and event["id"] in rules
    return used
