"""Small tools to look at a living house from outside: waiting, lines, listings, bare sockets.

Never: sleeps for a fixed time; whoever waits says for what.
"""

import hashlib
import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from actors.cli.chaos.house import House

T = TypeVar("T")

#: A machine busy with other things is slow; a house that needs longer is wrong.
WAIT_S_MAX = 15.0
_LOOK_S = 0.02


def until(found: Callable[[], T | None], what: str, seconds_max: float = WAIT_S_MAX) -> T:
    """The first true value of `found`. Raises AssertionError that names `what` never came."""
    ends = time.monotonic() + seconds_max
    while True:
        if value := found():
            return value
        assert time.monotonic() < ends, f"not within {seconds_max} s: {what}"
        time.sleep(_LOOK_S)


def lines(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a JSONL file; none without one."""
    try:
        return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]
    except FileNotFoundError:
        return []


def journal(home: Path, actor: str) -> list[dict[str, Any]]:
    return lines(home / "data" / "actors" / actor / "journal.jsonl")


def logged(home: Path, actor: str) -> list[dict[str, Any]]:
    return lines(home / "data" / "logs" / f"{actor}.jsonl")


def files(home: Path) -> list[Path]:
    return sorted(path for path in home.rglob("*") if path.is_file())


def listing(home: Path) -> dict[str, tuple[int, int, str]]:
    """Size, time of change and SHA-256 of everything under `home`, folders with their times too."""
    found = {}
    for path in sorted(home.rglob("*")):
        told = path.stat()
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        found[str(path.relative_to(home))] = (told.st_size, told.st_mtime_ns, digest)
    return found


def sizes(home: Path, *folders: str) -> dict[str, int]:
    """How many lines each book, journal and mailbox of these folders has."""
    return {
        str(path.relative_to(home)): path.read_bytes().count(b"\n")
        for folder in folders
        for path in files(home / folder)
        if path.suffix == ".jsonl"
    }


def raw_request(port: int, data: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send these bytes as they are; status, headers in lower case, and body of the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        try:
            connection.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # Refused before the end of it: the answer is there all the same.
        connection.settimeout(20)
        return _answer(connection)


def _answer(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        data += _more(connection, data)
    head, _, body = data.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    headers = {
        name.strip().lower(): text.strip() for name, _, text in (h.partition(":") for h in rest)
    }
    while len(body) < int(headers.get("content-length", "0")):
        body += _more(connection, data)
    return int(first.split(" ")[1]), headers, body


def _more(connection: socket.socket, so_far: bytes) -> bytes:
    more = connection.recv(65_536)
    assert more, f"the connection ended without an answer, after {so_far[:80]!r}"
    return more


@contextmanager
def living(folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[House]:
    """A ready house of real processes; ended afterwards."""
    house = House(folder, settings)
    house.start()
    try:
        yield house
    finally:
        house.stop()
