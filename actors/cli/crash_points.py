"""`simulate --crash-points`: every scene broken at every effect, counted and told in one table.

Never: samples single breaks; what is sampled, pairs of breaks, is told as such.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from actors.cli.common import put, put_json, put_table, say
from actors.cli.exits import NO_SUCH, Stop
from actors.cli.progress import progress_bar
from actors.cli.schedules import Ending, last_word
from actors.simulation import points
from actors.simulation.points import FAMILIES, Case, Key, Part, Tally
from actors.simulation.scenes import FLOWS, SCENES
from actors.simulation.workers import Workers


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


def everything(flow: str | None, pairs: int, seed: int, jobs: int, as_json: bool) -> Ending:
    """Play all of it, or of one flow, until it is done or somebody ends it."""
    if flow is not None and flow not in FLOWS:
        raise Stop(NO_SUCH, f"there is no flow {flow}", f"There are: {', '.join(FLOWS)}.")
    began = time.monotonic()
    flows = [flow] if flow else list(FLOWS)
    rows = {flow: Row(scenes=len(FLOWS[flow])) for flow in flows}
    interrupted = False
    try:
        with points.begun(jobs) as workers:
            _play(workers, rows, pairs, seed)
    except KeyboardInterrupt:
        interrupted = True
    whole = Row(seconds=time.monotonic() - began)
    for row in rows.values():
        whole.scenes, whole.effects = whole.scenes + row.scenes, whole.effects + row.effects
        whole.tally.add(row.tally)
    _tell(rows, whole, interrupted, as_json)
    return Ending(good=not whole.tally.failures, interrupted=interrupted)


def _play(workers: Workers, rows: dict[str, Row], pairs: int, seed: int) -> None:
    """Play the flows that have rows, and write there what comes of it."""
    cases: dict[Key, list[Case]] = {}
    for key, found in workers.each(points.effects, [k for k in SCENES if k[0] in rows]):
        cases[key] = points.every_case(key, found)
        rows[key[0]].effects += len(found)
    cases = {key: cases[key] for key in SCENES if key in cases}
    parts = list(_parts(cases, pairs, seed))
    began = {flow: time.monotonic() for flow in rows}
    with progress_bar("crash points", sum(map(len, cases.values())) + pairs) as advance:
        for (key, _), tally in workers.each(points.play_part, parts):
            row = rows[key[0]]
            row.tally.add(tally)
            row.seconds = time.monotonic() - began[key[0]]
            for _ in range(tally.counts.total()):
                advance()


def _parts(cases: dict[Key, list[Case]], pairs: int, seed: int) -> Iterator[Part]:
    """Every case; then pairs for each scene by how many cases it has."""
    for key, some in cases.items():
        yield from points.parts_of(key, some)
    left, weight_left = pairs, sum(map(len, cases.values()))
    for key, some in cases.items():
        mine = left * len(some) // weight_left
        left, weight_left = left - mine, weight_left - len(some)
        yield from points.pair_parts(key, seed, mine)


def _tell(rows: dict[str, Row], whole: Row, interrupted: bool, as_json: bool) -> None:
    if as_json:
        flows = {flow: row.shown() for flow, row in rows.items()}
        end = {"interrupted": interrupted, "flows": flows, "broken": whole.tally.failures}
        put_json({**whole.shown(), **end})
        return
    lines = [{"flow": flow, **row.shown()} for flow, row in rows.items()]
    lines.append({"flow": "all", **whole.shown()})
    put_table(list(lines[0]), [list(line.values()) for line in lines])
    for case, what in whole.tally.failures.items():
        say(f"payrail simulate --case {case}\n  {what}")
    total = whole.tally.counts.total()
    put(last_word("cases", total - len(whole.tally.failures), total, interrupted=interrupted))
