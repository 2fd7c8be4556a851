"""System calls that fail: the Nth of one kind of one actor of a real house, for N = 1, 2, 3, ...

    python -m tests.disks.syscalls --actors gateway,vault,provider-a --most 1000

`strace` lets a call of an unmodified, running actor fail, come up short, or be its last; meanwhile
a client makes one payment and never gives up. The next N is tried until a whole payment passes
without a hit. Whoever is held for a lost fsync is released, as people do. In the end every payment
is final, `verify` is clean and an auditor finds nothing. Needs Linux, root and strace.
"""

import argparse
import asyncio
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp

from actors.cli.chaos.client import Clients
from actors.cli.chaos.house import House
from actors.cli.chaos.plans import APPROVED, Plan, draw
from actors.cli.chaos.witness import History
from payrail.runtime.orders import give_order
from tests.auditor.audit import audit
from tests.commands import Words, at_least, working_in
from tests.disks.volumes import end_unless_possible

ACTORS = ("gateway", "vault", "provider-a", "dispatcher", "frontdoor")
#: One try of a client, and the house's own budget for an answer: a dead actor is soon asked again.
TRY_S_MAX = 2.0
SETTINGS = {"PAYRAIL_REQUEST_BUDGET": "1s", "PAYRAIL_PROVIDER_TIMEOUT": "2s"}
ATTACH_S_MAX = BACK_S_MAX = 60.0
_LOOK_S = 0.02


@dataclass(frozen=True, slots=True)
class Fault:
    """What becomes of the Nth call: `error=...`, `retval=...` (nothing is done, it only looks as
    if so many bytes were written), or `signal=...`. `mark` is how strace tells that it came."""

    name: str
    syscall: str
    inject: str
    mark: str = "(INJECTED)"


FAULTS = (
    Fault("EIO at fdatasync", "fdatasync", "error=EIO"),
    Fault("ENOSPC at pwrite", "pwrite64", "error=ENOSPC"),
    Fault("EIO at pwrite", "pwrite64", "error=EIO"),
    Fault("short pwrite", "pwrite64", "retval=3"),
    Fault("short write", "write", "retval=3"),
    Fault("ENOSPC at open", "openat", "error=ENOSPC"),
    Fault("EMFILE at open", "openat", "error=EMFILE"),
    Fault("EIO at rename", "rename", "error=EIO"),
    Fault("EIO at fsync of a folder", "fsync", "error=EIO"),
    Fault("SIGKILL at pwrite", "pwrite64", "signal=SIGKILL", "+++ killed by SIGKILL +++"),
    Fault("SIGKILL at fdatasync", "fdatasync", "signal=SIGKILL", "+++ killed by SIGKILL +++"),
    Fault("SIGKILL at rename", "rename", "signal=SIGKILL", "+++ killed by SIGKILL +++"),
)


@dataclass(slots=True)
class Outcome:
    """What was hit. `wrong` must stay empty."""

    hits: Counter[tuple[str, str]] = field(default_factory=Counter)  # by actor and fault
    released: Counter[str] = field(default_factory=Counter)
    restarts: int = 0
    payments: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def text(self) -> str:
        rows = [f"{actor:<11} {fault:<26} {n:>4}" for (actor, fault), n in self.hits.items()]
        ends = ", ".join(f"{count} {state}" for state, count in self.payments.most_common())
        return "\n".join(
            (
                *rows,
                f"hits       {self.hits.total()} in {self.seconds:.0f} s, {self.restarts} restarts,"
                f" {self.released.total()} releases",
                f"payments   {self.payments.total()}: {ends}",
                *(f"WRONG      {what}" for what in self.wrong),
                f"{len(self.wrong)} wrong",
            )
        )


class Drill:
    """One house, hit again and again."""

    def __init__(self, house: House, clients: Clients, outcome: Outcome) -> None:
        self._house, self._clients, self._outcome = house, clients, outcome
        self._plans: Iterator[Plan] = draw(42)
        self._trace = house.folder / "strace.txt"

    async def pass_over(self, actor: str, fault: Fault, numbers: Iterator[int]) -> None:
        """One payment for each N, until one passes without a hit."""
        for number in numbers:
            if not await self.strike(actor, fault, number):
                return
            self._outcome.hits[actor, fault.name] += 1

    async def strike(self, actor: str, fault: Fault, number: int) -> bool:
        """One payment while that call of this actor is waited for. Result: whether it came."""
        await self._serving(actor)
        row = self._house.row(actor)
        assert row is not None
        tracing = await self._attached(int(row["pid"]), fault, number)
        caring = asyncio.create_task(self._care())
        try:
            plan = replace(next(self._plans), end="capture", card=APPROVED[0], clicks_twice=False)
            await self._clients.run(iter([plan]), 1)
        finally:
            caring.cancel()
            with suppress(asyncio.CancelledError):
                await caring
            with suppress(ProcessLookupError):
                tracing.send_signal(signal.SIGINT)
            await tracing.wait()
        return fault.mark in self._trace.read_text(errors="replace")

    async def _attached(self, pid: int, fault: Fault, number: int) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            *("strace", "-f", "-p", str(pid), "-o", str(self._trace)),
            *("-e", f"trace={fault.syscall}"),
            *("-e", f"inject={fault.syscall}:{fault.inject}:when={number}"),
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stderr is not None
        async with asyncio.timeout(ATTACH_S_MAX):
            said = await process.stderr.readline()
        if b"attached" not in said:
            raise OSError(f"strace: {said.decode(errors='replace')}")
        return process

    async def _serving(self, actor: str) -> None:
        """Wait until it serves, with whatever help people give. Raises TimeoutError."""
        async with asyncio.timeout(BACK_S_MAX):
            while (row := self._house.row(actor)) is None or row["state"] != "serving":
                self._release_held()
                await asyncio.sleep(_LOOK_S)

    async def _care(self) -> None:
        while True:
            self._release_held()
            await asyncio.sleep(_LOOK_S * 5)

    def _release_held(self) -> None:
        for row in self._house.rows():
            if row["state"] == "held":
                self._outcome.released[row["name"]] += 1
                give_order(self._house.home, row["name"], "release", "")

    async def rest(self) -> None:
        """Wait until all serve and nothing is unread."""
        async with asyncio.timeout(BACK_S_MAX):
            calm = 0
            while calm < 10:
                rows = [row for row in self._house.rows() if row["name"] != "supervisor"]
                is_calm = all(row["state"] == "serving" and not row["backlog"] for row in rows)
                calm = calm + 1 if is_calm else 0
                self._release_held()
                await asyncio.sleep(_LOOK_S)


@dataclass(frozen=True)
class Order:
    """Which actors and faults, and of each pass the calls up to `most`, each `every`th."""

    actors: tuple[str, ...] = ACTORS
    faults: tuple[Fault, ...] = FAULTS
    most: int = 1000
    every: int = 1


async def run(order: Order, folder: Path) -> Outcome:
    """Run it in `folder`, which keeps home and history. Raises HouseFailed, TimeoutError."""
    outcome, began = Outcome(), time.monotonic()
    house, history = House(folder, SETTINGS), History(folder / "history.jsonl")
    try:
        await asyncio.to_thread(house.start)
        keys = await asyncio.to_thread(house.keys)
        timeout = aiohttp.ClientTimeout(total=TRY_S_MAX)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            clients = Clients(house.api, house.vault, keys, history, session)
            drill = Drill(house, clients, outcome)
            for actor in order.actors:
                for fault in order.faults:
                    numbers = iter(range(1, order.most + 1, order.every))
                    await drill.pass_over(actor, fault, numbers)
            await drill.rest()
        outcome.restarts = sum(row["restarts"] for row in house.rows()[:-1])
        outcome.payments += clients.tally.states
        outcome.wrong += clients.tally.failures
        verified = await asyncio.to_thread(house.cli, "verify")
        if verified.returncode:
            outcome.wrong.append(f"verify: {(verified.stdout + verified.stderr)[-1000:]}")
    finally:
        history.close()
        await asyncio.to_thread(house.stop)
    report = audit(house.home, history=folder / "history.jsonl", pans=APPROVED)
    outcome.wrong += [f"auditor: {finding}" for finding in report.findings]
    outcome.seconds = time.monotonic() - began
    return outcome


def main(given: list[str]) -> int:
    """Run, print what was hit, and say by the exit code whether all is well."""
    asked = _parser().parse_args(given)
    end_unless_possible()
    with working_in(asked.folder, "payrail-syscalls-") as place:
        order = Order(actors=asked.actors, most=asked.most, every=asked.every)
        outcome = asyncio.run(run(order, place.folder))
        print(outcome.text())
        place.is_good = not outcome.wrong
    return 1 if outcome.wrong else 0


def _parser() -> Words:
    parser, one = Words("python -m tests.disks.syscalls", __doc__), at_least(1)
    what = f"whose calls fail, parted by commas, of: {', '.join(ACTORS)} (all)"
    parser.add_argument("--actors", type=_actors, default=ACTORS, help=what)
    what = f"the last N of each pass ({Order.most})"
    parser.add_argument("--most", type=one, default=Order.most, help=what)
    what = f"only each so many-th N, from the first on ({Order.every})"
    parser.add_argument("--every", type=one, default=Order.every, help=what)
    what = "an empty folder that keeps home and history"
    parser.add_argument("--folder", type=Path, help=what)
    return parser


def _actors(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if unknown := [name for name in names if name not in ACTORS]:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join(ACTORS)}")
    return names


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
