"""One seed: its schedule is drawn, played with faults, brought to rest without, and judged."""

import functools
import time
import traceback
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from actors.simulation.doubts import DRILL, doubts
from actors.simulation.evidence import Evidence
from actors.simulation.faults import restart, trouble
from actors.simulation.flows import FLOWS
from actors.simulation.happened import drills_used, happened
from actors.simulation.judged import judged
from actors.simulation.schedule import PAYMENTS_MIN, REQUESTS_MIN, Plan, draw
from actors.simulation.trace import Trace
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
    happened: Counter[str] = field(default_factory=Counter)
    counts: bool = True  # whether it had what a schedule needs
    last: tuple[str, ...] = ()


@functools.cache
def base_disk() -> SimDisk:
    """The first disk of every run of this process: of a house that was started and came to rest."""
    world = World(Plan(0, (), ()), SimDisk(), Trace(), STEPS_MAX)
    world.open()
    world.rest(REST_MS_MAX)
    world.close()
    return world.machine.disk


def plan_of(seed: int, without: Collection[int] = ()) -> Plan:
    """The schedule of a seed."""
    return draw(seed, FLOWS, restart, trouble, doubts).without(without)


def run(seed: int, without: Collection[int] = (), *, keeps: bool = False) -> Result:
    """Play one seed. Whatever is wrong stands in the result; nothing is raised."""
    return run_plan(plan_of(seed, without), keeps=keeps)


def run_plan(plan: Plan, *, keeps: bool = False) -> Result:
    """The same for a schedule as it was drawn once, however seeds are drawn now."""
    disk = base_disk().copy()
    began_s = time.process_time()
    trace = Trace(keeps=keeps)
    world = World(plan, disk, trace, STEPS_MAX)
    told: Counter[str] = Counter()
    failures = _played(world, told)
    world.close()
    trace.add_bytes("disk", world.machine.disk.digest())
    tally, fired = world.clients, world.mischief.counts
    payments = sum(count for what, count in told.items() if what.startswith("payment "))
    is_enough = tally.requests >= REQUESTS_MIN and payments >= PAYMENTS_MIN
    return Result(
        seed=plan.seed,
        left_out=plan.left_out,
        digest=trace.digest,
        failures=tuple(failures),
        requests=tally.requests,
        payments=payments,
        steps=world.steps,
        effects=world.mischief.effects,
        simulated_ms=world.machine.now_ms,
        cpu_ms=(time.process_time() - began_s) * 1000,
        fired=fired,
        restarts=world.restarts,
        ends=tally.ends,
        happened=told,
        counts=is_enough and bool(fired) and bool(world.restarts),
        last=trace.lines,
    )


def _tell(world: World, evidence: Evidence, told: Counter[str]) -> None:
    """What happened; a drill is a fault once a provider has used it."""
    told += happened(evidence)
    for provider, drills in drills_used(evidence).items():
        for what in drills:
            world.mischief.note(DRILL, provider, about=what)


def _played(world: World, told: Counter[str]) -> list[str]:
    """What failed. `told` is filled with what happened."""
    failures: list[str] = []
    try:
        world.open()
        world.play()
        if not world.restarts and not world.plan.left_out:
            world.kill_somebody()
        world.rest(REST_MS_MAX)
        evidence = world.evidence()
        failures.extend(judged(evidence))
        _tell(world, evidence, told)
    except NeverEnds as error:
        failures.append(str(error))
    except Exception as error:
        failures.append(f"{type(error).__name__}: {error} at {_where(error)}")
    return [*failures, *world.clients.failures, *world.errors]


def _where(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1]
    return f"{last.filename.rpartition('/')[2]}:{last.lineno} {last.line}"
