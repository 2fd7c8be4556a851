"""How the actors did, written down every ten seconds while anything happens.

Owns: data/metrics/service_metrics.jsonl, a line an actor and window, and its older half `….1`.
Reads: the cells, to which actors report (`payrail.runtime.reports`).
Never: a truth, durable, or a reason to stop. What cannot be written now is told by the next line,
whose window is then longer.

    {"at":"2026-02-09T12:00:10.000Z","actor":"gateway","latency_ms":3.1,"retries":0,
     "webhook_lag":null,"error_rate":0.0}

`latency_ms` is a mean over the window, 0 when nothing was done: of an actor, from a message's
sending (for timers and lines of people: from its taking) until its step was durable and told; of
the front door, of its answers over HTTP. `retries` are tries after the first. `error_rate` is the
share of messages or answers that failed, 0 to 1: dead letters, calls that a provider refused or
answered with nonsense, answers of 500 and above; a decline is no error. `webhook_lag` is the age
in ms of the oldest webhook that waits, null where none does.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from msgspec import Struct

from actors.frontdoor.neighbours import Neighbours
from payrail.domain.timestamps import iso
from payrail.runtime.cellpage import Cells
from payrail.runtime.ports import Clock, Fs
from payrail.runtime.reports import Report, Reported, Sampler
from payrail.storage.appender import Appender
from payrail.storage.lines import encode
from payrail.web.metrics import ActorSeen

PATH = "data/metrics/service_metrics.jsonl"
#: A line tells of about this long.
WINDOW_MS = 10_000
#: Cells are looked at this often: what is counted after the last look dies with its actor.
LOOK_MS = 1_000
#: Past this the file becomes `….1`, in place of the one before: some days of a busy house.
BYTES_MAX = 16 * 1024 * 1024
#: Routes that watchers ask all the time: answering them is no work of the house.
WATCHED = frozenset({"/health", "/ready", "/metrics"})


class Line(Struct):
    """One actor over one window."""

    at: str
    actor: str
    latency_ms: float
    retries: int
    webhook_lag: int | None
    error_rate: float


class MetricsBook:
    """Samples the cells and writes a window's lines when it is over."""

    def __init__(
        self,
        cells: Cells,
        fs: Fs,
        clock: Clock,
        actors: Sequence[str],
        *,
        bytes_max: int = BYTES_MAX,
    ) -> None:
        self._cells, self._fs, self._clock, self._bytes_max = cells, fs, clock, bytes_max
        self._samplers = {actor: Sampler() for actor in actors}
        self._sums = dict.fromkeys(actors, Reported())
        self._file: Appender | None = None
        self._is_open = False
        self._looked_ms = self._began_ms = clock.monotonic_ms()

    def open(self) -> None:
        """The first lines: that there was a run, and where it began."""
        self._is_open = True
        self._look()
        self._write()

    def turn(self) -> None:
        """Look when it is time to, write when a window is over in which anything happened."""
        now_ms = self._clock.monotonic_ms()
        if now_ms - self._looked_ms < LOOK_MS:
            return
        self._looked_ms = now_ms
        self._look()
        if now_ms - self._began_ms >= WINDOW_MS:
            self._began_ms = now_ms
            if any(map(_happened, self._sums.values())):
                self._write()

    def close(self) -> None:
        """The last lines: what came since the last window, if only that it ended."""
        if not self._is_open:
            return
        self._is_open = False
        self._look()
        self._write()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _look(self) -> None:
        for actor, sampler in self._samplers.items():
            cell = self._cells.read(actor)
            if cell is not None:
                grown = sampler.look(cell.epoch, cell.reported)
                self._sums[actor] = self._sums[actor].plus(grown)

    def _write(self) -> None:
        """Lines of all actors in one write; the sums begin anew once they are written."""
        at = iso(self._clock.now().wire_ms)
        lines = [encode(line_of(at, actor, sums)) for actor, sums in self._sums.items()]
        try:
            self._append(b"\n".join(lines) + b"\n")
        except OSError:
            return
        self._sums = {actor: Reported(lag_ms=sums.lag_ms) for actor, sums in self._sums.items()}

    def _append(self, data: bytes) -> None:
        if self._file is not None and self._file.size >= self._bytes_max:
            self._file.close()
            self._file = None
            self._fs.rename(PATH, f"{PATH}.1")
        if self._file is None:
            self._file = Appender(self._fs, PATH)
            self._file.end_line()
        try:
            self._file.append(data)
        except OSError:
            with suppress(OSError):  # What landed of it would stand before the next try's end.
                self._file.file.truncate(self._file.size)
            raise


def line_of(at: str, actor: str, sums: Reported) -> Line:
    """What one window says."""
    share = sums.errors / sums.messages if sums.messages else float(sums.errors > 0)
    mean_ms = sums.waited_ms / sums.messages if sums.messages else 0.0
    return Line(
        at=at,
        actor=actor,
        latency_ms=round(mean_ms, 1),
        retries=sums.retries,
        webhook_lag=sums.lag_ms,
        error_rate=round(min(1.0, share), 4),
    )


def _happened(sums: Reported) -> bool:
    return bool(sums.messages or sums.retries or sums.errors or sums.lag_ms is not None)


def answers_into(report: Report) -> Callable[[str, int, int], None]:
    """Counts the front door's own work: its answers, of which those from 500 on failed."""

    def answered(route: str, status_code: int, latency_ms: int) -> None:
        if route in WATCHED:
            return
        report.took(waited_ms=latency_ms)
        if status_code >= 500:
            report.failed()

    return answered


def actors_seen(neighbours: Neighbours, names: Sequence[str]) -> list[ActorSeen]:
    """Every actor of the house as it is now, also one that never started."""
    rows = {row["name"]: row for row in neighbours.rows()}
    return [_seen(neighbours.cells, name, rows.get(name, {})) for name in names]


def _seen(cells: Cells, name: str, row: Mapping[str, Any]) -> ActorSeen:
    cell = cells.read(name)
    return ActorSeen(
        name,
        row.get("state") == "serving",
        cell.epoch if cell else 0,
        row.get("restarts", 0),
        row.get("backlog", 0),
        cell.reported if cell else Reported(),
    )
