"""A bar on stderr that says how far a long verb has come."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text


@contextmanager
def progress_bar(what: str, total: int | None) -> Iterator[Callable[[], None]]:
    """Show the bar; call what it gives once for each of `total` things that are done;
    without a total it shows how many there were."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(what, total=total)
        yield lambda: progress.advance(task)


@dataclass(frozen=True, slots=True)
class DaysBar:
    """A bar whose work has days: `advance` for each thing done, `day` for each day that begins."""

    advance: Callable[[], None]
    day: Callable[[int], None]


class _PerSecond(ProgressColumn):
    """How many things a second are done."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.0f}/s")


@contextmanager
def days_bar(what: str, total: int, days: int, done: int = 0) -> Iterator[DaysBar]:
    """Show the bar with rate, time left and day; `done` of the things are done already."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _PerSecond(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(what, total=total, completed=done)

        def day(number: int) -> None:
            progress.update(task, description=f"{what}, day {number + 1} of {days}")

        yield DaysBar(lambda: progress.advance(task), day)
