"""`simulate`: the whole house in one process, over simulated ports, broken on purpose.

Owns: the verb, its options, and which of them go together. What it plays is in
`actors.simulation`; a failure that it finds prints the words that play it again.
"""

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from actors.cli.common import AsJson, say
from actors.cli.exits import FAILED, INTERRUPTED, usage

if TYPE_CHECKING:
    from actors.cli.schedules import Ending

_MANY = ("--runs", "--minutes", "--until-fail")
#: What each option goes with: one of these must be there too.
_NEEDS = {
    "--flow": ("--crash-points",),
    "--pairs": ("--crash-points",),
    "--without": ("--seed",),
}
#: What each option does not go with.
_BARS = {
    "--case": ("--crash-points", "--flow", "--pairs", "--seed", "--without", *_MANY),
    "--crash-points": ("--without", *_MANY),
    "--without": _MANY,
}
_REMEDIES = {
    "--flow": "--flow goes with --crash-points.",
    "--pairs": "--pairs goes with --crash-points.",
    "--without": "--without goes with --seed N and no --runs, --minutes or --until-fail.",
    "--case": "--case goes alone: it plays one case again.",
    "--crash-points": "Crash points are counted, not drawn: say either of them.",
}


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
        int | None,
        typer.Option(min=0, help="So many pairs too: a crash in the recovery from a crash."),
    ] = None,
    case: Annotated[
        str | None,
        typer.Option(
            help="As refunds/refund-made/1/before-one: this crash point again. `--case refunds` "
            "lists its scenes, `--case refunds/refund-made` its effects and their ways.",
            metavar="FLOW/SCENE/N/WAY",
        ),
    ] = None,
    without: Annotated[
        str | None,
        typer.Option(help="Parts of the one schedule to leave out: 3,5.", metavar="PARTS"),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes that play at once; all processors.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Play schedules of faults, judge each. 1: something did not hold.

    The same seed is the same schedule, and the same trace hash. Ctrl-C tells what was played."""
    from actors.cli import schedules

    given: dict[str, object] = {
        "--runs": runs,
        "--minutes": minutes,
        "--until-fail": until_fail or None,
    }
    is_drawn = any(value is not None for value in given.values())
    given |= {"--seed": seed, "--crash-points": crash_points or None, "--flow": flow}
    _must_go_together({**given, "--pairs": pairs, "--case": case, "--without": without})
    jobs = jobs or os.cpu_count() or 1
    with _ended_as_by_ctrl_c():
        if case is not None:
            ending = _again(case, as_json)
        elif crash_points:
            ending = _everything(flow, pairs or 0, seed, jobs, as_json)
        elif is_drawn:
            first = 1 if seed is None else seed
            ending = schedules.play(
                first, runs, jobs=jobs, minutes=minutes, until_fail=until_fail, as_json=as_json
            )
        elif seed is not None:
            ending = schedules.again(seed, _numbers(without), as_json)
        else:
            raise usage("there is nothing to simulate", "Say `--seed 1`, or `--runs 100`.")
    if ending.interrupted:
        raise typer.Exit(INTERRUPTED)
    if not ending.good:
        raise typer.Exit(FAILED)


def _must_go_together(options: Mapping[str, object]) -> None:
    """Raises Stop 64 for an option that would be ignored."""
    given = [name for name, value in options.items() if value is not None]
    for name in given:
        if (needed := _NEEDS.get(name)) and not set(needed) & set(given):
            raise usage(f"{name} is of no use without {needed[0]}", _REMEDIES[name])
        if barred := [other for other in _BARS.get(name, ()) if other in given]:
            raise usage(f"{name} does not go with {', '.join(barred)}", _REMEDIES[name])


def _again(case: str, as_json: bool) -> "Ending":
    from actors.cli import crash_cases
    from actors.cli.schedules import Ending

    return Ending(crash_cases.again(case, as_json))


def _everything(
    flow: str | None, pairs: int, seed: int | None, jobs: int, as_json: bool
) -> "Ending":
    from actors.cli import crash_points

    if seed is not None and not pairs:
        raise usage("--seed is of no use to crash points", "It draws pairs: say --pairs N too.")
    return crash_points.everything(flow, pairs, 1 if seed is None else seed, jobs, as_json)


def _numbers(text: str | None) -> tuple[int, ...]:
    if text is None:
        return ()
    try:
        return tuple(int(one) for one in text.split(","))
    except ValueError:
        raise usage("--without takes numbers", "As in `--without 3,5`.") from None


@contextmanager
def _ended_as_by_ctrl_c() -> Iterator[None]:
    """SIGTERM ends it as Ctrl-C does; whoever played nothing to its end has nothing to tell."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    except KeyboardInterrupt:
        say("interrupted: nothing was played to its end")
        raise typer.Exit(INTERRUPTED) from None
    finally:
        signal.signal(signal.SIGTERM, before)
