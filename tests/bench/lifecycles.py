"""Lifecycles a second over HTTP: create, authorize, capture; ours beside localstripe's.

    python -m tests.bench.lifecycles [--rounds 3] [--seconds 10] [--clients 32] [--peer PYTHON]
        [--endpoint]

`--peer` is the Python of an environment that has localstripe; without it only ours is run. Each
round starts both servers from empty. The client is one aiohttp process for both. `--endpoint` also
runs ours with a merchant's endpoint that takes every event over HTTP.
"""

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from actors.cli.chaos.house import House
from actors.cli.stories.houses import free_ports
from tests.bench.stats import Figures, in_turn, percentile, print_table, ratios, shown

CARD = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2030, "cvc": "123"}
#: How long an endpoint may lag behind once the load is over.
_DRAIN_S_MAX = 300.0
Life = Callable[[aiohttp.ClientSession, list[float], int], Awaitable[None]]


async def call(
    session: aiohttp.ClientSession, latencies: list[float], url: str, **more: Any
) -> dict[str, Any]:
    began = time.perf_counter()
    async with session.post(url, **more) as response:
        body = await response.read()
    latencies.append(time.perf_counter() - began)
    if response.status not in (200, 201):
        raise RuntimeError(f"{url}: {response.status} {body[:300]!r}")
    found: dict[str, Any] = json.loads(body)
    return found


async def load(life: Life, headers: dict[str, str], clients: int, seconds: float) -> Figures:
    latencies: list[float] = []
    done = 0
    cpu = time.process_time()
    began = time.perf_counter()
    async with aiohttp.ClientSession(
        headers=headers, connector=aiohttp.TCPConnector(limit=0)
    ) as session:

        async def client(number: int) -> None:
            nonlocal done
            count = 0
            while time.perf_counter() - began < seconds:
                await life(session, latencies, number * 1_000_000 + count)
                count += 1
                done += 1

        await asyncio.gather(*(client(number) for number in range(clients)))
    elapsed = time.perf_counter() - began
    return {
        "lifecycles_per_s": done / elapsed,
        "requests_per_s": len(latencies) / elapsed,
        "request_p50_ms": percentile(latencies, 0.5) * 1000,
        "request_p99_ms": percentile(latencies, 0.99) * 1000,
        "client_cpu_us_per_lifecycle": (time.process_time() - cpu) / max(1, done) * 1e6,
        "lifecycles": done,
    }


def ours(clients: int, seconds: float, sink: str | None = None) -> Figures:
    """One house from empty, loaded; also the CPU that each actor spent on a lifecycle. With `sink`
    every event goes there, and what it took until all were there is told too."""
    settings = {"PAYRAIL_WEBHOOK_ALLOW": sink.removeprefix("http://")} if sink else {}
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder), settings)
        ready_s = house.start()
        try:
            keys = json.loads(house.cli("keys", "demo", "--json").stdout)["m_001"]
            token = asyncio.run(stored_token(house, keys["publishable"]))
            before = _cpu(house)
            if sink:
                asyncio.run(_endpoint(house, keys["admin"], sink))
            found = dict(
                asyncio.run(
                    load(
                        our_life(house.api, token),
                        {"Authorization": f"Bearer {keys['admin']}"},
                        clients,
                        seconds,
                    )
                )
            )
            if sink:
                found |= asyncio.run(_drained(house, sink))
            for actor, spent in _cpu(house).items():
                used = spent - before.get(actor, 0.0)
                found[f"cpu_us_per_lifecycle_{actor}"] = used / found["lifecycles"] * 1e6
            return found | {"up_to_ready_s": ready_s}
        finally:
            house.stop()


async def stored_token(house: House, key: str) -> str:
    headers = {"Authorization": f"Bearer {key}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        stored = await call(session, [], f"{house.vault}/tokenize", json=CARD)
    return str(stored["token"])


async def _endpoint(house: House, key: str, sink: str) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        await call(session, [], f"{house.api}/webhook-endpoints", json={"url": f"{sink}/"})


async def _drained(house: House, sink: str) -> dict[str, float]:
    """How many events were there when the load ended, and how long the others took."""
    began = time.perf_counter()
    outbox = house.home / "data/outbox/events.jsonl"
    events = sum(1 for line in outbox.read_bytes().splitlines() if b'"m_001"' in line)
    async with aiohttp.ClientSession() as session:
        there = at_end = await _taken(session, sink)
        while there < events:
            if time.perf_counter() - began > _DRAIN_S_MAX:
                raise RuntimeError(f"{there} of {events} events at the endpoint")
            await asyncio.sleep(0.05)
            there = await _taken(session, sink)
    return {
        "events": events,
        "delivered_at_end_share": at_end / events,
        "drained_after_s": time.perf_counter() - began,
    }


async def _taken(session: aiohttp.ClientSession, sink: str) -> int:
    async with session.get(sink) as answer:
        return int((await answer.json())["events"])


def with_endpoint(clients: int, seconds: float) -> Figures:
    """Ours with one endpoint that takes everything."""
    port = free_ports(1)[0]
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.sink", str(port)])
    try:
        _wait_for(port)
        return ours(clients, seconds, f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait()


def our_life(api: str, token: str) -> Life:
    run = os.urandom(4).hex()

    async def life(session: aiohttp.ClientSession, latencies: list[float], number: int) -> None:
        order = {"amount": 1099 + number % 100, "currency": "USD", "payment_method": token}
        url = f"{api}/payment-intents"
        made = await call(
            session, latencies, url, json=order, headers={"Idempotency-Key": f"{run}-{number}-c"}
        )
        for verb, state in (("authorize", "authorized"), ("capture", "captured")):
            made = await call(
                session,
                latencies,
                f"{url}/{made['id']}/{verb}",
                json={},
                headers={"Idempotency-Key": f"{run}-{number}-{verb}"},
            )
            if made["state"] != state:
                raise RuntimeError(f"{verb}: {made['state']}")

    return life


def _cpu(house: House) -> dict[str, float]:
    """Seconds of CPU by actor so far."""
    spent = {}
    for row in house.rows():
        if row["pid"]:
            times = psutil.Process(row["pid"]).cpu_times()
            spent[row["name"]] = times.user + times.system
    return spent


def localstripe(python: str, clients: int, seconds: float) -> Figures:
    """The peer as shipped, from empty."""
    port = free_ports(1)[0]
    command = [python, "-m", "localstripe", "--port", str(port), "--from-scratch"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        return asyncio.run(_load_peer(port, clients, seconds))
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int) -> None:
    for _ in range(400):
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the peer does not listen")


async def _load_peer(port: int, clients: int, seconds: float) -> Figures:
    url = f"http://127.0.0.1:{port}/v1"
    headers = {"Authorization": "Bearer sk_test_12345"}
    card = {f"card[{name}]": str(value) for name, value in CARD.items()}
    async with aiohttp.ClientSession(headers=headers) as session:
        who = await call(session, [], f"{url}/customers", data={"email": "a@example.com"})
        method = await call(session, [], f"{url}/payment_methods", data={"type": "card", **card})
        held = {"customer": who["id"]}
        await call(session, [], f"{url}/payment_methods/{method['id']}/attach", data=held)
    order = {"currency": "usd", "capture_method": "manual", "payment_method": method["id"], **held}

    async def life(session: aiohttp.ClientSession, latencies: list[float], number: int) -> None:
        fields = {**order, "amount": str(1099 + number % 100)}
        made = await call(session, latencies, f"{url}/payment_intents", data=fields)
        for verb in ("confirm", "capture"):
            made = await call(
                session, latencies, f"{url}/payment_intents/{made['id']}/{verb}", data={}
            )
        if made["status"] != "succeeded":
            raise RuntimeError(made["status"])

    return await load(life, headers, clients, seconds)


def main() -> int:
    """Run the rounds and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--peer", help="a Python that has localstripe")
    parser.add_argument(
        "--endpoint", action="store_true", help="also with webhooks to one endpoint"
    )
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    variants: dict[str, Callable[[], Figures]] = {
        "payrail": lambda: ours(chosen.clients, chosen.seconds)
    }
    if chosen.endpoint:
        variants["with endpoint"] = lambda: with_endpoint(chosen.clients, chosen.seconds)
    if chosen.peer:
        variants["localstripe"] = lambda: localstripe(chosen.peer, chosen.clients, chosen.seconds)
    found = in_turn(variants, chosen.rounds)
    print_table(found, as_json=chosen.json)
    if chosen.peer and not chosen.json:
        for name in [name for name in variants if name != "localstripe"]:
            print(f"\nratio of {name}", end=" ")
            print(shown(ratios(found, name, "localstripe", "lifecycles_per_s")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
