"""What `simulate` shows of schedules: a bar while they are played, then a table or one object."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from actors.cli.common import put, put_json, put_table, say
from actors.cli.exits import usage
from actors.cli.progress import progress_bar

if TYPE_CHECKING:
    from actors.simulation.campaign import Campaign
    from actors.simulation.run import Result

#: Failures that are told with their sentences; all are counted.
_TOLD_MAX = 10


@dataclass(frozen=True, slots=True)
class Ending:
    """How it ended: `good` when all held that was played, up to where somebody interrupted it."""

    good: bool
    interrupted: bool = False


def play(
    seed: int,
    runs: int | None,
    *,
    jobs: int,
    minutes: float | None,
    until_fail: bool,
    as_json: bool,
) -> Ending:
    """Play schedules and tell what came of them."""
    from actors.simulation import campaign

    until_s = None if minutes is None else minutes * 60
    with progress_bar("schedules", runs) as step:
        found = campaign.play(
            seed, runs, jobs=jobs, until_s=until_s, until_fail=until_fail, done=_stepping(step)
        )
    _tell(found, as_json)
    return Ending(not found.failed and not found.too_little, found.interrupted)


def again(seed: int, without: tuple[int, ...], as_json: bool) -> Ending:
    """Play one schedule, or what was left of it. Raises Stop 64 for a part that it has not."""
    from actors.simulation.campaign import Campaign
    from actors.simulation.run import plan_of, run

    parts = plan_of(seed).numbers
    if strangers := sorted(set(without) - set(parts)):
        has = f"the schedule of seed {seed} has parts {min(parts)}..{max(parts)}"
        raise usage(f"{has}, and no {', '.join(map(str, strangers))}", "Leave out some of those.")

    found = Campaign(seed)
    found.add(run(seed, without, keeps=True))
    _tell(found, as_json)
    return Ending(not found.failed)


def _stepping(step: Callable[[], None]) -> Callable[[object], None]:
    return lambda _result: step()


def _tell(found: "Campaign", as_json: bool) -> None:
    shorter = _shortened(found)
    if as_json:
        put_json(as_object(found, shorter))
        return
    _tables(found)
    for one in found.failed[:_TOLD_MAX]:
        _tell_failure(one, shorter[one.seed])
    for seed in found.too_little[:_TOLD_MAX]:
        say(f"seed {seed} does not count: it had too few requests, no fault or no restart")
    put(f"\n{_last_word(found)}")


def last_word(what: str, held: int, total: int, *, interrupted: bool = False) -> str:
    """What it comes to, in words: the last line of every table."""
    if interrupted:
        return f"interrupted: {held:,} of {total:,} held"
    return f"{held:,} of {total:,} {what} held"


def _last_word(found: "Campaign") -> str:
    from actors.simulation.judged import checked

    held = found.runs - len(found.failed)
    word = last_word("schedules", held, found.runs, interrupted=found.interrupted)
    if not found.interrupted:
        word += f"; {len(checked())} invariants"
    if few := len(found.too_little):
        word += f"; {few} had too little in {'it' if few == 1 else 'them'} to count"
    return word


def _shortened(found: "Campaign") -> dict[int, "Result"]:
    """The failures that are told, made shorter unless somebody has no time for that."""
    shorter = {one.seed: one for one in found.failed[:_TOLD_MAX]}
    try:
        for seed, one in shorter.items():
            if not found.interrupted:
                shorter[seed] = _shrunk(one)
    except KeyboardInterrupt:
        say("not all that failed is made shorter")
    return shorter


def _shrunk(failed: "Result") -> "Result":
    from actors.simulation.shrink import shrunk

    return failed if failed.left_out else shrunk(failed)


def as_object(found: "Campaign", shorter: dict[int, "Result"]) -> dict[str, Any]:
    """The one object of `--json`."""
    from actors.simulation.judged import checked, waiting
    from actors.simulation.shrink import replay_line

    hours = found.took_s / 3600
    return {
        "seed": found.first_seed,
        "runs": found.runs,
        "passed": found.runs - len(found.failed),
        "failed": [
            {
                "seed": one.seed,
                "failures": list(one.failures),
                "replay": replay_line(one),
                "shortened": replay_line(shorter.get(one.seed, one)),
            }
            for one in found.failed
        ],
        "not_counted": found.too_little,
        "interrupted": found.interrupted,
        "trace_hash": found.trace_hash,
        "requests": found.requests,
        "payments": found.payments,
        "faults": dict(sorted(found.fired.items())),
        "restarts": dict(sorted(found.restarts.items())),
        "happened": dict(sorted(found.happened.items())),
        "flows": dict(sorted(found.ends.items())),
        "simulated_ms": found.simulated_ms,
        "steps": found.steps,
        "effects": found.effects,
        "runs_per_hour": round(found.runs / hours) if hours else None,
        "cpu_ms_per_run": round(found.cpu_ms / max(1, found.runs), 2),
        "ms_per_step": round(found.cpu_ms / max(1, found.steps), 4),
        "invariants": {"checked": checked(), "waiting": waiting()},
    }


def _tables(found: "Campaign") -> None:
    per_hour = f"{found.runs / (found.took_s / 3600):,.0f}" if found.took_s else "-"
    rows = [
        ("schedules", found.runs),
        ("passed", found.runs - len(found.failed)),
        ("requests", found.requests),
        ("payments", found.payments),
        ("effects", found.effects),
        ("simulated hours", f"{found.simulated_ms / 3_600_000:,.1f}"),
        ("schedules per hour", per_hour),
        ("CPU ms per schedule", f"{found.cpu_ms / max(1, found.runs):.1f}"),
        ("trace hash", found.trace_hash),
    ]
    put_table(("what", "how much"), rows)
    for title, counts in (
        ("fault", found.fired),
        ("restart of", found.restarts),
        ("what happened", found.happened),
    ):
        put("")
        put_table((title, "times"), _sorted(counts))


def _sorted(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda row: (-row[1], row[0]))


def _tell_failure(failed: "Result", shorter: "Result") -> None:
    from actors.simulation.shrink import replay_line

    say(f"\nseed {failed.seed} failed; play it again: {replay_line(failed)}")
    for sentence in failed.failures:
        say(f"  {sentence}")
    if shorter.left_out != failed.left_out:
        say(f"  shorter: {replay_line(shorter)}")
        for sentence in shorter.failures:
            say(f"    {sentence}")
