"""The main of a child process: `python -P -m payrail.runtime.child <module:function> [handle]`.

First a *spare*: everything imported, nothing opened, waiting on stdin for one line that says who to
become: `{"become":"gateway","home":"…","options":{…},"private":{…}}`, the last one being variables
of the environment for that actor alone. Then that actor, until it is told to stop,
its stdin ends, or it fails. Later lines are `{"pause":true|false}` and `{"stop":true}`.

The function named is `build(name, home, options) -> Resident`. A module may also have `preload()`,
called in spares only, that imports what any actor may need. What cannot be imported is said by one
child of a house and not by the next: see `complaints`; the second argument is the handle of those.

Exit codes: 0 done, 70 corrupt or behind, 73 held by another, 74 I/O failed, 78 settings, 1 else.
"""

import asyncio
import contextlib
import errno
import gc
import importlib
import os
import select
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import structlog

from payrail.errors import BadSettings, Damage, HomeHeld, JournalLost, PayRailError
from payrail.runtime.complaints import Complaints
from payrail.runtime.control import Control, Resident, beating, taking_up
from payrail.runtime.parent import end_with_parent

Build = Callable[[str, str, dict[str, Any]], Resident]

_STDIN = 0
_READ_BYTES = 65_536
#: A disk that takes nothing now, but lost nothing: worth another try once there is room.
_PASSING = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
#: Operating system errors that say nothing about our files: worth another try.
_NOT_OUR_FILES = (errno.EADDRINUSE, errno.EADDRNOTAVAIL)
log = structlog.get_logger()


class Line(msgspec.Struct):
    """One line from the supervisor."""

    become: str | None = None
    home: str = ""
    options: dict[str, Any] = {}
    private: dict[str, str] = {}
    pause: bool | None = None
    stop: bool = False


class Lines:
    """Lines from the supervisor's pipe, read without a buffer that would hide what is ready."""

    def __init__(self, handle: int = _STDIN) -> None:
        self.handle = handle
        self.ended = False
        self._rest = b""

    def ready(self) -> bool:
        return bool(select.select([self.handle], [], [], 0)[0])

    def read(self) -> list[Line]:
        """What came; waits when nothing did. Sets `ended` once the supervisor is gone."""
        data = os.read(self.handle, _READ_BYTES)
        self.ended = not data
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [msgspec.json.decode(line, type=Line) for line in lines]


def main(build_path: str, complaints: Complaints) -> int:
    """Be a spare, then an actor; result: the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent(signal.SIGKILL)
    lines = Lines()
    build = imported(build_path, complaints, preload=not lines.ready())
    if build is None:
        return 1
    received: list[Line] = []
    while not received:
        received = lines.read()
        if lines.ended:
            return 0
    first, *later = received
    if first.become is None:
        return 64
    os.environ.update(first.private)
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(_live(build, first, lines, later))
    except BaseException as error:  # The last frame of the process: tell and end.
        code = exit_code(error)
        told = _told(error)
        with contextlib.suppress(OSError):  # Whoever cannot be told still learns of the code.
            log.error("actor.failed", actor=first.become, exit_code=code, why=told)
        return code


def _told(error: BaseException) -> str:
    """What people can mend is said in its own words; the rest with where it happened."""
    if isinstance(error, PayRailError | OSError):
        return f"{type(error).__name__}: {error}"
    return "".join(traceback.format_exception(error))


async def _live(build: Build, order: Line, lines: Lines, later: list[Line]) -> int:
    """Run the actor named in `order` to its end."""
    name = str(order.become)
    with taking_up(order.home, name) as control, _listening(control, lines):
        for line in later:
            obey(control, line)
        beats = asyncio.create_task(beating(control.cell))
        try:
            await build(name, order.home, order.options).run(control)
        finally:
            beats.cancel()
    return 0


@contextlib.contextmanager
def _listening(control: Control, lines: Lines) -> Iterator[None]:
    """Hear the supervisor and SIGTERM. Without a supervisor this process ends on the spot."""
    loop = asyncio.get_running_loop()

    def hear() -> None:
        for line in lines.read():
            obey(control, line)
        if lines.ended:
            os._exit(1)

    loop.add_reader(lines.handle, hear)
    loop.add_signal_handler(signal.SIGTERM, control.stop)
    try:
        yield
    finally:
        loop.remove_reader(lines.handle)


def obey(control: Control, line: Line) -> None:
    """Pass a line of the supervisor on to the actor."""
    if line.pause is not None:
        control.pause(line.pause)
    if line.stop:
        control.stop()


def exit_code(error: BaseException) -> int:
    """What the supervisor is told of `error`; of several in a group, the gravest."""
    if isinstance(error, BaseExceptionGroup):
        codes = {exit_code(inner) for inner in error.exceptions}
        return next(code for code in (70, 74, 73, 78, 75, 1) if code in codes)
    if isinstance(error, Damage):
        return 70
    if isinstance(error, JournalLost):
        return 74 if error.trust_lost else 75
    if isinstance(error, HomeHeld):
        return 73
    if isinstance(error, BadSettings):
        return 78
    if isinstance(error, OSError) and not _is_network(error):
        return 75 if error.errno in _PASSING else 74
    return 1


def _is_network(error: OSError) -> bool:
    return isinstance(error, ConnectionError | TimeoutError) or error.errno in _NOT_OUR_FILES


def imported(build_path: str, complaints: Complaints, *, preload: bool) -> Build | None:
    """Import `module:function`; None, and why on stderr unless it was said, when that fails."""
    try:
        build = _import_build(build_path, preload=preload)
    except Exception:
        if complaints.is_news(why := traceback.format_exc()):
            with contextlib.suppress(OSError):
                sys.stderr.write(why)
        return None
    complaints.over()
    return build


def _import_build(build_path: str, *, preload: bool) -> Build:
    """Import `module:function`. A spare has time to import all; one that is wanted now has not."""
    module_name, _, function = build_path.partition(":")
    module = importlib.import_module(module_name)
    if preload and hasattr(module, "preload"):
        module.preload()
    gc.freeze()
    build: Build = getattr(module, function)
    return build


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The fast loop where it is installed."""
    try:
        import uvloop  # noqa: PLC0415 - not to be had everywhere.
    except ImportError:
        return None
    return uvloop.new_event_loop


if __name__ == "__main__":
    handles = [int(text) for text in sys.argv[2:]]
    sys.exit(main(sys.argv[1], Complaints(handles[0] if handles else None)))
