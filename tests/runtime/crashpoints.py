"""Every crash point of a scenario: run it once to count its steps, then break it at each of them.

    Scenario.run ──▶ crash or error at step n ──▶ what survives ──▶ Scenario.revive ──▶ .check

A scenario says how its world lives (`run`), how it comes back (`revive`: recover, let the senders
send again what their receivers lack, run to the end) and what must hold then (`check`). `check` is
also given the files as they could be read in the moment of the crash: what others may have seen.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from errno import EIO, ENOSPC
from random import Random

from payrail.errors import JournalLost
from payrail.runtime.sim import (
    Call,
    Chance,
    Dropped,
    Fault,
    Kept,
    Lost,
    SimClock,
    SimCrash,
    SimFs,
    Survival,
    Torn,
)

Files = Mapping[str, bytes]

WRITES = frozenset({"append", "pwrite"})


@dataclass(frozen=True, slots=True)
class Scenario:
    """One small world: its life, its resurrection, and what nobody may ever see."""

    run: Callable[[SimFs, SimClock], None]
    revive: Callable[[SimFs, SimClock], None]
    check: Callable[[Files, SimFs], None]


@dataclass(frozen=True, slots=True)
class Point:
    """Break step `fault.at`; then only the process dies (`cut` None), or the power goes."""

    call: Call
    fault: Fault
    cut: Survival | None

    def __str__(self) -> str:
        cut = "kill" if self.cut is None else type(self.cut).__name__
        fault = f"{self.fault.kind}({self.fault.errno},{self.fault.kept_bytes})"
        return f"{self.call.n} {self.call.op} {self.call.path}: {fault}, {cut}"


def steps(scenario: Scenario) -> list[Call]:
    """The steps of an undisturbed life, which must itself pass its check."""
    fs, clock = SimFs(), SimClock()
    scenario.run(fs, clock)
    calls = list(fs.log)
    after = fs.reopen()
    scenario.revive(after, clock)
    scenario.check(files(after), after)
    return calls


def kills(calls: Sequence[Call]) -> Iterator[Point]:
    """The process dies before each step, after it, and in the middle of each write."""
    for call in calls:
        yield Point(call, Fault(call.n, "crash_before"), None)
        yield Point(call, Fault(call.n, "crash_after"), None)
        yield from (Point(call, fault, None) for fault in _torn(call))


def power_cuts(calls: Sequence[Call], seed: int) -> Iterator[Point]:
    """The power goes after each step: nothing un-synced survives, all of it, a torn last write,
    all but the first write, or whatever chance leaves of every sector."""
    for call in calls:
        fault = Fault(call.n, "crash_after")
        whole: list[Survival] = [Dropped(), Kept(), Lost()]
        torn = [Torn(kept_bytes=size) for size in (1, 100, -1)]
        chance = [Chance(Random(f"{seed}:{call.n}:{luck}")) for luck in range(2)]
        for survival in (*whole, *torn, *chance):
            yield Point(call, fault, survival)
        for fault in _torn(call):
            yield Point(call, fault, Kept())


def errors(calls: Sequence[Call]) -> Iterator[Point]:
    """Each step fails once, the life goes on as it can, and ends with a kill or a power cut."""
    for call in calls:
        faults = [Fault(call.n, "error", EIO), Fault(call.n, "error", ENOSPC)]
        if call.op in WRITES:
            faults.append(Fault(call.n, "error", ENOSPC, kept_bytes=call.size_bytes // 2))
        for fault in faults:
            yield Point(call, fault, None)
            yield Point(call, fault, Dropped())


def _torn(call: Call) -> list[Fault]:
    if call.op not in WRITES:
        return []
    places = sorted({1, call.size_bytes // 2, call.size_bytes - 1} - {0})
    return [Fault(call.n, "torn", kept_bytes=size) for size in places]


def survive(scenario: Scenario, point: Point) -> None:
    """Break the scenario at `point`, revive and check it. Raises AssertionError naming it."""
    try:
        fs, clock, seen = _broken(scenario, point)
        scenario.revive(fs, clock)
        scenario.check(seen, fs)
    except Exception as error:
        raise AssertionError(f"after {point}") from error


def survive_all(scenario: Scenario, points: Iterable[Point]) -> None:
    """Every one of `points`. Raises AssertionError naming the first that is not survived."""
    for point in points:
        survive(scenario, point)


def survive_twice(scenario: Scenario, point: Point, rng: Random) -> bool:
    """As `survive`, but the first revival dies as well, at a step of chance. Result: it did."""
    fs, clock, seen = _broken(scenario, point)
    at = rng.randint(1, 60)
    cuts = [None] if _lost_a_folder(point) else [None, Dropped(), Chance(rng)]
    second = Point(Call(at, "?", "?"), Fault(at, "crash_after"), rng.choice(cuts))
    fs.faults = [second.fault]
    try:
        scenario.revive(fs, clock)
        died = False
    except SimCrash:
        died = True
        seen = {**seen, **files(SimFs(fs.disk))}
        fs = _next(fs, second.cut)
        scenario.revive(fs, clock)
    except Exception as error:
        raise AssertionError(f"after {point}, then {second}") from error
    try:
        scenario.check(seen, fs)
    except Exception as error:
        raise AssertionError(f"after {point}, then {second}") from error
    return died


def _lost_a_folder(point: Point) -> bool:
    """A folder whose sync failed once: no later sync can make that name durable, so that nobody
    can promise anything for a power cut after it."""
    return point.fault.kind == "error" and point.call.op == "sync_folder"


def _broken(scenario: Scenario, point: Point) -> tuple[SimFs, SimClock, Files]:
    fs, clock = SimFs(faults=[point.fault]), SimClock()
    try:
        scenario.run(fs, clock)
    except (SimCrash, JournalLost, OSError):
        pass  # the process is dead; what it left is what counts
    assert [call.n for call in fs.fired] == [point.call.n], "the fault never struck"
    seen = files(SimFs(fs.disk))
    return _next(fs, _fresh(point.cut)), clock, seen


def _next(fs: SimFs, cut: Survival | None) -> SimFs:
    return fs.reopen() if cut is None else fs.after_crash(cut)


def _fresh(cut: Survival | None) -> Survival | None:
    """Chance with its dice as they were made, so that a point means the same each time."""
    if not isinstance(cut, Chance):
        return cut
    dice = Random()
    dice.setstate(cut.rng.getstate())
    return replace(cut, rng=dice)


def files(fs: SimFs) -> Files:
    """Every file that can be read now."""
    return {path: fs.read(path) for path, node in fs.disk.names.items() if not node.is_folder}
