"""Orders: lines in `mailboxes/<actor>/control.jsonl` by which people steer an actor's supervisor.

    {"verb":"kill|pause|resume|restart|release","at":"2026-02-09T12:00:00.000Z"}

Orders are for the moment: those given while no supervisor ran are not carried out later.
"""

import os
from pathlib import Path
from typing import Literal, get_args

import msgspec

Verb = Literal["kill", "pause", "resume", "restart", "release"]
VERBS: tuple[str, ...] = get_args(Verb)
#: Read per look; the rest is read at the next one.
_READ_BYTES_MAX = 65_536


class Order(msgspec.Struct, frozen=True):
    verb: Verb
    at: str = ""


def control_path(home: str | Path, actor: str) -> Path:
    """Where the orders to an actor's supervisor stand."""
    return Path(home) / "mailboxes" / actor / "control.jsonl"


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

    def __init__(self, home: str | Path, actor: str) -> None:
        self._path = control_path(home, actor)
        self._offset = self._size()

    def unread(self) -> list[Order]:
        """Orders since the last look. Lines that are none are passed over."""
        size = self._size()
        if size < self._offset:
            self._offset = 0  # Somebody wrote the file anew.
        if size == self._offset:
            return []
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                data = file.read(_READ_BYTES_MAX)
        except OSError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole) or (len(data) if len(data) == _READ_BYTES_MAX else 0)
        return [order for line in whole.split(b"\n") if (order := _order(line))]

    def _size(self) -> int:
        try:
            return self._path.stat().st_size
        except OSError:
            return 0


def _order(line: bytes) -> Order | None:
    try:
        return msgspec.json.decode(line, type=Order)
    except msgspec.DecodeError:
        return None
