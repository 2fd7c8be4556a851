"""Each merchant's endpoint at the sink, and the wait until every event has arrived there.

What was given up meanwhile lies among the dead letters and is replayed by hand lines, as people do.
"""

import asyncio
import json
import time
from typing import Any

import aiohttp

from actors.cli.chaos.house import House
from actors.cli.chaos.reading import lines
from actors.cli.chaos.sink import Sink
from actors.cli.letters import read_letters

MERCHANTS = ("m_001", "m_002")
OUTBOX, DELIVERIES = "data/outbox/events.jsonl", "data/outbox/deliveries.jsonl"
PROCESSED = "data/outbox/processed_events.json"
#: How long a house that nobody kills any more may take until every event has arrived.
QUIET_S_MAX = 300.0
_LOOK_S = 0.25


async def register(
    session: aiohttp.ClientSession, house: House, keys: dict[str, dict[str, str]], sink: Sink
) -> None:
    """Give each merchant its endpoint, and the sink their secrets."""
    for merchant in MERCHANTS:
        headers = {"Authorization": f"Bearer {keys[merchant]['admin']}"}
        order = {"url": f"{sink.url}/{merchant}"}
        url = f"{house.api}/webhook-endpoints"
        async with session.post(url, json=order, headers=headers) as answer:
            sink.secrets[merchant] = str((await answer.json())["secret"])


def merchant_events(house: House) -> list[dict[str, Any]]:
    """Every event that some merchant is to get."""
    found = lines(house.home / OUTBOX)
    return [event for event in found if event["merchant_id"] is not None]


def given_up(house: House) -> list[dict[str, Any]]:
    """The dispatcher's dead letters."""
    return [letter for letter in read_letters(house.home) if letter["actor"] == "dispatcher"]


def processed(house: House) -> dict[str, Any]:
    """How far each endpoint is."""
    found: dict[str, Any] = json.loads((house.home / PROCESSED).read_text())
    return found


async def all_arrived(house: House, sink: Sink) -> float:
    """Replay what was given up until every event has arrived. Result: seconds; what has not
    arrived after QUIET_S_MAX is for the caller to tell."""
    began, replayed = time.monotonic(), set[str]()
    while time.monotonic() - began < QUIET_S_MAX:
        letters = await asyncio.to_thread(given_up, house)
        new = [one["id"] for one in letters if one["state"] == "open" and one["id"] not in replayed]
        replayed.update(new)
        _replay(house, new)
        if not new and await asyncio.to_thread(_has_arrived, house, sink):
            break
        await asyncio.sleep(_LOOK_S)
    return time.monotonic() - began


def _replay(house: House, names: list[str]) -> None:
    if not names:
        return
    orders = [json.dumps({"kind": "dlq.replay", "body": {"id": name}}) + "\n" for name in names]
    with (house.home / "mailboxes/dispatcher/hand.jsonl").open("a") as file:
        file.write("".join(orders))


def _has_arrived(house: House, sink: Sink) -> bool:
    """Every event is at the sink, and the dispatcher knows it."""
    if not all(sink.arrived[event["id"]] for event in merchant_events(house)):
        return False
    return not any(place["above"] for place in processed(house).values())
