"""One disk and the house on it: cut after cut, and judged when it comes to rest.

Never: asks the house what it did; what clients, watchers and endpoints saw is held against files.
"""

import asyncio
import random
import time
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path

import aiohttp

from actors.cli.chaos.client import TRY_S_MAX, Clients
from actors.cli.chaos.endpoints import all_arrived, register
from actors.cli.chaos.heads import HeadWatch
from actors.cli.chaos.house import HouseFailed
from actors.cli.chaos.plans import APPROVED, DECLINED, draw
from actors.cli.chaos.settling import Settler
from actors.cli.chaos.sink import Sink, listening
from actors.cli.chaos.witness import History
from tests.auditor.audit import audit
from tests.auditor.files import book_paths, read_chain
from tests.auditor.journals import check_journals
from tests.auditor.ledger import check_ledger
from tests.auditor.report import Report
from tests.auditor.witness import check_heads, check_history
from tests.disks.cut_report import Order, Outcome
from tests.disks.powered import Powered
from tests.disks.volumes import Disk

#: Large enough for what a house writes between two audits.
DISK_MIB = 128
#: How long a house lives until its power goes, and how many payments begin meanwhile: with few it
#: comes to rest, and is cut in its snapshots too.
LIVES_S = (0.1, 2.0)
PAYMENTS = (2, 30)
#: From where in its start the power may go.
STARTS_S_MIN = 0.2
QUIET_S_MAX = 60.0
SETTLE_TRIES_MAX = 5
_CALM_PAYMENTS = 4
_LOOK_S = 0.05


class Chain:
    """One disk and its house, cut after cut."""

    def __init__(self, order: Order, number: int, folder: Path, outcome: Outcome) -> None:
        self._order, self._folder, self._outcome = order, folder, outcome
        self._chance = random.Random(f"{order.seed}/{number}")
        self._plans = draw(order.seed + number)
        self._history_path = folder / "history.jsonl"
        self._heads, self._sink_witness = folder / "heads.jsonl", folder / "sink.jsonl"
        self._heads.touch()
        self._cuts = 0
        self._start_s = 2.0  # how long the last start took
        self._paying: list[asyncio.Task[None]] = []
        self._disk = Disk(folder.name, size_mib=DISK_MIB)

    async def run(self, cuts: int) -> None:
        """Raises HouseFailed when it does not come back."""
        await asyncio.to_thread(self._disk.make)
        sink = Sink(failing=0.1, seed=self._order.seed, witness=self._sink_witness)
        async with listening(sink):
            settings = {"PAYRAIL_WEBHOOK_ALLOW": sink.address, "PAYRAIL_WEBHOOK_SCHEDULE": "demo"}
            house, history = (
                Powered(self._folder, self._disk, settings),
                History(self._history_path),
            )
            try:
                await self._live(house, sink, history, cuts)
            finally:
                history.close()
                await asyncio.to_thread(house.stop)
        await asyncio.to_thread(self._disk.remove)

    async def _live(self, house: Powered, sink: Sink, history: History, cuts: int) -> None:
        await self._cut_a_start(house)  # the very first one
        await self._started(house)
        keys = await asyncio.to_thread(house.keys)
        timeout = aiohttp.ClientTimeout(total=TRY_S_MAX)
        async with aiohttp.ClientSession(
            timeout=timeout, connector=aiohttp.TCPConnector(limit=0)
        ) as session:
            await register(session, house, keys, sink)
            clients = Clients(house.api, house.vault, keys, history, session)
            settler = Settler(house.api, keys["m_001"]["admin"], session)
            heads = HeadWatch(house.home, self._heads)
            watching = asyncio.create_task(heads.run())
            try:
                while self._cuts < cuts:
                    self._pay(clients)
                    await self._cut(house, cuts)
                    self._look_back(house)
                await asyncio.gather(*self._paying)
                await self._calm(house, clients, settler, sink)
            finally:
                for task in (watching, *self._paying):
                    task.cancel()
                    with suppress(asyncio.CancelledError):
                        await task
                heads.witness.close()
            self._outcome.payments += clients.tally.states
            self._outcome.wrong += clients.tally.failures + settler.failures
            self._outcome.events += sum(map(bool, sink.arrived.values()))
        await self._judge(house)

    def _pay(self, clients: Clients) -> None:
        """Begin some more payments; those that a cut interrupts go on in the next life."""
        plans = islice(self._plans, self._chance.randint(*PAYMENTS))
        self._paying.append(asyncio.create_task(clients.run(plans, self._order.clients)))

    # Cuts.

    async def _cut(self, house: Powered, cuts: int) -> None:
        """Cut it at work; then let it recover, or cut that too."""
        await asyncio.sleep(self._chance.uniform(*LIVES_S))
        await self._power_goes(house, "worked")
        while self._cuts < cuts and self._chance.random() < self._order.recovery_share:
            await self._cut_a_start(house)
        await self._started(house)

    async def _cut_a_start(self, house: Powered) -> None:
        house.inline(self._chance.random() < self._order.inline_share)
        starting = asyncio.create_task(asyncio.to_thread(house.start))
        await asyncio.sleep(self._chance.uniform(STARTS_S_MIN, self._start_s))
        if starting.done() and (failed := starting.exception()):
            raise failed
        await self._power_goes(house, "recovered")
        with suppress(HouseFailed):
            await starting

    async def _power_goes(self, house: Powered, what: str) -> None:
        await asyncio.to_thread(house.cut_power)
        self._cuts += 1
        self._outcome.cuts[what] += 1
        self._outcome.lost_something += house.lost_bytes > 0
        self._outcome.lost_bytes += house.lost_bytes

    async def _started(self, house: Powered) -> None:
        house.inline(self._chance.random() < self._order.inline_share)
        self._start_s = await asyncio.to_thread(house.start)

    # Judgement.

    def _look_back(self, house: Powered) -> None:
        """Every final answer and every line that was ever read is in the books of this disk."""
        ignored, report = Report(), Report()
        books = {path: read_chain(house.home, path, ignored) for path in book_paths(house.home)}
        payments = check_ledger(books, ignored, check_journals(house.home, books, ignored))
        check_history(self._history_path, payments, report)
        check_heads(self._heads, books, report)
        self._outcome.answers += report.looked_at["acknowledged"]
        self._outcome.wrong += [f"after a cut: {finding}" for finding in report.findings]

    async def _calm(self, house: Powered, clients: Clients, settler: Settler, sink: Sink) -> None:
        last = (
            replace(plan, number=-plan.number, end="capture", card=APPROVED[0]) for plan in draw(0)
        )
        await clients.run(islice(last, _CALM_PAYMENTS), 1)
        await self._quiet(house)
        for _ in range(SETTLE_TRIES_MAX):
            if await settler.round() or settler.failures:
                break
        else:
            self._outcome.wrong.append("no settlement came to its end in peace")
        await all_arrived(house, sink)
        await self._quiet(house)

    async def _quiet(self, house: Powered) -> None:
        until, calm = time.monotonic() + QUIET_S_MAX, 0
        while calm < 10:
            rows = [row for row in house.rows() if row["name"] != "supervisor" and row["pid"]]
            calm = calm + 1 if rows and not any(row["backlog"] for row in rows) else 0
            if time.monotonic() > until:
                self._outcome.wrong.append(f"something is still unread after {QUIET_S_MAX} s")
                return
            await asyncio.sleep(_LOOK_S)

    async def _judge(self, house: Powered) -> None:
        verified = await asyncio.to_thread(house.cli, "verify")
        if verified.returncode:
            self._outcome.wrong.append(f"verify: {(verified.stdout + verified.stderr)[-1000:]}")
        await asyncio.to_thread(house.stop)
        report = audit(
            house.home,
            history=self._history_path,
            heads=self._heads,
            sink=self._sink_witness,
            is_settled=True,
            pans=[*APPROVED, *DECLINED],
            extra=[house.log, self._history_path, self._sink_witness],
        )
        self._outcome.looked_at += Counter(report.looked_at)
        self._outcome.wrong += [f"auditor: {finding}" for finding in report.findings]
