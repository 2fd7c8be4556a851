"""The run itself: everybody at once while the house is broken, then a calm in which all must come
to its end, then the judges.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path

import aiohttp

from actors.cli.chaos.auditor import ask_auditor
from actors.cli.chaos.cast import Cast
from actors.cli.chaos.client import TRY_S_MAX
from actors.cli.chaos.drills import drill, end_drills, what_came_of_it
from actors.cli.chaos.endpoints import all_arrived, given_up, merchant_events, register
from actors.cli.chaos.live import Told, keep_telling
from actors.cli.chaos.order import Order
from actors.cli.chaos.outcome import QUIET_S_MAX, WHY_SAMPLE, Outcome
from actors.cli.chaos.plans import APPROVED, CHALLENGED, DECLINED, Plan, draw
from actors.cli.chaos.stage import Stage, staged

#: Payments of the calm after the storm: the last batches close with them.
CALM_PAYMENTS = 4
#: How often the calm asks for a settlement in which no provider is silent.
SETTLE_TRIES_MAX = 5
#: How long `verify` and `why` may take: an hour's house is large.
JUDGE_S_MAX = 1800.0
_LOOK_S = 0.1


async def run(order: Order, folder: Path, told: Told | None = None) -> Outcome:
    """Run it in `folder`, which keeps the home and the witness files. Raises HouseFailed."""
    async with staged(order, folder) as stage:
        outcome = await _play(order, stage, told)
        stage.is_good = not outcome.wrong()
        return outcome


async def _play(order: Order, stage: Stage, told: Told | None) -> Outcome:
    keys = await asyncio.to_thread(stage.house.keys)
    timeout = aiohttp.ClientTimeout(total=TRY_S_MAX)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
        await register(session, stage.house, keys, stage.sink)
        cast = Cast(order, stage, keys, session)
        outcome = Outcome(order, cast)
        aside = [asyncio.create_task(stage.heads.run())]
        if told is not None:
            aside.append(asyncio.create_task(keep_telling(cast, told)))
        drilling = asyncio.create_task(drill(stage.house.api, keys["m_001"]["admin"], session))
        try:
            outcome.seconds = await _storm(cast)
            await _cancelled(drilling)
            outcome.calm_s = await _calm(cast, outcome)
        finally:
            await _cancelled(*aside, drilling)
    await _judged(stage, outcome)
    return outcome


async def _storm(cast: Cast) -> float:
    """Everybody at once. Result: its seconds. Raises HouseFailed."""
    began, order = time.monotonic(), cast.order
    others = [asyncio.create_task(one.run()) for one in cast.everybody]
    pace = _pace(order.payments_per_minute) if order.payments_per_minute else None
    paying = asyncio.create_task(cast.clients.run(_plans(order), order.clients, pace))
    try:
        await asyncio.wait([paying, *others], return_when=asyncio.FIRST_COMPLETED)
        for one in others:
            if one.done():
                one.result()  # Nobody ends by himself but by what he raises.
        await paying
    finally:
        await _cancelled(*others, paying)
    return time.monotonic() - began


def _plans(order: Order) -> Iterator[Plan]:
    """Plans until both the number and the time are reached."""
    until = time.monotonic() + order.seconds
    for plan in draw(order.seed):
        if plan.number > order.payments and time.monotonic() > until:
            return
        yield plan


def _pace(per_minute: int) -> Callable[[], Awaitable[None]]:
    """What lets so many through in a minute, one after the other."""
    due = time.monotonic()

    async def wait() -> None:
        nonlocal due
        due = max(due + 60 / per_minute, time.monotonic())
        await asyncio.sleep(due - time.monotonic())

    return wait


async def _calm(cast: Cast, outcome: Outcome) -> float:
    """Nobody breaks anything any more: a few last payments, everything settled, every event at the
    sink. Result: its seconds."""
    began, cast.is_calm = time.monotonic(), True
    await _quiet(cast)
    await end_drills(cast.house)
    last = (replace(plan, number=-plan.number, end="capture", card=APPROVED[0]) for plan in draw(0))
    await cast.hands.a_week_passes(await cast.clients.card(APPROVED[0]))
    await cast.clients.run(islice(last, CALM_PAYMENTS), 1)
    await _quiet(cast)
    for _ in range(SETTLE_TRIES_MAX):
        outcome.settled = await cast.settler.round()
        if outcome.settled or cast.settler.failures:
            break
    await all_arrived(cast.house, cast.sink)
    outcome.quiet = await _quiet(cast)
    return time.monotonic() - began


async def _quiet(cast: Cast) -> bool:
    """Wait until every actor serves and nothing is unread. Result: whether it came to that."""
    until = time.monotonic() + QUIET_S_MAX
    calm = 0
    while time.monotonic() < until:
        rows = [row for row in cast.house.rows() if row["name"] != "supervisor"]
        is_calm = rows and all(row["pid"] and not row["backlog"] for row in rows)
        calm = calm + 1 if is_calm else 0
        if calm >= 10:
            return True
        await asyncio.sleep(_LOOK_S)
    return False


async def _judged(stage: Stage, outcome: Outcome) -> None:
    """Ask the house about itself, end it, and let the auditor read its files."""
    house = stage.house
    verified = await asyncio.to_thread(house.cli, "verify", seconds_max=JUDGE_S_MAX)
    outcome.verify_code = verified.returncode
    outcome.verify_said = (verified.stdout + verified.stderr)[-1000:]
    outcome.unexplained = await asyncio.to_thread(_unexplained, outcome.cast)
    outcome.given_up = len(given_up(house))
    outcome.events = len(merchant_events(house))
    await asyncio.to_thread(house.stop)
    outcome.charges = what_came_of_it(house.home)
    pans = [*APPROVED, *CHALLENGED, *DECLINED]
    outcome.audit = await asyncio.to_thread(
        ask_auditor,
        house.home,
        stage.witness,
        pans=pans,
        extra=[house.log],
        clock_was_set=stage.wall_clock is not None,
    )


def _unexplained(cast: Cast) -> list[str]:
    """Of a sample of payments, those that `why` does not tell of."""
    known = sorted(name for some in cast.tally.known.values() for name in some)
    chosen = random.Random(cast.order.seed).sample(known, min(WHY_SAMPLE, len(known)))
    asked = {name: cast.house.cli("why", name, seconds_max=JUDGE_S_MAX) for name in chosen}
    return [
        f"{name} ended with {ran.returncode}: {ran.stderr[-300:]}"
        for name, ran in asked.items()
        if ran.returncode
    ]


async def _cancelled(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task
