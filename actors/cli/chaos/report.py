"""The outcome of a run for people and for programs: one table, one object."""

from collections.abc import Mapping
from typing import Any

from actors.cli.chaos.killer import DOWN_AT_ONCE_MAX
from actors.cli.chaos.outcome import WHY_SAMPLE, Outcome


def as_json(outcome: Outcome) -> dict[str, Any]:
    """One object with every figure of the run. `wrong` is empty after a good one."""
    order, cast, tally = outcome.order, outcome.cast, outcome.tally
    return {
        "good": not outcome.wrong(),
        "wrong": outcome.wrong(),
        "seed": order.seed,
        "minutes": order.minutes,
        "seconds": round(outcome.seconds, 1),
        "calm_s": round(outcome.calm_s, 1),
        "payments": tally.states.total(),
        "by_state": dict(tally.states),
        "clients": {"count": order.clients, "tries": tally.tries, "dropped": tally.dropped},
        "answers": dict(sorted(tally.statuses.items())),
        "faults": {name: dict(counts) for name, counts in outcome.faults.items()},
        "killing": {
            "asked_per_minute": order.kills_per_minute,
            "made": len(outcome.killer.kills),
            "made_per_minute": round(_kills_per_minute(outcome), 1),
        },
        "busy_share": round(outcome.killer.busy_share, 2),
        "restarted_s": [round(seconds, 1) for seconds in cast.restarter.ready_s],
        "skipped": cast.stage.skipped,
        "charges": dict(outcome.charges),
        "events": outcome.events,
        "webhooks": {"heard": cast.sink.heard, "refused": cast.sink.failed},
        "given_up": outcome.given_up,
        "heads": cast.heads.seen,
        "verify": outcome.verify_code,
        "audit": outcome.audit.as_json(),
        "folder": str(cast.stage.folder),
    }


def as_text(outcome: Outcome) -> str:
    """The table at the end, and what is wrong below it."""
    rows = [*_work(outcome), *_breaking(outcome), *_looking(outcome), *_judges(outcome)]
    width = max(len(name) for name, _ in rows)
    wrong = outcome.wrong()
    end = [f"WRONG: {what}" for what in wrong] or ["every claim holds"]
    return "\n".join([*(f"{name:<{width}}  {text}" for name, text in rows), "", *end])


def _work(outcome: Outcome) -> list[tuple[str, str]]:
    tally, cast = outcome.tally, outcome.cast
    tries = f"{outcome.order.clients}, {tally.tries} tries, {tally.dropped} dropped"
    return [
        ("payments", f"{tally.states.total()} final: {counts(tally.states)}"),
        ("clients", tries),
        ("answers", counts(tally.statuses)),
        ("charges", counts(outcome.charges)),
        ("settling", f"{counts(cast.settler.done)}; on the way: {counts(cast.settler.passing)};"
                     f" {cast.settler.silent} providers silent"),
        ("by hand", counts(cast.hands.done)),
    ]  # fmt: skip


def _breaking(outcome: Outcome) -> list[tuple[str, str]]:
    cast, killer = outcome.cast, outcome.killer
    rows = [(name.replace("_", " "), counts(count)) for name, count in outcome.faults.items()]
    rows += [(f"no {name}", why) for name, why in cast.stage.skipped.items()]
    rows.append(("killing", f"{len(killer.kills)} actors killed, {_kills_per_minute(outcome):.0f} a"
                 f" minute; asked were {outcome.order.kills_per_minute:g} a minute, and never more"
                 f" than {DOWN_AT_ONCE_MAX} down at once"))  # fmt: skip
    busy = sum(kill.busy_inside for kill in killer.kills)
    outside = sum(kill.busy_outside for kill in killer.kills)
    rows.append(("busy", f"{killer.busy_share:.0%} of {len(killer.kills)} kills"
                         f" (by cell {busy}, requests on their way {outside})"))  # fmt: skip
    if ready := cast.restarter.ready_s:
        rows.append(("restarts", f"ready after {min(ready):.1f} to {max(ready):.1f} s"))
    if cast.full_disk and (back := cast.full_disk.back_s):
        rows.append(("disk", f"all serve again {min(back):.1f} to {max(back):.1f} s after it"))
    return rows


def _kills_per_minute(outcome: Outcome) -> float:
    return len(outcome.killer.kills) / max(outcome.seconds / 60, 0.01)


def _looking(outcome: Outcome) -> list[tuple[str, str]]:
    cast, visitor = outcome.cast, outcome.cast.visitor
    return [
        ("webhooks", f"{outcome.events} events, {cast.sink.heard} heard, {cast.sink.failed} failed"
                     f" on purpose, {outcome.given_up} given up and replayed by hand"),
        ("repeating", f"captures at the inner door: {by_status(cast.stutterer.answers)}"),
        ("looking", f"payments {by_status(visitor.reads)}, {visitor.read_while_dead} of them while"
                    f" the gateway was dead; pages {by_status(visitor.pages)}"),
        ("heads", f"{cast.heads.seen} seen"),
    ]  # fmt: skip


def _judges(outcome: Outcome) -> list[tuple[str, str]]:
    told = WHY_SAMPLE - len(outcome.unexplained)
    first, *findings = outcome.audit.text()
    return [
        ("time", f"{outcome.seconds:.1f} s, and {outcome.calm_s:.1f} s of calm, seed"
                 f" {outcome.order.seed}"),
        ("verify", f"exit code {outcome.verify_code}" if outcome.verify_code else "whole"),
        ("why", f"{told} of {WHY_SAMPLE} payments told"),
        ("auditor", first),
        *(("", finding) for finding in findings),
    ]  # fmt: skip


def counts(counter: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counter.items())) or "none"


def by_status(counter: Mapping[int, int]) -> str:
    return counts({str(status or "dropped"): count for status, count in counter.items()})
