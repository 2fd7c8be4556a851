"""The webhook run: payments make events, the sink fails, dispatcher and gateway are killed.

    python -m tests.chaos.webhooks --events 2000

Afterwards every event of a merchant must have arrived at its endpoint, each time the same bytes
under its own id, with a signature that the public library accepts. What was given up meanwhile lies
among the dead letters and is replayed by hand lines, as people would. Exit code 0 for a good run.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from actors.cli.letters import read_letters
from tests.chaos.client import TRY_S_MAX, Clients, History
from tests.chaos.house import House
from tests.chaos.killer import Killer
from tests.chaos.plans import Plan, draw
from tests.chaos.sink import Sink, listening
from tests.scenarios.living import lines

MERCHANTS = ("m_001", "m_002")
OUTBOX, DELIVERIES = "data/outbox/events.jsonl", "data/outbox/deliveries.jsonl"
#: How long a house that nobody kills any more may take until every event has arrived.
QUIET_S_MAX = 120.0
_LOOK_S = 0.25


@dataclass(frozen=True)
class Order:
    """What to run: payments until there are so many events."""

    events: int = 2_000
    failing: float = 0.3
    clients: int = 8
    kills_per_second: float = 0.8
    seed: int = 42


@dataclass(slots=True)
class Outcome:
    """What a run showed."""

    order: Order
    sink: Sink
    killer: Killer
    events: list[dict[str, Any]]
    deliveries: int
    letters: int
    processed: dict[str, Any]
    verify_code: int
    seconds: float
    quiet_s: float
    failures: list[str]

    def wrong(self) -> list[str]:
        """Everything that must not be so; nothing for a good run."""
        found = [*self.failures, *self.sink.refused]
        missing = [event["id"] for event in self.events if not self.sink.arrived[event["id"]]]
        if missing:
            found.append(f"{len(missing)} events never arrived: {missing[:5]}")
        strangers = set(self.sink.bodies) - {event["id"] for event in self.events}
        if strangers:
            found.append(f"{len(strangers)} ids that no event has")
        torn = [name for name, bodies in self.sink.bodies.items() if len(bodies) != 1]
        if torn:
            found.append(f"{len(torn)} ids with more than one body")
        if len(self.events) < self.order.events:
            found.append(f"{len(self.events)} of {self.order.events} events")
        if any(place["above"] for place in self.processed.values()):
            found.append(f"an endpoint is not at the end: {self.processed}")
        if self.verify_code:
            found.append(f"verify ended with {self.verify_code}")
        return found

    def text(self) -> str:
        """The report for people."""
        twice = sum(n - 1 for n in self.sink.arrived.values() if n > 1)
        share = twice / max(1, len(self.sink.arrived))
        kills = ", ".join(f"{name} {n}" for name, n in sorted(self.killer.by_actor().items()))
        return "\n".join(
            [
                f"events      {len(self.events)} of merchants, {len(self.sink.arrived)} arrived,"
                f" {twice} more than once ({share:.1%})",
                f"attempts    {self.sink.heard} heard, {self.sink.failed} failed on purpose,"
                f" {self.deliveries} lines in the book",
                f"given up    {self.letters} dead letters, each replayed by hand",
                f"kills       {len(self.killer.kills)}: {kills}",
                f"time        {self.seconds:.1f} s, and {self.quiet_s:.1f} s until all had arrived",
                f"verify      {self.verify_code}",
                *(f"WRONG: {what}" for what in self.wrong()),
            ]
        )


async def run(order: Order, folder: Path) -> Outcome:
    """Run it in `folder`. Raises HouseFailed."""
    async with listening(Sink(failing=order.failing, seed=order.seed)) as sink:
        settings = {
            "PAYRAIL_SEED": str(order.seed),
            "PAYRAIL_WEBHOOK_ALLOW": sink.url.removeprefix("http://"),
            "PAYRAIL_WEBHOOK_SCHEDULE": "demo",
        }
        house = House(folder, settings)
        history = History(folder / "history.jsonl")
        try:
            await asyncio.to_thread(house.start)
            return await _storm(order, house, sink, history)
        finally:
            history.close()
            await asyncio.to_thread(house.stop)


async def _storm(order: Order, house: House, sink: Sink, history: History) -> Outcome:
    keys = await asyncio.to_thread(house.keys)
    timeout = aiohttp.ClientTimeout(total=TRY_S_MAX)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        for merchant in MERCHANTS:
            sink.secrets[merchant] = await _endpoint(session, house, keys[merchant], sink, merchant)
        clients = Clients(house.api, house.vault, keys, history, session)
        killer = Killer(
            house,
            lambda: clients.tally.in_flight,
            kills_per_second=order.kills_per_second,
            seed=order.seed,
            victims=("dispatcher", "gateway"),
        )
        began = time.monotonic()
        killing = asyncio.create_task(killer.run())
        await clients.run(_plans(order, house), order.clients)
        killing.cancel()
        await asyncio.gather(killing, return_exceptions=True)
        seconds = time.monotonic() - began
    quiet_s = await _quiet(house, sink)
    verified = await asyncio.to_thread(house.cli, "verify")
    processed = json.loads((house.home / "data/outbox/processed_events.json").read_text())
    return Outcome(
        order=order,
        sink=sink,
        killer=killer,
        events=_events(house),
        deliveries=len(lines(house.home / DELIVERIES)),
        letters=len(_letters(house)),
        processed=processed,
        verify_code=verified.returncode,
        seconds=seconds,
        quiet_s=quiet_s,
        failures=list(clients.tally.failures),
    )


async def _endpoint(
    session: aiohttp.ClientSession, house: House, keys: dict[str, str], sink: Sink, merchant: str
) -> str:
    """Register the merchant's endpoint; result: its secret."""
    headers = {"Authorization": f"Bearer {keys['admin']}"}
    url = f"{house.api}/webhook-endpoints"
    order = {"url": f"{sink.url}/{merchant}"}
    async with session.post(url, json=order, headers=headers) as answer:
        return str((await answer.json())["secret"])


def _plans(order: Order, house: House) -> Iterator[Plan]:
    """Plans until there are enough events; they are counted now and then."""
    for plan in draw(order.seed):
        if plan.number % 10 == 1 and len(_events(house)) >= order.events:
            return
        yield plan


def _events(house: House) -> list[dict[str, Any]]:
    found = lines(house.home / OUTBOX)
    return [event for event in found if event["merchant_id"] is not None]


def _letters(house: House) -> list[dict[str, Any]]:
    return [letter for letter in read_letters(house.home) if letter["actor"] == "dispatcher"]


async def _quiet(house: House, sink: Sink) -> float:
    """Replay what was given up until every event has arrived. Result: seconds."""
    began, replayed = time.monotonic(), set[str]()
    hand = house.home / "mailboxes/dispatcher/hand.jsonl"
    while time.monotonic() - began < QUIET_S_MAX:
        letters = await asyncio.to_thread(_letters, house)
        new = [one["id"] for one in letters if one["state"] == "open" and one["id"] not in replayed]
        replayed.update(new)
        orders = [json.dumps({"kind": "dlq.replay", "body": {"id": name}}) + "\n" for name in new]
        with hand.open("a") as file:
            file.write("".join(orders))
        if not new and await asyncio.to_thread(_has_arrived, house, sink):
            break
        await asyncio.sleep(_LOOK_S)
    return time.monotonic() - began


def _has_arrived(house: House, sink: Sink) -> bool:
    """Every event is at the sink, and the dispatcher knows it."""
    if not all(sink.arrived[event["id"]] for event in _events(house)):
        return False
    shown = json.loads((house.home / "data/outbox/processed_events.json").read_text())
    return not any(place["above"] for place in shown.values())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--events", type=int, default=Order.events)
    parser.add_argument("--failing", type=float, default=Order.failing)
    parser.add_argument("--clients", type=int, default=Order.clients)
    parser.add_argument("--kills-per-second", type=float, default=Order.kills_per_second)
    parser.add_argument("--seed", type=int, default=Order.seed)
    order = Order(**vars(parser.parse_args()))
    with tempfile.TemporaryDirectory(prefix="payrail-webhooks-") as folder:
        outcome = asyncio.run(run(order, Path(folder)))
    print(outcome.text())
    return 1 if outcome.wrong() else 0


if __name__ == "__main__":
    sys.exit(main())
