"""Plant every bug in turn and show who noticed. Exit code 1 when nobody noticed one of them."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from difflib import get_close_matches

from tests.commands import Words, at_least
from tests.planted.bugs import AREAS, NAMED
from tests.planted.planted import Catcher, Planted, Simulated
from tests.planted.running import Result, all_tried, green_without

AREA_OF = {bug.name: area for area, bugs in AREAS.items() for bug in bugs}
SHOWN_MAX = 180
#: Names that are told where one was meant and none was met, and how near they are: 0 to 1.
NEAR_MAX, NEAR_SHARE = 5, 0.4


def main(words: Sequence[str]) -> int:
    """Result: the exit code."""
    given, wanted = _asked(words)
    began = time.monotonic()
    only = (Simulated(given.simulate),) if given.simulate else ()
    results = _all(wanted, given.jobs, only, is_shown=not given.json)
    if given.json:
        rows = [{"area": AREA_OF[r.bug], "caught": r.is_caught, **asdict(r)} for r in results]
        print(json.dumps(rows, indent=1))
    told = green_without([result.by for result in results if result.is_caught])
    if told:
        print(f"What caught them is not green without them: {told}", file=sys.stderr)
    caught = sum(result.is_caught for result in results)
    took_s = time.monotonic() - began
    print(f"{caught} of {len(results)} planted bugs caught, {took_s:.0f} s", file=sys.stderr)
    return 0 if results and caught == len(results) and not told else 1


def _is_wanted(bug: Planted, given: argparse.Namespace) -> bool:
    if given.faults and not bug.faults_only:
        return False
    return (given.only or "") in bug.name and given.area in (None, AREA_OF[bug.name])


def _asked(words: Sequence[str]) -> tuple[argparse.Namespace, list[Planted]]:
    """What was asked for, and the bugs that it names. Ends with 64 where it names none."""
    parser = _parser()
    given = parser.parse_args(words)
    wanted = [bug for bug in NAMED.values() if _is_wanted(bug, given)]
    if not wanted:
        parser.error(_why_none(given))
    return given, wanted


def _why_none(given: argparse.Namespace) -> str:
    only = given.only or ""
    if held := [name for name in NAMED if only in name]:
        limits = " and ".join(word for word in (given.area, given.faults and "--faults") if word)
        return f"no bug is left by {limits} of: {', '.join(held[:NEAR_MAX])}"
    near = get_close_matches(only, NAMED, NEAR_MAX, NEAR_SHARE)
    # Where the name of none is alike, perhaps one word of it is.
    near = near or [name for name in NAMED if get_close_matches(only, name.split("-"))]
    told = f"near: {', '.join(near[:NEAR_MAX])}" if near else f"areas: {', '.join(AREAS)}"
    return f"--only {only!r} is in no bug's name; {told}"


def _parser() -> Words:
    parser = Words("python -m tests.planted", __doc__)
    parser.add_argument("--only", help="bugs whose name holds this")
    parser.add_argument("--area", choices=AREAS, help="bugs of one area")
    parser.add_argument("--jobs", type=at_least(1), default=2, help="how many at once (2)")
    what = "only bugs that nobody would notice without faults"
    parser.add_argument("--faults", action="store_true", help=what)
    what = "let the simulator alone look, with so many seeds at most"
    parser.add_argument("--simulate", type=at_least(1), metavar="SEEDS", help=what)
    parser.add_argument("--json", action="store_true", help="a list of results on stdout")
    return parser


def _all(
    bugs: Sequence[Planted], jobs: int, only: tuple[Catcher, ...], *, is_shown: bool
) -> list[Result]:
    results = []
    for result in all_tried(bugs, jobs, only):
        results.append(result)
        if is_shown:
            _show(result)
    return results


def _show(result: Result) -> None:
    what = f"{result.by}: {result.message}" if result.is_caught else f"NOT CAUGHT: {result.why}"
    words = " ".join(what.split()).removeprefix("tests/")
    row = f"{AREA_OF[result.bug]:12} {result.bug:36} {result.cpu_s:5.1f} s  {words[:SHOWN_MAX]}"
    print(row, flush=True)
