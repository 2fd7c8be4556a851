"""Orders: lines in `mailboxes/<actor>/control.jsonl` by which people steer an actor's supervisor.

    {"verb":"kill|pause|resume|restart|release","at":"2026-02-09T12:00:00.000Z"}

Orders are for the moment: those given while no supervisor ran are not carried out later.
"""

import os
from pathlib import Path
from typing import Literal, get_args

import msgspec

from payrail.runtime.ports import Fs

Verb = Literal["kill", "pause", "resume", "restart", "release"]
VERBS: tuple[str, ...] = get_args(Verb)
#: Read per look; the rest is read at the next one.
_READ_BYTES_MAX = 65_536


class Order(msgspec.Struct, frozen=True):
    verb: Verb
    at: str = ""


def orders_path(actor: str) -> str:
    """Where the orders to an actor's supervisor stand, below the home."""
    return f"mailboxes/{actor}/control.jsonl"


def control_path(home: str | Path, actor: str) -> Path:
    """The same file, from the root."""
    return Path(home) / orders_path(actor)


def give_order(home: str | Path, actor: str, verb: Verb, at: str) -> None:
    """Append one order; `at` is the ISO time for whoever reads the file."""
    path = control_path(home, actor)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(handle, msgspec.json.encode(Order(verb, at)) + b"\n")
    finally:
        os.close(handle)


class OrderReader:
    """Follows one control file from where it ended when the supervisor started."""

    def __init__(self, fs: Fs, actor: str) -> None:
        self._fs, self._path = fs, orders_path(actor)
        self._offset = self._size()

    def unread(self) -> list[Order]:
        """Orders since the last look. Lines that are none are passed over."""
        size = self._size()
        if size < self._offset:
            self._offset = 0  # Somebody wrote the file anew.
        if size == self._offset:
            return []
        try:
            file = self._fs.open(self._path)
        except OSError:
            return []
        try:
            data = file.pread(self._offset, _READ_BYTES_MAX)
        except OSError:
            return []
        finally:
            file.close()
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole) or (len(data) if len(data) == _READ_BYTES_MAX else 0)
        return [order for line in whole.split(b"\n") if (order := _order(line))]

    def _size(self) -> int:
        try:
            return self._fs.size(self._path)
        except OSError:
            return 0


def _order(line: bytes) -> Order | None:
    try:
        return msgspec.json.decode(line, type=Order)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
