"""Dead letters: what could not be handled is there, whole, and can be replayed once.

A house in which nothing was poisoned has none, but for deliveries that their endpoint never took.
"""

import hashlib
from collections import Counter

from actors.simulation.evidence import WONT_DO, Evidence
from actors.simulation.invariants.invariant import Invariant
from actors.simulation.reading import Row
from payrail.runtime.deadletters import book_path
from payrail.runtime.recovery import journal_path

#: All reasons there are for a dead letter.
WHYS = frozenset(
    {"unparseable", "too_large", "schema", "unknown_kind", "sender", "expired", "decide_error"}
    | {"crash_loop", "replaced", "exhausted"}
)
#: Of a delivery that was given up: that is a letter, and no fault of ours.
EXHAUSTED = "exhausted"
_FIELDS = ("id", "actor", "why", "at", "error")


def letters_are_usable(evidence: Evidence) -> list[str]:
    """Each says who, why, when and what; its message or its raw bytes are there."""
    found = []
    for actor in evidence.actors:
        for row in evidence.books.rows(book_path(actor)):
            missing = [name for name in _FIELDS if not row[name]]
            if missing or row["why"] not in WHYS or row["actor"] != actor:
                what = f"{row['id']}: why {row['why']}, of {row['actor']}, without {missing}"
                found.append(f"{what} ({row.place})")
            elif row["message"] is None and not _raw_is_there(evidence, row):
                found.append(f"{row['id']}: neither message nor raw bytes ({row.place})")
    return found + _closed_once(evidence)


def _raw_is_there(evidence: Evidence, row: Row) -> bool:
    """The file is named by the SHA-256 of the bytes that it holds."""
    path = str(row["raw"])
    name = hashlib.sha256(evidence.books.bytes_of(path)).hexdigest()
    return path.endswith(f"/{name}")


def _closed_once(evidence: Evidence) -> list[str]:
    """However often a letter is replayed or dropped, it is closed once, and nothing else is."""
    found = []
    for actor in evidence.actors:
        known = {row["id"] for row in evidence.books.rows(book_path(actor))}
        closed: Counter[str] = Counter()
        for step in evidence.books.steps(actor):
            if step.in_.about:
                closed[step.in_.about] += 1
                if closed[step.in_.about] > 1 or step.in_.about not in known:
                    what = f"{step.in_.about} is closed twice, or was never there"
                    found.append(f"{what} ({journal_path(actor)}:{step.s})")
    return found


def none_is_left_open(evidence: Evidence) -> list[str]:
    """Where people looked at them, each dead letter was replayed or dropped, and is closed."""
    if not evidence.closes_letters:
        return []
    found = []
    for actor in evidence.actors:
        closed = {step.in_.about for step in evidence.books.steps(actor)}
        for row in evidence.books.rows(book_path(actor)):
            if row["id"] not in closed:
                found.append(f"{row['id']} of {actor} is still open ({row.place})")
    return found


def only_poison_is_set_aside(evidence: Evidence) -> list[str]:
    """A dead letter is there for each message that was poisoned, and for no other."""
    found = []
    letters = [row for actor in evidence.actors for row in evidence.books.rows(book_path(actor))]
    due = [one for one in evidence.fired if one.kind in WONT_DO]
    for row in letters:
        line = evidence.books.lines(row.path)[row.number - 1]
        expected = any(
            one.actor in ("", row["actor"]) and (not one.about or one.about.encode() in line)
            for one in due
        )
        if not expected and row["why"] != EXHAUSTED:
            detail = (row["error"] or {}).get("message")
            found.append(
                f"{row['actor']} set aside {row['id']}, {row['why']}: {detail} ({row.place})"
            )
    if evidence.is_quiet:
        found += _never_set_aside(evidence, letters)
    return found


def _never_set_aside(evidence: Evidence, letters: list[Row]) -> list[str]:
    """What was poisoned and never taken is no letter: a power cut may have lost it, and what asks
    again is another message."""
    lines = [evidence.books.lines(row.path)[row.number - 1] for row in letters]
    found = []
    for one in evidence.fired:
        if one.kind not in WONT_DO or not one.about or one.restored or not one.actor:
            continue
        taken = [step for step in evidence.books.steps(one.actor) if step.in_.id == one.about]
        if taken and not any(one.about.encode() in line for line in lines):
            place = f"{journal_path(one.actor)}:{taken[0].s}"
            found.append(f"{one.about} was to kill {one.actor}, which took it ({place})")
    return found


INVARIANTS = (
    Invariant("I13", "a dead letter can be read, and closed once", letters_are_usable),
    Invariant("I13b", "people can close every dead letter", none_is_left_open, needs_rest=True),
    Invariant("A11", "only what was poisoned is set aside", only_poison_is_set_aside),
)
