"""The webhook run: payments make events, the sink fails, dispatcher and gateway are killed.

    python -m tests.chaos.webhooks --events 2000

Afterwards every event of a merchant must have arrived at its endpoint, each time the same bytes
under its own id, with a signature that the public library accepts. What was given up meanwhile lies
among the dead letters and is replayed by hand lines, as people would. Exit code 0 for a good run.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from actors.cli.chaos.client import TRY_S_MAX, Clients
from actors.cli.chaos.endpoints import (
    DELIVERIES,
    all_arrived,
    given_up,
    merchant_events,
    processed,
    register,
)
from actors.cli.chaos.house import House
from actors.cli.chaos.killer import Killer
from actors.cli.chaos.plans import Plan, draw
from actors.cli.chaos.sink import Sink, listening
from actors.cli.chaos.witness import History
from tests.scenarios.living import lines


@dataclass(frozen=True)
class Order:
    """What to run: payments until there are so many events, and for at least so long."""

    events: int = 2_000
    seconds_min: float = 3.0  # A quick house would else be done before the killer has begun.
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
            "PAYRAIL_WEBHOOK_ALLOW": sink.address,
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
        await register(session, house, keys, sink)
        clients = Clients(house.api, house.vault, keys, history, session)
        killer = Killer(
            house,
            {"frontdoor": lambda: clients.tally.in_flight},
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
    quiet_s = await all_arrived(house, sink)
    verified = await asyncio.to_thread(house.cli, "verify")
    return Outcome(
        order=order,
        sink=sink,
        killer=killer,
        events=merchant_events(house),
        deliveries=len(lines(house.home / DELIVERIES)),
        letters=len(given_up(house)),
        processed=processed(house),
        verify_code=verified.returncode,
        seconds=seconds,
        quiet_s=quiet_s,
        failures=list(clients.tally.failures),
    )


def _plans(order: Order, house: House) -> Iterator[Plan]:
    """Plans until there are enough events, counted now and then, and the time is reached."""
    until = time.monotonic() + order.seconds_min
    for plan in draw(order.seed):
        is_time_over = plan.number % 10 == 1 and time.monotonic() > until
        if is_time_over and len(merchant_events(house)) >= order.events:
            return
        yield plan


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--events", type=int, default=Order.events)
    parser.add_argument("--seconds-min", type=float, default=Order.seconds_min)
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
