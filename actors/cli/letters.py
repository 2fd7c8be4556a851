"""Dead letters read from their books, and from the journals whether they are still open."""

import json
from pathlib import Path
from typing import Any

_ABOUT = b'"about":"dl_'


def read_letters(home: Path) -> list[dict[str, Any]]:
    """All dead letters of the house, oldest first, each with `state`: open | replayed | dropped."""
    found = []
    for path in sorted((home / "mailboxes" / "dlq").glob("*.jsonl")):
        ends = _ends(home, path.stem)
        for line in _lines(path):
            letter = _parsed(line)
            if letter is not None:
                found.append({**letter, "state": ends.get(str(letter.get("id")), "open")})
    return sorted(found, key=lambda letter: str(letter.get("at", "")))


def _ends(home: Path, actor: str) -> dict[str, str]:
    """What became of the closed ones: the journal line that closed each names it."""
    ends = {}
    for line in _lines(home / "data" / "actors" / actor / "journal.jsonl"):
        if _ABOUT not in line:
            continue
        taken = (_parsed(line) or {}).get("in", {})
        if taken.get("about"):
            ends[taken["about"]] = "dropped" if taken.get("kind") == "dlq.drop" else "replayed"
    return ends


def _lines(path: Path) -> list[bytes]:
    """Whole lines; none when there is no such file."""
    try:
        return path.read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return []


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
