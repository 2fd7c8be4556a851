"""A mailbox as people read it: the spools of all senders as one stream, in the order of sending.

Never: takes a message, or holds a file open that its writer wants to move away.
"""

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from actors.cli.common import put

#: Bytes read from the end of each spool for the first lines.
TAIL_BYTES = 1024 * 1024
PAUSE_S = 0.2
_BODY_CHARACTERS_MAX = 120


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """One line of a spool. `at` is its own time, else the time of the line above it."""

    at: str
    sender: str
    order: int
    text: str = field(compare=False)

    def put(self, as_json: bool) -> None:
        put(self.text if as_json else _readable(self))


class Mailbox:
    """`mailboxes/<actor>/*.jsonl` together."""

    def __init__(self, home: Path, actor: str) -> None:
        self._folder = home / "mailboxes" / actor
        self._ends: dict[Path, tuple[int, int]] = {}  # identity, offset behind the last whole line

    def last(self, count: int) -> list[Line]:
        """The newest `count` lines, oldest first; `more` goes on from here."""
        found = self._read(from_end=True)
        return found[-count:] if count else []

    def more(self) -> list[Line]:
        """What came since."""
        return self._read(from_end=False)

    def pause(self) -> None:
        time.sleep(PAUSE_S)

    def _read(self, *, from_end: bool) -> list[Line]:
        found: list[Line] = []
        for path in sorted(self._folder.glob("*.jsonl")):
            found += self._lines(path, from_end)
        return sorted(found)

    def _lines(self, path: Path, from_end: bool) -> list[Line]:
        try:
            with path.open("rb") as file:
                identity = path.stat().st_ino
                size = file.seek(0, 2)
                known, offset = self._ends.get(path, (identity, 0))
                if known != identity or offset > size:
                    offset = 0  # The writer moved the drained file away.
                begin = max(offset, size - TAIL_BYTES) if from_end else offset
                file.seek(begin)
                data = file.read(TAIL_BYTES * 4)
        except OSError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        self._ends[path] = (identity, begin + len(whole))
        lines = whole.split(b"\n")[1 if begin > offset else 0 : -1]
        return _dated(path.stem, lines, path)


def _dated(sender: str, lines: list[bytes], path: Path) -> list[Line]:
    """Lines with their times. What people append has none: the file's own is the nearest."""
    from payrail.domain.timestamps import iso

    at = iso(int(path.stat().st_mtime * 1000)) if sender == "hand" else ""
    found = []
    for order, line in enumerate(lines):
        text = line.decode("utf-8", "replace")
        said = _parsed(text)
        at = str(said.get("sent_at") or said.get("at") or at)
        found.append(Line(at, sender, order, text))
    return found


def _readable(line: Line) -> str:
    said = _parsed(line.text)
    name = str(said.get("kind") or said.get("verb") or "?")
    about = str(said.get("key") or said.get("re") or "")
    status = f" {said['status']}" if "status" in said else ""
    body = json.dumps(said.get("body"), ensure_ascii=False, separators=(",", ":"))
    if len(body) > _BODY_CHARACTERS_MAX:
        body = body[: _BODY_CHARACTERS_MAX - 1] + "…"
    number = f"#{said['n']}" if "n" in said else ""
    cor = str(said.get("correlation_id") or "")
    return f"{line.at[11:23]:<12} {line.sender:<10} {number:<6} {name}{status} {about} {cor} {body}"


def _parsed(text: str) -> dict[str, Any]:
    try:
        said = json.loads(text)
    except ValueError:
        return {"kind": "(not JSON)", "body": text}
    return said if isinstance(said, dict) else {"kind": "(no object)", "body": said}
