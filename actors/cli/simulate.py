"""`simulate`: the whole house in one process, over simulated ports, broken on purpose.

Owns: the verb and its options. What it plays is in `actors.simulation`; a failure that it finds
prints the words that play it again.
"""

import os
from typing import Annotated

import typer

from actors.cli.common import AsJson
from actors.cli.exits import FAILED, usage


def register(app: typer.Typer) -> None:
    app.command()(simulate)


def simulate(
    *,
    seed: Annotated[
        int | None, typer.Option(min=0, help="The first seed; alone: that one schedule.")
    ] = None,
    runs: Annotated[
        int | None, typer.Option(min=1, help="So many schedules, seed by seed.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0, help="As many schedules as there is time for.")
    ] = None,
    until_fail: Annotated[
        bool, typer.Option("--until-fail", help="End with the first failure.")
    ] = False,
    crash_points: Annotated[
        bool, typer.Option("--crash-points", help="Break every effect of every scene.")
    ] = False,
    flow: Annotated[str | None, typer.Option(help="Crash points of this flow alone.")] = None,
    pairs: Annotated[
        int, typer.Option(min=0, help="So many pairs too: a crash in the recovery from a crash.")
    ] = 0,
    case: Annotated[
        str | None, typer.Option(help="This crash point again.", metavar="FLOW/SCENE/N/WAY")
    ] = None,
    without: Annotated[
        str, typer.Option(help="Parts of the one schedule to leave out: 3,5.", metavar="PARTS")
    ] = "",
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes that play at once; all processors.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Play schedules of faults, judge each. 1: something did not hold.

    The same seed is the same schedule, and the same trace hash."""
    from actors.cli import schedules

    jobs = jobs or os.cpu_count() or 1
    if crash_points or case is not None:
        good = _crash_points(case, flow, pairs, seed or 1, jobs, as_json)
    elif runs is None and minutes is None and not until_fail:
        if seed is None:
            raise usage("there is nothing to simulate", "Say `--seed 1`, or `--runs 100`.")
        good = schedules.again(seed, _numbers(without), as_json)
    elif without:
        raise usage("parts are left out of one schedule", "Say `--seed N --without …` alone.")
    else:
        good = schedules.play(
            1 if seed is None else seed,
            runs,
            jobs=jobs,
            minutes=minutes,
            until_fail=until_fail,
            as_json=as_json,
        )
    if not good:
        raise typer.Exit(FAILED)


def _crash_points(
    case: str | None, flow: str | None, pairs: int, seed: int, jobs: int, as_json: bool
) -> bool:
    from actors.cli import crash_points as points

    if case is not None:
        return points.again(case, as_json)
    return points.everything(flow, pairs, seed, jobs, as_json)


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(one) for one in text.split(",") if one)
    except ValueError:
        raise usage("--without takes numbers", "As in `--without 3,5`.") from None
