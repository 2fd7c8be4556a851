"""The kill run: the whole house works while its actors are killed; an auditor has the last word.

    python -m tests.chaos.kill_run --payments 1000 --clients 16 --kills-per-second 1.2

Clients pay, a sink takes the merchants' webhooks and fails now and then, somebody settles and
reconciles, somebody looks, somebody repeats calls to the providers, somebody edits rules, rotates a
key and moves the clock a little. Once in the middle the supervisor itself is killed and the house
started again. In the calm after it eight days pass, so that holds run out, a few payments are made
and everything is settled; exit code 0 says that every payment had a final answer, every event
arrived, the auditor found nothing and `verify` is clean.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import aiohttp

from tests.auditor.audit import audit
from tests.auditor.report import Report
from tests.chaos.client import TRY_S_MAX, Clients, History, Tally
from tests.chaos.drills import drill, what_came_of_it
from tests.chaos.endpoints import all_arrived, given_up, register
from tests.chaos.hands import Hands
from tests.chaos.heads import HeadWatch
from tests.chaos.house import House
from tests.chaos.kill_report import QUIET_S_MAX, WHY_SAMPLE, Outcome, by_status, counts
from tests.chaos.killer import Killer
from tests.chaos.plans import APPROVED, DECLINED, Plan, draw
from tests.chaos.settling import Settler
from tests.chaos.sink import Sink, listening
from tests.chaos.stutter import Stutterer
from tests.chaos.visitor import Visitor

#: Payments of the calm after the storm: the last batches close with them.
CALM_PAYMENTS = 4
#: How often the calm asks for a settlement in which no provider is silent.
SETTLE_TRIES_MAX = 5
_LOOK_S = 0.1


@dataclass(frozen=True)
class Order:
    """What to run: at least so many payments and for at least so long. `failing`: the share of
    deliveries that the sink refuses."""

    payments: int = 1000
    seconds_min: float = 30.0  # A quick house would else be done before the killer has begun.
    clients: int = 16
    kills_per_second: float = 1.2
    failing: float = 0.1
    seed: int = 42


class Cast:
    """Everybody who has to do with the house from outside, and what each of them saw."""

    def __init__(
        self,
        order: Order,
        house: House,
        sink: Sink,
        keys: dict[str, dict[str, str]],
        history: History,
        session: aiohttp.ClientSession,
    ) -> None:
        admin = keys["m_001"]["admin"]
        self.order, self.house, self.sink = order, house, sink
        self.clients = Clients(house.api, house.vault, keys, history, session)
        self.settler = Settler(house.api, admin, session)
        self.visitor = Visitor(
            house, admin, lambda: self.tally.known["m_001"], session, seed=order.seed
        )
        self.stutterer = Stutterer(house, session, seed=order.seed)
        self.hands = Hands(house, admin, session)
        self.killer = Killer(
            house,
            {
                "frontdoor": lambda: self.tally.in_flight,
                "console": lambda: self.visitor.at_the_console,
            },
            kills_per_second=order.kills_per_second,
            seed=order.seed,
        )

    @property
    def tally(self) -> Tally:
        return self.clients.tally

    def failures(self) -> list[str]:
        """What no kill explains."""
        cast = (self.tally, self.settler, self.visitor, self.stutterer, self.hands)
        return [failure for one in cast for failure in one.failures]

    def text(self) -> list[str]:
        """What they saw, for the report."""
        done, passing = self.settler.done, self.settler.passing
        return [
            f"webhooks   {self.sink.heard} heard, {self.sink.failed} failed on purpose",
            f"settling   {counts(done)}; on the way: {counts(passing)};"
            f" {self.settler.silent} providers silent",
            f"repeating  captures at the inner door: {by_status(self.stutterer.answers)}",
            f"by hand    {counts(self.hands.done)}",
            f"looking    payments {by_status(self.visitor.reads)},"
            f" {self.visitor.read_while_dead} of them while the gateway was dead;"
            f" pages {by_status(self.visitor.pages)}",
        ]


async def run(order: Order, folder: Path) -> Outcome:
    """Run it in `folder`, which keeps the home and the witness files. Raises HouseFailed."""
    witness = folder / "sink.jsonl"
    sink = Sink(failing=order.failing, seed=order.seed, witness=witness)
    async with listening(sink):
        settings = {
            "PAYRAIL_SEED": str(order.seed),
            "PAYRAIL_WEBHOOK_ALLOW": sink.address,
            "PAYRAIL_WEBHOOK_SCHEDULE": "demo",
        }
        house, history = House(folder, settings), History(folder / "history.jsonl")
        try:
            await asyncio.to_thread(house.start)
            return await _play(order, house, sink, history)
        finally:
            history.close()
            await asyncio.to_thread(house.stop)


async def _play(order: Order, house: House, sink: Sink, history: History) -> Outcome:
    keys = await asyncio.to_thread(house.keys)
    timeout = aiohttp.ClientTimeout(total=TRY_S_MAX)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
        await register(session, house, keys, sink)
        cast = Cast(order, house, sink, keys, history, session)
        watching = asyncio.create_task(HeadWatch(house.home, house.folder / "heads.jsonl").run())
        drilling = asyncio.create_task(drill(house.api, keys["m_001"]["admin"], session))
        try:
            seconds, restarted_s = await _storm(cast)
            await _cancelled(drilling)
            began = time.monotonic()
            quiet, settled = await _calm(cast)
        finally:
            await _cancelled(watching, drilling)
    calm_s = time.monotonic() - began
    return await _judged(cast, seconds, restarted_s, calm_s, quiet=quiet, settled=settled)


async def _storm(cast: Cast) -> tuple[float, float]:
    """Everybody at once, and the killer. Result: seconds of it, and of the restart within."""
    began = time.monotonic()
    everybody = (cast.killer, cast.settler, cast.visitor, cast.stutterer, cast.hands)
    others = [asyncio.create_task(one.run()) for one in everybody]
    paying = asyncio.create_task(cast.clients.run(_plans(cast.order), cast.order.clients))
    try:
        await _halfway(cast.order, cast.tally, paying)
        restarted_s = await _kill_supervisor(cast.house, cast.killer)
        await paying
    finally:
        await _cancelled(*others, paying)
    return time.monotonic() - began, restarted_s


async def _calm(cast: Cast) -> tuple[bool, bool]:
    """Nobody kills any more: a few last payments, everything settled, every event at the sink.
    Result: whether nothing was left unread, and whether settling came to its end."""
    await _quiet(cast.house)
    last = (replace(plan, number=-plan.number, end="capture", card=APPROVED[0]) for plan in draw(0))
    await cast.hands.a_week_passes(await cast.clients.card(APPROVED[0]))
    await cast.clients.run(islice(last, CALM_PAYMENTS), 1)
    await _quiet(cast.house)
    settled = False
    for _ in range(SETTLE_TRIES_MAX):
        settled = await cast.settler.round()
        if settled or cast.settler.failures:
            break
    await all_arrived(cast.house, cast.sink)
    return await _quiet(cast.house), settled


async def _judged(
    cast: Cast, seconds: float, restarted_s: float, calm_s: float, *, quiet: bool, settled: bool
) -> Outcome:
    """Ask the house about itself, end it, and let the auditor read its files."""
    house = cast.house
    verified = await asyncio.to_thread(house.cli, "verify")
    unexplained = await asyncio.to_thread(_unexplained, cast)
    await asyncio.to_thread(house.stop)
    return Outcome(
        order=cast.order,
        cast=cast,
        seconds=seconds,
        restarted_s=restarted_s,
        calm_s=calm_s,
        quiet=quiet,
        settled=settled,
        given_up=len(given_up(house)),
        verify_code=verified.returncode,
        verify_said=(verified.stdout + verified.stderr)[-1000:],
        unexplained=unexplained,
        report=await asyncio.to_thread(_audited, house),
        charges=what_came_of_it(house.home),
    )


def _unexplained(cast: Cast) -> list[str]:
    """Of a sample of payments, those that `why` does not tell of."""
    known = sorted(name for some in cast.tally.known.values() for name in some)
    chosen = random.Random(cast.order.seed).sample(known, min(WHY_SAMPLE, len(known)))
    asked = {name: cast.house.cli("why", name) for name in chosen}
    return [
        f"{name} ended with {ran.returncode}: {ran.stderr[-300:]}"
        for name, ran in asked.items()
        if ran.returncode
    ]


def _plans(order: Order) -> Iterator[Plan]:
    """Plans until both the number and the time are reached."""
    until = time.monotonic() + order.seconds_min
    for plan in draw(order.seed):
        if plan.number > order.payments and time.monotonic() > until:
            return
        yield plan


async def _halfway(order: Order, tally: Tally, paying: asyncio.Task[None]) -> None:
    until = time.monotonic() + order.seconds_min / 2
    while not paying.done():
        if tally.finished >= order.payments // 2 and time.monotonic() > until:
            return
        await asyncio.sleep(_LOOK_S)


async def _kill_supervisor(house: House, killer: Killer) -> float:
    """Result: seconds from the kill until the house, started again, was ready."""
    killer.resting = True
    began = time.monotonic()
    await asyncio.to_thread(house.kill_supervisor)
    await asyncio.to_thread(house.start)
    killer.resting = False
    return time.monotonic() - began


async def _quiet(house: House) -> bool:
    """Wait until every actor serves and nothing is unread. Result: whether it came to that."""
    until = time.monotonic() + QUIET_S_MAX
    calm = 0
    while time.monotonic() < until:
        rows = [row for row in house.rows() if row["name"] != "supervisor" and row["pid"]]
        calm = calm + 1 if rows and not any(row["backlog"] for row in rows) else 0
        if calm >= 10:
            return True
        await asyncio.sleep(_LOOK_S)
    return False


async def _cancelled(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def _audited(house: House) -> Report:
    folder = house.folder
    return audit(
        house.home,
        history=folder / "history.jsonl",
        heads=folder / "heads.jsonl",
        sink=folder / "sink.jsonl",
        is_settled=True,
        pans=[*APPROVED, *DECLINED],
        extra=[house.log, folder / "history.jsonl", folder / "sink.jsonl"],
    )


def main(given: list[str]) -> int:
    """Run, print the report, and say by the exit code whether all is well."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.kill_run")
    parser.add_argument("--payments", type=int, default=Order.payments)
    parser.add_argument("--seconds-min", type=float, default=Order.seconds_min)
    parser.add_argument("--clients", type=int, default=Order.clients)
    parser.add_argument("--kills-per-second", type=float, default=Order.kills_per_second)
    parser.add_argument("--failing", type=float, default=Order.failing)
    parser.add_argument("--seed", type=int, default=Order.seed)
    parser.add_argument("--folder", type=Path, help="keep the home and the witness files here")
    asked = parser.parse_args(given)
    words = {name: value for name, value in vars(asked).items() if name != "folder"}
    order = Order(**words)
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="payrail-kill-"))
    folder.mkdir(parents=True, exist_ok=True)
    outcome = asyncio.run(run(order, folder))
    print(outcome.text())
    print(f"files      {folder}", file=sys.stderr)
    return 1 if outcome.wrong() else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
