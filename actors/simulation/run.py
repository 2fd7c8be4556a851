"""One seed: its schedule is drawn, played with faults, brought to rest without, and judged."""

import functools
import time
import traceback
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from actors.simulation.faults import restart, trouble
from actors.simulation.flows import FLOWS
from actors.simulation.judged import judged
from actors.simulation.schedule import PAYMENTS_MIN, REQUESTS_MIN, Plan, draw
from actors.simulation.trace import Trace
from actors.simulation.whole import first_disk
from actors.simulation.world import NeverEnds, World
from payrail.runtime.sim import SimDisk

#: Bounds of one run: turns of anybody, and simulated time until all is at rest without faults.
STEPS_MAX, REST_MS_MAX = 60_000, 6 * 3_600_000


@dataclass(frozen=True)
class Result:
    """What came of one seed. `failures` are sentences; empty: all held."""

    seed: int
    left_out: tuple[int, ...]
    digest: str
    failures: tuple[str, ...]
    requests: int
    payments: int
    steps: int
    effects: int
    simulated_ms: int
    cpu_ms: float
    fired: Counter[str] = field(default_factory=Counter)
    restarts: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    counts: bool = True  # whether it had what a schedule needs
    last: tuple[str, ...] = ()


@functools.cache
def base_disk() -> SimDisk:
    """The first disk of every run of this process."""
    return first_disk()


def plan_of(seed: int, without: Collection[int] = ()) -> Plan:
    """The schedule of a seed."""
    return draw(seed, FLOWS, restart, trouble).without(without)


def run(seed: int, without: Collection[int] = (), *, keeps: bool = False) -> Result:
    """Play one seed. Whatever is wrong stands in the result; nothing is raised."""
    disk = base_disk()
    began = time.process_time()
    plan, trace = plan_of(seed, without), Trace(keeps=keeps)
    world = World(plan, disk, trace)
    failures: list[str] = []
    try:
        world.play(STEPS_MAX)
        if not world.tally.restarts and not without:
            world.kill_somebody()
        world.rest(STEPS_MAX, REST_MS_MAX)
        failures.extend(judged(world))
    except NeverEnds as error:
        failures.append(str(error))
    except Exception as error:
        failures.append(f"{type(error).__name__}: {error} at {_where(error)}")
    failures.extend(world.failures)
    for path, node in sorted(world.house.disk.names.items()):
        if not node.is_folder:
            trace.add_bytes(path, bytes(node.content))
    payments = sum(client.shop.payments for client in world.clients)
    is_enough = world.tally.requests >= REQUESTS_MIN and payments >= PAYMENTS_MIN
    return Result(
        seed=seed,
        left_out=plan.left_out,
        digest=trace.digest,
        failures=tuple(failures),
        requests=world.tally.requests,
        payments=payments,
        steps=world.tally.steps,
        effects=world._effects,
        simulated_ms=world.now_ms,
        cpu_ms=(time.process_time() - began) * 1000,
        fired=world.tally.fired,
        restarts=world.tally.restarts,
        ends=world.tally.ends,
        counts=is_enough and bool(world.tally.fired) and bool(world.tally.restarts),
        last=tuple(trace.lines),
    )


def _where(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1]
    return f"{last.filename.rpartition('/')[2]}:{last.lineno} {last.line}"
