"""How a run goes, told while it runs: a table on a terminal, else a line now and then."""

import asyncio
import time
from collections.abc import Callable

from rich.console import Console
from rich.live import Live
from rich.table import Table

from actors.cli.chaos.cast import Cast
from actors.cli.chaos.killer import VICTIMS

#: Called with what a person may see of it; the table and the line are made of the same rows.
Told = Callable[["Cast", float], None]
TABLE_EVERY_S, LINE_EVERY_S = 0.5, 15.0


async def keep_telling(cast: Cast, told: Told) -> None:
    """Tell again and again, until cancelled."""
    began = time.monotonic()
    while True:
        told(cast, time.monotonic() - began)
        await asyncio.sleep(TABLE_EVERY_S)


class Screen:
    """A table on stderr that is drawn anew, where that is a terminal; else lines."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._lined_s, self._lined_calm = -LINE_EVERY_S, False

    def __enter__(self) -> "Screen":
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def tell(self, cast: Cast, seconds: float) -> None:
        if self._console.is_terminal:
            self._live.update(_table(cast, seconds), refresh=True)
        elif seconds - self._lined_s >= LINE_EVERY_S or cast.is_calm != self._lined_calm:
            self._lined_s, self._lined_calm = seconds, cast.is_calm
            line = "  ".join(f"{name} {text}" for name, text in rows(cast, seconds))
            self._console.print(line, soft_wrap=True, highlight=False)


def rows(cast: Cast, seconds: float) -> list[tuple[str, str]]:
    """What is worth a look now."""
    tally, killer = cast.tally, cast.killer
    asked = f"{cast.order.kills_per_minute:g} a minute asked"
    found = [
        ("time", _time(cast, seconds)),
        ("payments", f"{tally.states.total()} final, {len(tally.failures)} failed"),
        ("requests", f"{tally.tries}, {tally.dropped} dropped, {tally.in_flight} on their way"),
        ("kills", f"{len(killer.kills)} and the supervisor {len(cast.restarter.ready_s)}, {asked}"),
        ("heads", str(cast.heads.seen)),
        ("webhooks", f"{cast.sink.heard} heard, {cast.sink.failed} refused"),
    ]
    if cast.pauser:
        found.append(("pauses", str(cast.pauser.stops.total())))
    if cast.full_disk:
        found.append(("disk full", str(cast.full_disk.done["full"])))
    if cast.wall_clock:
        found.append(("clock jumps", str(cast.wall_clock.jumps.total())))
    return found


def _time(cast: Cast, seconds: float) -> str:
    """What is going on, for the end of a run takes its own time."""
    clock, minutes = f"{int(seconds) // 60}:{int(seconds) % 60:02}", f"{cast.order.minutes:g} min"
    if cast.is_calm:
        return f"{clock}, calm: waiting for settlement and sinks"
    if seconds > cast.order.seconds:
        return f"{clock}, the {minutes} are over: waiting for the last payments"
    return f"{clock} of {minutes}"


def _table(cast: Cast, seconds: float) -> Table:
    """The rows, and beside each actor its state and how often it was killed."""
    table = Table.grid(padding=(0, 2))
    by_actor = cast.killer.by_actor()
    states = {row["name"]: row["state"] for row in cast.house.rows()}
    actors = [(name, f"{states.get(name, '-'):<9} killed {by_actor[name]}") for name in VICTIMS]
    told = rows(cast, seconds)
    for place in range(max(len(told), len(actors))):
        left = told[place] if place < len(told) else ("", "")
        right = actors[place] if place < len(actors) else ("", "")
        table.add_row(*left, *right)
    return table
