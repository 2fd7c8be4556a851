"""Processes that play side by side: begun together, ended together, and none is left behind.

Each has a line of its own to who began it, so that one may be killed at any moment and leaves no
lock behind. They hold nothing that lasts, so their end is always a kill: also by Ctrl-C, which
only the process that began them hears. When that one is killed itself, they see it and end.
Never: orders what they find; a process that dies is an error, and not waited for.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from multiprocessing import connection, get_context, parent_process, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import ForkContext, SpawnContext
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

Part = TypeVar("Part")
Found = TypeVar("Found")

#: How people and shells end a verb; until a process is set up it hears neither.
_ENDINGS = frozenset({signal.SIGINT, signal.SIGTERM})


class WorkerDied(Exception):
    """A process ended before what it was given was done."""


class Workers:
    """So many processes: `fork` begins with all that is here, `spawn` with nothing of ours."""

    def __init__(
        self, jobs: int, method: Literal["fork", "spawn"], setup: Callable[[], object] = bool
    ) -> None:
        self._context: ForkContext | SpawnContext = (
            get_context("fork") if method == "fork" else get_context("spawn")
        )
        self._processes: dict[Connection, BaseProcess] = {}
        self._jobs, self._method, self._setup = jobs, method, setup

    def __enter__(self) -> Self:
        if self._method == "spawn":
            resource_tracker.ensure_running()  # beginning it lets the endings through again
        try:
            with _deaf():
                for _ in range(self._jobs):
                    self._begin()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def each(
        self, play: Callable[[Part], Found], parts: Iterable[Part]
    ) -> Iterator[tuple[Part, Found]]:
        """Have these parts played; result: each with what came of it, as they are done.
        Raises WorkerDied."""
        left, busy = iter(parts), dict[Connection, Part]()
        free = list(self._processes)
        while True:
            for line, part in zip(free, left, strict=False):
                line.send((play, part))
                busy[line] = part
            if not busy:
                return
            free = [line for line in connection.wait(list(busy)) if isinstance(line, Connection)]
            for line in free:
                yield busy.pop(line), self._heard(line)

    def _heard(self, line: Connection) -> Any:
        try:
            return line.recv()
        except (EOFError, OSError) as error:
            process = self._processes[line]
            process.join()
            raise WorkerDied(f"a process ended with {process.exitcode}") from error

    def _begin(self) -> None:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_work, args=(theirs, self._setup), daemon=True)
        process.start()
        self._processes[ours] = process
        theirs.close()

    def _end(self) -> None:
        for process in self._processes.values():
            process.kill()
        for line, process in self._processes.items():
            process.join()
            line.close()


def _work(line: Connection, setup: Callable[[], object]) -> None:
    """All that such a process does: play what it is given."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDINGS)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    setup()
    while True:
        play, part = line.recv()
        line.send(play(part))


def _end_with_parent() -> None:
    """Wait for the end of who began this process, however it ends; then end, whatever is played."""
    parent = parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)


@contextmanager
def _deaf() -> Iterator[None]:
    """Hear the endings later: a process begins as deaf as who begins it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDINGS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
