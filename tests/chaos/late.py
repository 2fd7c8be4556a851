"""The run of late approvals: every charge happens after its payment was given up, under kills.

    python -m tests.chaos.late --approvals 100000

Both providers take each charge up long after its time, although they were asked and had fenced it:
the worst that a provider may do. Gateway, providers and vault are killed meanwhile. In the end each
late charge must have been given back once, its payment must be as closed as before, and people must
have a case for it. Many approvals are shared out among houses, one after the other, each judged by
itself: an auditor holds a whole house in memory. Exit code 0 for a good run.
"""

import argparse
import asyncio
import itertools
import math
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp

from actors.cli.chaos.client import TRY_S_MAX
from actors.cli.chaos.house import House
from actors.cli.chaos.killer import Killer
from actors.cli.chaos.wishes import PASSING
from payrail.domain.books import LEDGER_BOOK
from tests.auditor.audit import audit
from tests.auditor.report import Report
from tests.scenarios.living import lines

CARD = "4242424242424242"
VICTIMS = ("gateway", "provider-a", "provider-b", "vault")
#: A charge has a second; it is taken up so much later than its ask that a kill seldom overtakes it.
TIMEOUT, SLOW_MS = "1s", 4_000
DRILL = {"operation": "authorize", "do": f"slow:{SLOW_MS}", "fence": False}
_PAUSE_S, _LOOK_S = 0.2, 2.0
#: After the last kill: the slowest charge, its reversal, and the asks in between.
CALM_S_MAX = 240.0
#: Of the payments, those whose first ask a kill held back until the charge had happened: they are
#: authorized, and not late. The run makes up for them, on a slow machine more than once.
SPARE, ROUNDS_MAX = 1.25, 5


#: One house has so many; its auditor needs some 3 GB then.
A_HOUSE_MAX = 10_000


@dataclass(frozen=True)
class Order:
    """What to run: payments until so many were approved too late, and for at least so long."""

    approvals: int = 2_000
    clients: int = 128
    kills_per_second: float = 0.7
    seed: int = 42


@dataclass(slots=True)
class Books:
    """What ledger and truths say of the late charges."""

    states: Counter[str] = field(default_factory=Counter)
    given_back: Counter[str] = field(default_factory=Counter)  # by reference of the charge
    cases: Counter[str] = field(default_factory=Counter)  # by payment
    closed_and_charged: set[str] = field(default_factory=set)  # references, by the truths
    unsettled: int = 0  # charges of closed payments that were not given back yet


@dataclass(slots=True)
class Outcome:
    """What a run showed."""

    order: Order
    books: Books
    killer: Killer
    answers: Counter[str]
    seconds: float
    calm_s: float
    verify_code: int
    report: Report

    def wrong(self) -> list[str]:
        """Everything that must not be so; nothing for a good run."""
        books, found = self.books, []
        late = books.closed_and_charged
        if len(late) < self.order.approvals:
            found.append(f"{len(late)} of {self.order.approvals} approvals came too late")
        for name, some in (
            ("were not given back", late - set(books.given_back)),
            ("were given back and never charged", set(books.given_back) - late),
            ("were given back twice", {r for r, n in books.given_back.items() if n > 1}),
            ("have no case", {r for r in late if not books.cases[_payment_of(r)]}),
        ):
            if some:
                found.append(f"{len(some)} late charges {name}: {sorted(some)[:3]}")
        strange = {name for name in self.answers if not _is_explained(name)}
        if strange:
            found.append(f"answers that no kill explains: {sorted(strange)}")
        if self.verify_code:
            found.append(f"verify ended with {self.verify_code}")
        if not self.report.is_clean:
            found.append(f"the auditor found {len(self.report.findings)} things")
        return found

    def text(self) -> str:
        """The report for people."""
        kills = ", ".join(f"{name} {n}" for name, n in sorted(self.killer.by_actor().items()))
        return "\n".join(
            [
                f"late       {len(self.books.closed_and_charged)} charges of closed payments,"
                f" {self.books.given_back.total()} given back, {self.books.cases.total()} cases",
                f"payments   {_counts(self.books.states)}",
                f"answers    {_counts(self.answers)}",
                f"kills      {len(self.killer.kills)}: {kills}",
                f"time       {self.seconds:.1f} s, and {self.calm_s:.1f} s until all was back,"
                f" seed {self.order.seed}",
                f"verify     {self.verify_code}",
                "",
                self.report.table(),
                *(f"WRONG: {what}" for what in self.wrong()),
            ]
        )


def _counts(counter: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counter.items())) or "none"


def _is_explained(answer: str) -> bool:
    status = answer.partition(" ")[0]
    return status in ("dropped", "201", "402") or int(status) in PASSING


def _payment_of(reference: str) -> str:
    return reference.rpartition(".")[0]


async def run(order: Order, folder: Path) -> Outcome:
    """Run it in `folder`, which keeps the home. Raises HouseFailed."""
    settings = {"PAYRAIL_SEED": str(order.seed), "PAYRAIL_PROVIDER_TIMEOUT": TIMEOUT}
    house = House(folder, settings)
    try:
        await asyncio.to_thread(house.start)
        return await _storm(order, house)
    finally:
        await asyncio.to_thread(house.stop)


async def _storm(order: Order, house: House) -> Outcome:
    keys = (await asyncio.to_thread(house.keys))["m_001"]
    timeout = aiohttp.ClientTimeout(total=TRY_S_MAX)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
        payers = Payers(house, keys, session)
        await payers.prepare()
        killer = Killer(
            house,
            {"frontdoor": lambda: payers.in_flight},
            kills_per_second=order.kills_per_second,
            seed=order.seed,
            victims=VICTIMS,
        )
        began = time.monotonic()
        killing = asyncio.create_task(killer.run())
        await _pay_until_enough(order, house, payers)
        killing.cancel()
        await asyncio.gather(killing, return_exceptions=True)
        seconds = time.monotonic() - began
    return await _judged(order, house, killer, payers, seconds)


async def _pay_until_enough(order: Order, house: House, payers: "Payers") -> None:
    missing = order.approvals
    for _ in range(ROUNDS_MAX):
        await payers.pay(math.ceil(missing * SPARE), order.clients)
        await asyncio.sleep(SLOW_MS / 1000)  # The last charges are taken up only now.
        books = await asyncio.to_thread(read_books, house.home)
        missing = order.approvals - len(books.closed_and_charged)
        if missing <= 0:
            return


async def _judged(
    order: Order, house: House, killer: Killer, payers: "Payers", seconds: float
) -> Outcome:
    """Wait until everything is back, then let the auditor read."""
    began = time.monotonic()
    while time.monotonic() - began < CALM_S_MAX:
        await asyncio.sleep(_LOOK_S)
        books = await asyncio.to_thread(read_books, house.home)
        if not books.unsettled and _is_idle(house):
            break
    calm_s = time.monotonic() - began
    verified = await asyncio.to_thread(house.cli, "verify", seconds_max=900)
    await asyncio.to_thread(house.stop)
    return Outcome(
        order=order,
        books=read_books(house.home),
        killer=killer,
        answers=payers.answers,
        seconds=seconds,
        calm_s=calm_s,
        verify_code=verified.returncode,
        report=await asyncio.to_thread(audit, house.home, pans=[CARD], extra=[house.log]),
    )


def _is_idle(house: House) -> bool:
    rows = [row for row in house.rows() if row["name"] != "supervisor"]
    return all(row["pid"] and not row["backlog"] for row in rows)


class Payers:
    """Clients that pay with one card and send each key until it has an answer that stays or says
    that it is in doubt."""

    def __init__(
        self, house: House, keys: Mapping[str, str], session: aiohttp.ClientSession
    ) -> None:
        self._house, self._keys, self._session = house, keys, session
        self._token = ""
        self._numbers = itertools.count()
        self.in_flight = 0
        self.answers: Counter[str] = Counter()

    async def prepare(self) -> None:
        """A stored card, and the drill at both providers."""
        card = {"number": CARD, "exp_month": 12, "exp_year": 2040, "cvc": "123", "name": "A B"}
        stored = await self._post(f"{self._house.vault}/tokenize", card, "card")
        self._token = str(stored["token"])
        for name in ("provider-a", "provider-b"):
            await self._post(f"{self._house.api}/providers/{name}/inject-failure", DRILL, name)

    async def pay(self, payments: int, clients: int) -> None:
        """So many payments by so many at once."""
        numbers = itertools.islice(self._numbers, payments)
        await asyncio.gather(*(self._client(numbers) for _ in range(clients)))

    async def _client(self, numbers: Any) -> None:
        for number in numbers:
            order = {"amount": 1000 + number % 997, "currency": "USD"}
            order |= {"payment_method": self._token, "confirm": True}
            await self._until_known(order, f"late-{number}")

    async def _until_known(self, order: dict[str, Any], key: str) -> None:
        while True:
            try:
                status, code = await self._try(order, key)
            except (aiohttp.ClientError, OSError, TimeoutError):
                status, code = 0, ""
            self.answers[f"{status or 'dropped'} {code}".strip()] += 1
            if status in (201, 202, 402) or (status and status not in PASSING):
                return
            await asyncio.sleep(_PAUSE_S)

    async def _try(self, order: dict[str, Any], key: str) -> tuple[int, str]:
        url = f"{self._house.api}/payment-intents"
        headers = {"Authorization": f"Bearer {self._keys['admin']}", "Idempotency-Key": key}
        self.in_flight += 1
        try:
            async with self._session.post(url, json=order, headers=headers) as answer:
                body = await answer.json()
                return answer.status, str(body.get("code") or body.get("state"))
        finally:
            self.in_flight -= 1

    async def _post(self, url: str, body: Mapping[str, Any], key: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._keys['admin']}", "Idempotency-Key": key}
        async with self._session.post(url, json=body, headers=headers) as answer:
            answer.raise_for_status()
            found: dict[str, Any] = await answer.json()
            return found


_STATES = {"authorized": "authorized", "declined": "declined", "reversed": "reversed"}


def read_books(home: Path) -> Books:
    """What the files say now; each line once, nothing kept but ids."""
    books, states = Books(), dict[str, str]()
    for entry in lines(home / LEDGER_BOOK):
        kind, data = entry["type"], entry["data"]
        moved = _STATES.get(kind.removeprefix("payment."))
        if moved:
            states[entry["ref"]] = moved
        elif kind == "payment.unknown":
            states.setdefault(entry["ref"], "unknown")
        elif kind == "payment.late_approval_reversed":
            books.given_back[data["reference"]] += 1
        elif kind == "case.opened" and data["reason"] == "late_approval":
            books.cases[data["payment_id"]] += 1
    for provider in ("providerA", "providerB"):
        path = home / f"data/providers/{provider}_truth.jsonl"
        for effect in lines(path):
            is_charge = (effect["operation"], effect["outcome"]) == ("authorize", "approved")
            if is_charge and states.get(_payment_of(effect["reference"])) == "declined":
                books.closed_and_charged.add(effect["reference"])
    books.states = Counter(states.values())
    books.unsettled = (
        len(books.closed_and_charged - set(books.given_back)) + books.states["unknown"]
    )
    return books


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--approvals", type=int, default=Order.approvals)
    parser.add_argument("--clients", type=int, default=Order.clients)
    parser.add_argument("--kills-per-second", type=float, default=Order.kills_per_second)
    parser.add_argument("--seed", type=int, default=Order.seed)
    orders = shared_out(Order(**vars(parser.parse_args())))
    return max([_played(order, number, len(orders)) for number, order in enumerate(orders, 1)])


def shared_out(order: Order) -> list[Order]:
    """The order, as one for each house; every house has a seed of its own."""
    houses = max(1, math.ceil(order.approvals / A_HOUSE_MAX))
    share, rest = divmod(order.approvals, houses)
    return [
        replace(order, approvals=share + (number < rest), seed=order.seed + number)
        for number in range(houses)
    ]


def _played(order: Order, number: int, houses: int) -> int:
    with tempfile.TemporaryDirectory(prefix="payrail-late-") as folder:
        outcome = asyncio.run(run(order, Path(folder)))
    print(f"house      {number} of {houses}", outcome.text(), "", sep="\n", flush=True)
    return 1 if outcome.wrong() else 0


if __name__ == "__main__":
    sys.exit(main())
