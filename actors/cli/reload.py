"""`up --reload`: a house that starts anew when a source of payrail/ or actors/ is edited.

The house runs in a child process, with everything imported anew; this one watches. Before a house
is ended a trial imports what was edited: what cannot be imported leaves the house as it is. A house
that ended by itself starts again at the next edit. Nothing is lost in between: what was answered is
in the journals, and what was not is asked again by whoever asked.
Never: opens a file of the home, or restarts what no edit can mend, such as a setting.
"""

import asyncio
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from watchfiles import Change, DefaultFilter, awatch

import actors
import payrail
from actors.cli.common import say
from actors.cli.exits import HELD, OK, SETTINGS, USAGE
from payrail.runtime.parent import end_with_parent

#: What makes a difference to a running house; editors leave other things beside it.
SUFFIXES = frozenset({".py", ".csv", ".html", ".css", ".js", ".svg"})
#: SIGTERM ends a house within 10 s; what is still there after this is killed.
END_S_MAX = 12.0
#: Importing takes about a second; a machine that is busy for longer is no mistake in a source.
TRIAL_S_MAX = 60.0
#: Bytecode knows a source by its length and by the whole second of its change: what is imported
#: within that second would hide a later edit of the same length.
SETTLED_S = 1.0
_TOLD_LINES_MAX = 12
#: The house was told to end, or says that something other than its sources is in the way.
_FINAL_CODES = frozenset({OK, USAGE, HELD, SETTINGS})
_TRIAL = "import actors.cli.main, actors.wiring; actors.wiring.preload()"


async def run_reloading(arguments: Sequence[str]) -> int:
    """Run `payrail ARGUMENTS`, anew after each edit, until told to stop; result: its exit code.

    WATCHFILES_FORCE_POLLING=1 looks at the files instead of being told: for folders that are
    mounted from another system.
    """
    reloader = _Reloader(arguments)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, reloader.stop)
    watching = asyncio.create_task(reloader.watch())
    watching.add_done_callback(lambda _: reloader.wake.set())
    try:
        return await reloader.live(watching)
    finally:
        reloader.stopping.set()
        await watching


class _Reloader:
    """`wake` is set whenever there is something new: an edit, the end of the house, a signal."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self._arguments = arguments
        self._house: Process | None = None
        self._edited: set[Path] = set()
        self.wake = asyncio.Event()
        self.stopping = asyncio.Event()

    def stop(self) -> None:
        """End the house and this; told twice, at once."""
        if self.stopping.is_set() and self._house:
            _tell_end(self._house)
        self.stopping.set()
        self.wake.set()

    async def watch(self) -> None:
        """Note what is edited, until `stopping`."""
        folders = [Path(str(package.__file__)).parent for package in (payrail, actors)]
        async for changes in awatch(*folders, watch_filter=_Sources(), stop_event=self.stopping):
            self._edited |= {Path(path) for _, path in changes}
            self.wake.set()

    async def live(self, watching: asyncio.Task[None]) -> int:
        """Keep a house until told to stop, or until it ends in a way that no edit mends."""
        await self._start()
        while not self.stopping.is_set() and not watching.done():
            await self.wake.wait()
            self.wake.clear()
            code = self._has_ended()
            if code in _FINAL_CODES:
                return int(code or OK)
            if self._edited and not self.stopping.is_set():
                await self._take_up()
        return await self._end()

    def _has_ended(self) -> int | None:
        """The exit code of a house that ended by itself since the last look."""
        if self._house is None or self._house.returncode is None:
            return None
        code = self._house.returncode
        self._house = None
        if code not in _FINAL_CODES:
            say(f"reload: the house ended with {code}; the next edit starts it again")
        return code

    async def _take_up(self) -> None:
        """Start the house anew with what was edited, if that can be imported."""
        edited, self._edited = self._edited, set()
        names = ", ".join(sorted({path.name for path in edited}))
        await _settle(edited)
        if trouble := await _trouble():
            remains = "the house goes on as it was" if self._house else "there is no house"
            say(f"reload: {names} cannot be used; {remains}, until it is mended\n{trouble}")
            return
        say(f"reload: {names} edited, the house starts anew")
        await self._end()
        if not self.stopping.is_set():
            await self._start()

    async def _start(self) -> None:
        # A group of its own, for Ctrl-C is for this process, which then ends the house in order.
        command = (sys.executable, "-P", "-m", "actors.cli.reload", *self._arguments)
        house = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, process_group=0)
        self._house = house
        ended = asyncio.create_task(house.wait())
        ended.add_done_callback(lambda _: self.wake.set())

    async def _end(self) -> int:
        """End the house in order, or by force; result: its exit code."""
        house, code = self._house, OK
        if house is not None:
            _tell_end(house)
            try:
                code = await asyncio.wait_for(house.wait(), END_S_MAX)
            except TimeoutError:
                house.kill()
                code = await house.wait()
        self._house = None
        return code


class _Sources(DefaultFilter):
    """Sources and what lies beside them, without what editors and Python leave."""

    def __call__(self, change: Change, path: str) -> bool:
        return Path(path).suffix in SUFFIXES and super().__call__(change, path)


async def _settle(edited: Iterable[Path]) -> None:
    """Wait until an edit from now on shows in bytecode."""
    changed_s = 0.0
    for path in edited:
        with suppress(OSError):  # Taken away meanwhile.
            changed_s = max(changed_s, path.stat().st_mtime)
    await asyncio.sleep(min(SETTLED_S, max(0.0, int(changed_s) + SETTLED_S - time.time())))


async def _trouble() -> str:
    """Why the sources cannot be imported; empty when they can."""
    command = (sys.executable, "-P", "-c", _TRIAL)
    trial = await asyncio.create_subprocess_exec(
        *command, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE
    )
    try:
        _, told = await asyncio.wait_for(trial.communicate(), TRIAL_S_MAX)
    except TimeoutError:
        trial.kill()
        await trial.wait()
        return ""
    if trial.returncode == 0:
        return ""
    lines = told.decode("utf-8", "replace").strip().splitlines()[-_TOLD_LINES_MAX:]
    return "\n".join(lines) or f"importing ended with {trial.returncode}"


def _tell_end(house: Process) -> None:
    with suppress(ProcessLookupError):
        house.terminate()


if __name__ == "__main__":
    from actors.cli.main import main

    # No house is left over once the watching process is gone.
    end_with_parent(signal.SIGTERM)
    main()
