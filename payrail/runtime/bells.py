"""Bells: wake a sleeping actor by a datagram. A hint; correctness rests on polling.

A bell that nobody hears, or that rings twice, costs at most one idle wait. Sockets lie in a folder
of this user alone, outside the home, so that a home on a slow or shared disk works as well; whoever
leaves it last takes it away. Between containers there is a bell where XDG_RUNTIME_DIR is a folder
that they share; where there is none, polling carries everything.
"""

import asyncio
import hashlib
import os
import socket
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from payrail.runtime.cells import CellWriter, SleepWatch

#: Longest sleep without a bell: what a lost ring costs.
IDLE_MS_MAX = 250
#: A Unix socket's name must fit into 108 bytes on Linux and 104 on macOS; an actor's name in it
#: is no longer than this.
SOCKET_PATH_BYTES_MAX = 100
_ACTOR_BYTES_MAX = 16
_RING = b"\1"


def socket_folder(home: str | Path) -> Path | None:
    """The folder of this home's sockets, made when missing: the first whose name is short enough;
    None when there can be none."""
    return next((folder for folder in _folders(home) if _made(folder) and _is_ours(folder)), None)


def leave_folder(home: str | Path, ended: Iterable[str] = ()) -> None:
    """Take away the folder of this home's sockets, unless somebody still listens in it. `ended`:
    actors that listen no more, though a kill may have left their sockets."""
    for folder in _folders(home):
        if _is_ours(folder):
            with suppress(OSError):
                for actor in ended:
                    (folder / actor).unlink(missing_ok=True)
                folder.rmdir()


def _folders(home: str | Path) -> Iterator[Path]:
    """Where the sockets may lie, the first choice first."""
    digest = hashlib.sha256(os.fsencode(os.path.realpath(home))).hexdigest()[:12]
    name = f"payrail-{os.getuid()}-{digest}"
    for base in (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir()):
        if base and _is_short(folder := Path(base) / name):
            yield folder


def _is_short(folder: Path) -> bool:
    return len(os.fsencode(folder / "")) + 1 + _ACTOR_BYTES_MAX < SOCKET_PATH_BYTES_MAX


def _made(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError:
        return False
    return True


def _is_ours(folder: Path) -> bool:
    """Not one that another user made first, nor a link to somewhere else."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return found.st_uid == os.getuid() and found.st_mode & 0o170777 == 0o040700


def socket_path(home: str | Path, actor: str) -> str | None:
    """Where `actor` listens; None when the name would be too long or the folder cannot be."""
    folder = socket_folder(home)
    path = str(folder / actor) if folder else ""
    return path if 0 < len(os.fsencode(path)) < SOCKET_PATH_BYTES_MAX else None


class Bells:
    """Rings for others; fills `ports.Bell`. Never waits, never raises."""

    def __init__(self, home: str | Path) -> None:
        self._home = home
        self._targets: dict[str, tuple[SleepWatch, str | None]] = {}
        self._socket = _datagram_socket()

    def ring(self, actor: str) -> None:
        """Wake `actor` if its cell says that it sleeps."""
        target = self._targets.get(actor)
        if target is None:
            target = SleepWatch(self._home, actor), socket_path(self._home, actor)
            self._targets[actor] = target
        watch, path = target
        if path is None or not watch.sleeps():
            return
        try:
            self._socket.sendto(_RING, path)
        except OSError:
            pass  # Nobody there, or its queue is full: then it is awake, or about to be.

    def close(self) -> None:
        self._socket.close()
        for watch, _ in self._targets.values():
            watch.close()
        leave_folder(self._home)


class BellWaiter:
    """An actor's own bell. One task waits on it at a time, on the loop it was first awaited in."""

    def __init__(self, home: str | Path, actor: str, cell: CellWriter | None = None) -> None:
        self._cell, self._home = cell, home
        self._rung = False
        self._sleeper: asyncio.Future[bool] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._path = socket_path(home, actor)
        self._socket = _listen(self._path) if self._path else None
        if self._socket is None and (again := socket_path(home, actor)):
            # Somebody else may have left the folder, and taken it away, right before the bind.
            self._path, self._socket = again, _listen(again)

    async def wait(
        self, timeout_ms: int = IDLE_MS_MAX, anything_new: Callable[[], bool] | None = None
    ) -> bool:
        """Sleep until rung, woken or `timeout_ms`; result: whether it was rung or woken.

        `anything_new` is asked once after the cell says "sleeping" and before the sleep, so that
        what came in between, unrung, is not left lying for the whole wait.
        """
        if self._rung:
            self._rung = False
            return True
        loop = self._attach()
        self._tell_sleeping(True)
        try:
            if anything_new is not None and anything_new():
                return True
            self._sleeper = loop.create_future()
            alarm = loop.call_later(timeout_ms / 1000, self._end_sleep, False)
            try:
                return await self._sleeper
            finally:
                alarm.cancel()
        finally:
            self._sleeper = None
            self._tell_sleeping(False)

    def wake(self) -> None:
        """End the wait, or skip the next one; for completions inside this very process."""
        if self._sleeper is None:
            self._rung = True
        else:
            self._end_sleep(True)

    def close(self) -> None:
        """Stop listening; remove the socket, and the folder when it was the last in it."""
        if self._socket is None or self._path is None:
            return
        if self._loop is not None and not self._loop.is_closed():
            self._loop.remove_reader(self._socket.fileno())
        self._socket.close()
        self._socket = None
        Path(self._path).unlink(missing_ok=True)
        leave_folder(self._home)

    def _attach(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            if self._socket is not None:
                self._loop.add_reader(self._socket.fileno(), self._heard)
        return self._loop

    def _heard(self) -> None:
        """Drain all rings; they mean one thing."""
        if self._socket is None:
            return
        try:
            while self._socket.recv(16):
                pass
        except OSError:
            pass  # Empty.
        if self._sleeper is not None:
            self._end_sleep(True)

    def _end_sleep(self, rung: bool) -> None:
        if self._sleeper is not None and not self._sleeper.done():
            self._sleeper.set_result(rung)

    def _tell_sleeping(self, sleeping: bool) -> None:
        if self._cell is not None:
            self._cell.sleeping = sleeping


def _datagram_socket() -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.setblocking(False)
    return made


def _listen(path: str) -> socket.socket | None:
    """Bind to `path`, replacing what a dead predecessor left; None: then there is only polling."""
    listening = _datagram_socket()
    try:
        Path(path).unlink(missing_ok=True)
        listening.bind(path)
    except OSError:
        listening.close()
        return None
    return listening
