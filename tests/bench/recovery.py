"""A killed gateway with a journal of many steps: from SIGKILL to the next answered create.

    python -m tests.bench.recovery [--steps 10000] [--kills 7]

Makes the steps by real payments, then kills the gateway while idle and times how long a create,
sent at the moment of the kill, takes to be answered 201. Prints the start times too.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

import aiohttp

from actors.cli.chaos.house import House
from tests.bench.lifecycles import call, load, our_life, stored_token
from tests.bench.stats import Figures, print_table


def steps_of(house: House) -> int:
    """Lines in the gateway's journal."""
    with (house.home / "data/actors/gateway/journal.jsonl").open("rb") as journal:
        return sum(1 for _ in journal)


async def _fill(house: House, token: str, headers: dict[str, str], steps: int) -> None:
    while steps_of(house) < steps:
        await load(our_life(house.api, token), headers, 16, 2.0)


async def _one_kill(house: House, token: str, headers: dict[str, str]) -> Figures:
    row = house.row("gateway")
    if row is None or not row["pid"]:
        raise RuntimeError("no gateway to kill")
    order = {"amount": 100, "currency": "USD", "payment_method": token}
    key = {"Idempotency-Key": os.urandom(16).hex()}
    async with aiohttp.ClientSession(headers=headers) as session:
        os.kill(row["pid"], signal.SIGKILL)
        began = time.perf_counter()
        await call(session, [], f"{house.api}/payment-intents", json=order, headers=key)
        return {"kill_to_201_s": time.perf_counter() - began}


async def _measure(house: House, steps: int, kills: int) -> dict[str, list[float]]:
    keys = json.loads(house.cli("keys", "demo", "--json").stdout)["m_001"]
    token = await stored_token(house, keys["publishable"])
    headers = {"Authorization": f"Bearer {keys['admin']}"}
    await _fill(house, token, headers, steps)
    found: dict[str, list[float]] = {"journal_steps": [float(steps_of(house))]}
    for _ in range(kills):
        await asyncio.sleep(2.0)
        for figure, value in (await _one_kill(house, token, headers)).items():
            found.setdefault(figure, []).append(value)
    return found


def main() -> int:
    """Fill, kill, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=7)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder))
        ready_s = house.start()
        try:
            found = asyncio.run(_measure(house, chosen.steps, chosen.kills))
        finally:
            stop_s = house.stop()
        again_s = house.start()
        house.stop()
    found |= {"up_to_ready_s": [ready_s], "stop_s": [stop_s], "up_again_s": [again_s]}
    print_table({"gateway": found})
    return 0


if __name__ == "__main__":
    sys.exit(main())
