"""`simulate --crash-points`: every scene broken at every effect, counted and told in one table.

Never: samples single breaks; what is sampled, pairs of breaks, is told as such.
"""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import Any

from actors.cli.common import put, put_json, put_table, say
from actors.cli.exits import NO_SUCH, Stop
from actors.cli.progress import progress_bar
from actors.simulation import points
from actors.simulation.points import FAMILIES, Key, Tally
from actors.simulation.scenes import FLOWS

#: How many pairs a process plays before it tells of them.
_PAIRS_AT_ONCE = 80


@dataclass
class Row:
    """What came of one flow."""

    scenes: int = 0
    effects: int = 0
    tally: Tally = field(default_factory=Tally)
    seconds: float = 0.0

    def shown(self) -> dict[str, Any]:
        counts = self.tally.counts
        return {
            "scenes": self.scenes,
            "effects": self.effects,
            **{name: counts[name] for name in (*FAMILIES, "pair")},
            "cases": counts.total(),
            "failures": len(self.tally.failures),
            "seconds": round(self.seconds, 1),
        }


def again(text: str, as_json: bool) -> bool:
    """Play one case again; a fault is told with where it was found. Result: whether it held."""
    try:
        case = points.read_case(text)
    except ValueError as error:
        raise Stop(NO_SUCH, str(error)) from error
    tally = points.play_all([case])
    if as_json:
        put_json({"case": str(case), "failures": tally.failures})
    elif not tally.failures:
        put(f"{case}: holds")
    else:
        points.play(case)
    return not tally.failures


def everything(flow: str | None, pairs: int, seed: int, jobs: int, as_json: bool) -> bool:
    """Play all of it, or of one flow. Result: whether all of it held."""
    if flow is not None and flow not in FLOWS:
        raise Stop(NO_SUCH, f"there is no flow {flow}", f"There are: {', '.join(FLOWS)}.")
    began = time.monotonic()
    with points.pool(jobs) as workers:
        rows = _played(workers, [flow] if flow else list(FLOWS), pairs, seed)
    whole = Row(seconds=time.monotonic() - began)
    for row in rows.values():
        whole.scenes, whole.effects = whole.scenes + row.scenes, whole.effects + row.effects
        whole.tally.add(row.tally)
    _tell(rows, whole, as_json)
    return not whole.tally.failures


def _played(
    workers: ProcessPoolExecutor, flows: list[str], pairs: int, seed: int
) -> dict[str, Row]:
    keys = [(flow, scene.slug) for flow in flows for scene in FLOWS[flow]]
    rows = {flow: Row(scenes=len(FLOWS[flow])) for flow in flows}
    found = dict(zip(keys, workers.map(points.effects, keys), strict=True))
    cases = {key: points.every_case(key, found[key]) for key in keys}
    for key in keys:
        rows[key[0]].effects += len(found[key])
    parts: dict[Future[Tally], Key] = {}
    for key in keys:
        parts.update(dict.fromkeys(points.submitted(workers, cases[key]), key))
    parts.update(_pairs(workers, {key: len(cases[key]) for key in keys}, pairs, seed))
    total = sum(map(len, cases.values())) + pairs
    began = {flow: time.monotonic() for flow in flows}
    with progress_bar("crash points", total) as advance:
        for part in as_completed(parts):
            row, tally = rows[parts[part][0]], part.result()
            row.tally.add(tally)
            row.seconds = time.monotonic() - began[parts[part][0]]
            for _ in range(tally.counts.total()):
                advance()
    return rows


def _pairs(
    workers: ProcessPoolExecutor, weights: dict[Key, int], pairs: int, seed: int
) -> Iterator[tuple["Future[Tally]", Key]]:
    """Pairs for each scene by how many cases it has."""
    left, weight_left = pairs, sum(weights.values())
    for key, weight in weights.items():
        mine = left * weight // weight_left
        left, weight_left = left - mine, weight_left - weight
        for at in range(0, mine, _PAIRS_AT_ONCE):
            count = min(_PAIRS_AT_ONCE, mine - at)
            yield workers.submit(points.play_pairs, key, seed + at, count), key


def _tell(rows: dict[str, Row], whole: Row, as_json: bool) -> None:
    if as_json:
        flows = {flow: row.shown() for flow, row in rows.items()}
        put_json({**whole.shown(), "flows": flows, "broken": whole.tally.failures})
        return
    lines = [{"flow": flow, **row.shown()} for flow, row in rows.items()]
    lines.append({"flow": "all", **whole.shown()})
    put_table(list(lines[0]), [list(line.values()) for line in lines])
    for case, what in whole.tally.failures.items():
        say(f"payrail simulate --case {case}\n  {what}")
