"""Who runs which actor of a home, readable without a running house.

Owns: `data/actors/<name>/lock`, one per actor: locked for the life of its supervisor, and its text
says who that is and what it thinks of the actor. Everybody else only reads.
Never: signals a pid that is merely written down; the lock must still be held, on this machine.
"""

import os
import signal
import socket
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import structlog

from payrail.domain.timestamps import iso
from payrail.errors import HomeHeld, NotRunning
from payrail.runtime.cells import CellView
from payrail.runtime.control import writer_lock_path
from payrail.runtime.locks import Lock, first_line, is_locked

log = structlog.get_logger()
#: `ps` asks a lock by taking it for a moment: a supervisor that meets it looks again this often.
_TRIES, _TRY_AGAIN_S = 15, 0.02


class LockText(msgspec.Struct):
    """The line in an actor's lock file. `state` is the supervisor's view: `up`, `backoff`,
    `degraded`, `held`, `down`; with `up`, the actor's cell knows more."""

    pid: int  # the supervisor's
    since: str
    where: str  # machine and process namespace in which `pid` means something
    actors: list[str]
    actor: str
    state: str = "down"
    actor_pid: int | None = None
    restarts: int = 0
    why: str = ""


class Tenancy:
    """The locks of one supervisor, all taken before anything is written. Raises HomeHeld."""

    def __init__(self, home: str | Path, actors: Sequence[str]) -> None:
        self._locks: dict[str, Lock] = {}
        self.texts: dict[str, LockText] = {}
        try:
            self._take(Path(home), [name for name in actors if lock_path(home, name).exists()])
            self._take(Path(home), [name for name in actors if name not in self._locks])
        except BaseException:
            self.release()
            raise
        since, where = iso(time.time_ns() // 1_000_000), here()
        for name in actors:
            self.texts[name] = LockText(os.getpid(), since, where, list(actors), name)
            self.tell(name)

    def tell(self, name: str) -> None:
        """Write down what is thought of `name` now."""
        self._locks[name].write(msgspec.json.encode(self.texts[name]))

    def note(self, actor: str, state: str, *, pid: int | None, why: str, again: bool) -> None:
        """See `wards.Notes`."""
        text = self.texts[actor]
        text.state, text.actor_pid, text.why = state, pid, why or text.why
        text.restarts += again
        try:
            self.tell(actor)
        except OSError as error:  # A full disk: `ps` is out of date, the house goes on.
            log.error("supervisor.untold", actor=actor, errno=error.errno)

    def release(self) -> None:
        for lock in self._locks.values():
            lock.release()
        self._locks.clear()

    def _take(self, home: Path, actors: Sequence[str]) -> None:
        for name in actors:
            path = lock_path(home, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._locks[name] = _patient_lock(path, name)


def _patient_lock(path: Path, actor: str) -> Lock:
    for _ in range(_TRIES):
        if lock := Lock.take(path):
            return lock
        time.sleep(_TRY_AGAIN_S)
    text = _read(path)
    raise HomeHeld(actor, f"process {text.pid} since {text.since}" if text else "another process")


def lock_path(home: str | Path, actor: str) -> Path:
    """The lock that an actor's supervisor holds."""
    return Path(home) / "data" / "actors" / actor / "lock"


def here() -> str:
    """Names the space in which a pid means something: this machine and its process namespace."""
    try:
        namespace = os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        namespace = 0
    return f"{socket.gethostname()}:{namespace}"


def holders(home: str | Path) -> list[LockText]:
    """One text per supervisor that runs on this home now."""
    found: dict[tuple[int, str, str], LockText] = {}
    for path in _lock_files(home):
        text = _read(path)
        if text and is_locked(path):
            found.setdefault((text.pid, text.since, text.where), text)
    return list(found.values())


def request_stop(home: str | Path, holder: LockText) -> None:
    """SIGTERM to a supervisor that still holds its lock. Raises NotRunning when it cannot be."""
    path = lock_path(home, holder.actor)
    text = _read(path)
    if text is None or (text.pid, text.since) != (holder.pid, holder.since) or not is_locked(path):
        raise NotRunning(f"the house of process {holder.pid} has ended")
    if text.where != here():
        raise NotRunning("the house runs in another container or machine: stop it there")
    try:
        os.kill(text.pid, signal.SIGTERM)
    except ProcessLookupError as error:
        raise NotRunning(f"the house of process {holder.pid} has ended") from error


def status(home: str | Path) -> list[dict[str, Any]]:
    """Rows of `ps`: every actor that ever ran on this home, then `supervisor`."""
    rows = [_actor_row(Path(home), path.parent.name, path) for path in _lock_files(home)]
    return rows + _supervisor_rows(holders(home), sum(row["restarts"] for row in rows))


def _actor_row(home: Path, name: str, path: Path) -> dict[str, Any]:
    text, cell = _read(path), CellView.read(home, name)
    alive = cell is not None and is_locked(writer_lock_path(home, name))
    return {
        "name": name,
        "pid": cell.pid if cell and alive else None,
        "state": _state(text, cell if alive else None, supervised=is_locked(path)),
        "epoch": cell.epoch if cell else 0,
        "restarts": text.restarts if text else 0,
        "backlog": _backlog_bytes(home, name, cell, alive),
    }


def _state(text: LockText | None, cell: CellView | None, *, supervised: bool) -> str:
    if cell is not None:
        return cell.state
    if not supervised or text is None:
        return "down"
    return "starting" if text.state == "up" else text.state


def _backlog_bytes(home: Path, name: str, cell: CellView | None, alive: bool) -> int:
    """What lies unread. A dead reader cannot count, so its spools are measured for it."""
    if cell is None:
        return 0
    if alive:
        return cell.backlog_bytes
    folder = home / "mailboxes" / name
    read = cell.consumed.items()
    sizes = ((_size(folder / f"{sender}.jsonl"), so_far.offset) for sender, so_far in read)
    return sum(max(0, size - at) for size, at in sizes)


def _supervisor_rows(found: Sequence[LockText], restarts: int) -> list[dict[str, Any]]:
    row = {"name": "supervisor", "epoch": 0, "restarts": restarts, "backlog": 0}
    if not found:
        return [row | {"pid": None, "state": "down"}]
    return [row | {"pid": text.pid, "state": "serving"} for text in found]


def _lock_files(home: str | Path) -> list[Path]:
    return sorted((Path(home) / "data" / "actors").glob("*/lock"))


def _read(path: Path) -> LockText | None:
    try:
        return msgspec.json.decode(first_line(path), type=LockText)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
