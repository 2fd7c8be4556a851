"""The kill run: clients drive payments while actors are killed, and an auditor has the last word.

    python -m tests.chaos.kill_run --payments 1000 --clients 16 --kills-per-second 1.2

Once in the middle the supervisor itself is killed and the house started again. Exit code 0 when
every payment had a final answer, the auditor found nothing and `verify` is clean.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from tests.auditor.audit import audit
from tests.auditor.report import Report
from tests.chaos.client import TRY_S_MAX, Clients, History, Tally
from tests.chaos.drills import drill, what_came_of_it
from tests.chaos.heads import HeadWatch
from tests.chaos.house import House
from tests.chaos.killer import Killer
from tests.chaos.plans import APPROVED, DECLINED, Plan, draw

#: How long a house that nobody kills any more may take until nothing is left unread.
QUIET_S_MAX = 60.0
_LOOK_S = 0.1


@dataclass(frozen=True)
class Order:
    """What to run: at least so many payments and for at least so long."""

    payments: int = 1000
    seconds_min: float = 30.0  # A quick house would else be done before the killer has begun.
    clients: int = 16
    kills_per_second: float = 1.2
    seed: int = 42


@dataclass(slots=True)
class Outcome:
    """What a run showed."""

    order: Order
    tally: Tally
    killer: Killer
    seconds: float
    restarted_s: float
    quiet: bool
    verify_code: int
    verify_said: str
    report: Report
    charges: Mapping[str, int]  # by provider, and what the drills brought about

    def wrong(self) -> list[str]:
        """Everything that must not be so; nothing for a good run."""
        found = list(self.tally.failures)
        if self.tally.states.total() < self.order.payments:
            found.append(f"{self.tally.states.total()} of {self.order.payments} payments are final")
        if not self.quiet:
            found.append(f"something is still unread after {QUIET_S_MAX} s of peace")
        if self.verify_code:
            found.append(f"verify ended with {self.verify_code}: {self.verify_said}")
        if not (self.charges.get("providerB") and self.charges.get("failovers")):
            found.append("no charge went to the second provider")
        if not self.report.is_clean:
            found.append(f"the auditor found {len(self.report.findings)} things")
        return found

    def text(self) -> str:
        """The report for people."""
        kills = self.killer.kills
        by_actor = ", ".join(f"{name} {n}" for name, n in sorted(self.killer.by_actor().items()))
        rate = len(kills) / max(self.seconds - self.restarted_s, 1)
        inside = sum(kill.busy_inside for kill in kills)
        outside = sum(kill.busy_outside for kill in kills)
        lines = [
            f"payments   {self.tally.states.total()} final, {self.order.payments} wanted:"
            f" {_counts(self.tally.states)}",
            f"clients    {self.order.clients}, {self.tally.tries} tries,"
            f" {self.tally.dropped} dropped",
            f"answers    {_counts(self.tally.statuses)}",
            f"kills      {len(kills)} ({rate:.2f} a second): {by_actor}; the supervisor once,"
            f" ready again after {self.restarted_s:.1f} s",
            f"charges    {_counts(self.charges)}",
            f"busy       {self.killer.busy_share:.0%} (by its cell {inside},"
            f" requests on their way {outside})",
            f"time       {self.seconds:.1f} s, seed {self.order.seed}",
            f"verify     {self.verify_code}",
            "",
            self.report.table(),
            *(f"WRONG: {what}" for what in self.wrong()),
        ]
        return "\n".join(lines)


def _counts(counter: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counter.items())) or "none"


async def run(order: Order, folder: Path) -> Outcome:
    """Run it in `folder`, which keeps the home and the witness files. Raises HouseFailed."""
    house = House(folder, {"PAYRAIL_SEED": str(order.seed)})
    history = History(folder / "history.jsonl")
    try:
        await asyncio.to_thread(house.start)
        keys = await asyncio.to_thread(house.keys)
        timeout = aiohttp.ClientTimeout(total=TRY_S_MAX)
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
            clients = Clients(house.api, house.vault, keys, history, session)
            drilling = asyncio.create_task(drill(house.api, keys["m_001"]["admin"], session))
            try:
                return await _storm(order, house, clients, folder)
            finally:
                await _cancelled(drilling)
    finally:
        history.close()
        await asyncio.to_thread(house.stop)


async def _storm(order: Order, house: House, clients: Clients, folder: Path) -> Outcome:
    tally = clients.tally
    killer = Killer(
        house,
        lambda: tally.in_flight,
        kills_per_second=order.kills_per_second,
        seed=order.seed,
    )
    began = time.monotonic()
    watching = asyncio.create_task(HeadWatch(house.home, folder / "heads.jsonl").run())
    killing = asyncio.create_task(killer.run())
    paying = asyncio.create_task(clients.run(_plans(order), order.clients))
    try:
        await _halfway(order, tally, paying)
        restarted_s = await _kill_supervisor(house, killer)
        await paying
    finally:
        await _cancelled(killing, paying)
    seconds = time.monotonic() - began
    quiet = await _quiet(house)
    await _cancelled(watching)
    verified = await asyncio.to_thread(house.cli, "verify")
    await asyncio.to_thread(house.stop)
    return Outcome(
        order=order,
        tally=tally,
        killer=killer,
        seconds=seconds,
        restarted_s=restarted_s,
        quiet=quiet,
        verify_code=verified.returncode,
        verify_said=(verified.stdout + verified.stderr)[-1000:],
        report=await asyncio.to_thread(_audited, house, folder),
        charges=what_came_of_it(house.home),
    )


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


def _audited(house: House, folder: Path) -> Report:
    return audit(
        house.home,
        history=folder / "history.jsonl",
        heads=folder / "heads.jsonl",
        pans=[*APPROVED, *DECLINED],
        extra=[house.log, folder / "history.jsonl"],
    )


def main(given: list[str]) -> int:
    """Run, print the report, and say by the exit code whether all is well."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.kill_run")
    parser.add_argument("--payments", type=int, default=Order.payments)
    parser.add_argument("--seconds-min", type=float, default=Order.seconds_min)
    parser.add_argument("--clients", type=int, default=Order.clients)
    parser.add_argument("--kills-per-second", type=float, default=Order.kills_per_second)
    parser.add_argument("--seed", type=int, default=Order.seed)
    parser.add_argument("--folder", type=Path, help="keep the home and the witness files here")
    asked = parser.parse_args(given)
    order = Order(
        asked.payments, asked.seconds_min, asked.clients, asked.kills_per_second, asked.seed
    )
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="payrail-kill-"))
    folder.mkdir(parents=True, exist_ok=True)
    outcome = asyncio.run(run(order, folder))
    print(outcome.text())
    print(f"files      {folder}", file=sys.stderr)
    return 1 if outcome.wrong() else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
