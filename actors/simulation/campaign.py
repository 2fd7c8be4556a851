"""Many seeds: played by several processes at once, told in their order, whatever the number.

Each run has one thread and knows nothing of the others, so that what is found does not depend on
how many processes there are, or on who played what.
"""

import gc
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count, islice

from actors.simulation.run import Result, base_disk, run
from actors.simulation.trace import combined
from actors.simulation.workers import Workers

#: Seeds that a process is given at once.
CHUNK = 4
#: Runs that a process plays before it ends: each leaves some 3 MB behind.
WAVE_RUNS = 40
#: Failures after which nobody learns more.
FAILED_MAX = 20

Part = tuple[int, ...]  # seeds that one process plays at once


@dataclass
class Campaign:
    """What many runs were together."""

    first_seed: int
    runs: int = 0
    failed: list[Result] = field(default_factory=list)
    too_little: list[int] = field(default_factory=list)  # seeds that do not count
    digests: list[str] = field(default_factory=list)
    requests: int = 0
    payments: int = 0
    steps: int = 0
    effects: int = 0
    simulated_ms: int = 0
    cpu_ms: float = 0.0
    took_s: float = 0.0
    interrupted: bool = False  # by Ctrl-C; what was played until then counts
    fired: Counter[str] = field(default_factory=Counter)
    restarts: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    happened: Counter[str] = field(default_factory=Counter)

    @property
    def trace_hash(self) -> str:
        """Of the one run, or of all in their order."""
        return self.digests[0] if len(self.digests) == 1 else combined(self.digests)

    def add(self, result: Result) -> None:
        if result.failures:
            self.failed.append(result)
        self.runs += 1
        self.digests.append(result.digest)
        if not result.counts:
            self.too_little.append(result.seed)
        for name in ("requests", "payments", "steps", "effects", "simulated_ms", "cpu_ms"):
            setattr(self, name, getattr(self, name) + getattr(result, name))
        self.fired += result.fired
        self.restarts += result.restarts
        self.ends += result.ends
        self.happened += result.happened


def play(
    first_seed: int,
    runs: int | None,
    *,
    jobs: int = 1,
    until_s: float | None = None,
    until_fail: bool = False,
    done: Callable[[Result], None] = lambda _result: None,
) -> Campaign:
    """Play `runs` seeds from the first on, or without a number as many as there is time for; `done`
    hears of each. With `until_fail` the first failure is the last run. Ctrl-C ends it earlier."""
    campaign, began_s = Campaign(first_seed), time.monotonic()
    try:
        with closing(_results(islice(count(first_seed), runs), jobs)) as results:
            for result in results:
                campaign.add(result)
                campaign.took_s = time.monotonic() - began_s
                done(result)
                if campaign.failed and (until_fail or len(campaign.failed) >= FAILED_MAX):
                    break
                if until_s is not None and campaign.took_s >= until_s:
                    break
    except KeyboardInterrupt:
        campaign.interrupted = True
    return campaign


def _no_collector() -> None:
    """For a process that ends soon: what a run leaves goes with the process, and looking for it
    would take a fifteenth of the time."""
    gc.freeze()
    gc.disable()


def _results(seeds: Iterator[int], jobs: int) -> Generator[Result, None, None]:
    """A few runs are played here, more by processes that are made anew for each wave of them, so
    that the last run of a long campaign finds as much room as the first."""
    if jobs == 1:
        yield from map(run, islice(seeds, CHUNK))
    base_disk()  # once, for all of them
    while wave := list(islice(seeds, WAVE_RUNS * jobs)):
        parts = [tuple(wave[at : at + CHUNK]) for at in range(0, len(wave), CHUNK)]
        with Workers(min(jobs, len(parts)), "fork", _no_collector) as workers:
            yield from _in_order(parts, workers)


def _in_order(parts: Sequence[Part], workers: Workers) -> Iterator[Result]:
    """What came of each run, in the order of their seeds."""
    found: dict[Part, list[Result]] = {}
    left = deque(parts)
    for part, results in workers.each(_played, parts):
        found[part] = results
        while left and left[0] in found:
            yield from found.pop(left.popleft())


def _played(part: Part) -> list[Result]:
    return [run(seed) for seed in part]
