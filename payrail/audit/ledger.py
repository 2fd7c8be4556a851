"""Check what the ledger says, beyond its bytes: the rules that any reader may rely on.

`seq` is gapless over the ledger's files, every entry and every prefix sums to zero, each entry is a
legal move with the money of its facts (`payrail.audit.moves`), and each has its event.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec
from msgspec import Struct

from payrail.audit.findings import Finding
from payrail.audit.moves import Moves
from payrail.audit.paid_out import PaidOut
from payrail.audit.reading import Part
from payrail.domain.ledger import LedgerEntry, read_entry
from payrail.errors import LineDamaged
from payrail.storage.lines import is_whole

_Numbered = tuple[int, str, int, LedgerEntry]  # seq, path, line, entry


class _Event(Struct):
    id: str


_decode_event = msgspec.json.Decoder(_Event).decode


@dataclass(slots=True)
class _Walk:
    seq: int = 0
    broken: bool = False  # a line is missing or damaged: moves can no longer be judged
    sums: dict[str, int] = field(default_factory=dict)
    moves: Moves = field(default_factory=Moves)
    paid_out: PaidOut = field(default_factory=PaidOut)
    entries: list[tuple[str, int, str]] = field(default_factory=list)  # path, line, event id
    findings: list[Finding] = field(default_factory=list)

    def damage(self, path: str, line: int, what: str) -> None:
        self.findings.append(Finding(path, line, what))


def check_ledger(files: list[Part], events: Part | None, *, is_growing: bool) -> list[Finding]:
    """Findings of the ledger's files. `events` was looked at before them; `is_growing` tells that
    a file may lack lines of its end, so that a later `seq` of another file proves nothing."""
    walk = _Walk()
    known = _event_ids(events) if events else None
    for seq, path, line, entry in heapq.merge(*(_entries(walk, part) for part in files)):
        if seq != walk.seq + 1:
            if is_growing and seq > walk.seq and len(files) > 1:
                break
            walk.damage(path, line, f"seq {seq} follows {walk.seq}")
            walk.broken = True
        walk.seq = seq
        walk.entries.append((path, line, entry.event_id))
        _check_sums(walk, path, line, entry)
        _check_move(walk, path, line, entry)
        if (wrong := walk.paid_out.take(entry)) and not walk.broken:
            walk.damage(path, line, wrong)
    if known is not None:
        _check_events(walk, known)
    return walk.findings


def _entries(walk: _Walk, part: Part) -> Iterator[_Numbered]:
    for number, _, line in part.lines():
        if not is_whole(line):
            walk.broken = True  # the comparison with the journal names it
            continue
        try:
            seq, entry = read_entry(line)
        except LineDamaged as error:
            walk.damage(part.path, number, str(error))
            walk.broken = True
            continue
        yield seq, part.path, number, entry


def _check_sums(walk: _Walk, path: str, line: int, entry: LedgerEntry) -> None:
    if not entry.postings:
        return
    sums: dict[str, int] = {}
    for posting in entry.postings:
        sums[posting.currency] = sums.get(posting.currency, 0) + posting.amount
    for currency, amount_minor in sums.items():
        if amount_minor:
            walk.damage(path, line, f"the postings sum to {amount_minor} {currency}, not to zero")
        before = walk.sums.get(currency, 0)
        walk.sums[currency] = before + amount_minor
        if walk.sums[currency] and not before:
            what = f"from here the trial balance is {walk.sums[currency]} {currency}, not zero"
            walk.damage(path, line, what)


def _check_move(walk: _Walk, path: str, line: int, entry: LedgerEntry) -> None:
    if walk.broken:
        return
    try:
        walk.moves.take(entry)
    except ValueError as error:
        walk.damage(path, line, f"not a legal move: {error}")


def _event_ids(events: Part) -> set[str] | None:
    """The ids of all events; None when one of them cannot be read, which the comparison with the
    journal names."""
    ids = set()
    for _, _, line in events.lines():
        try:
            ids.add(_decode_event(line).id)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return None
    return ids


def _check_events(walk: _Walk, known: set[str]) -> None:
    """Events are written after their entries, in the same order: only the last may be on the
    way."""
    without = [(i, entry) for i, entry in enumerate(walk.entries) if entry[2] not in known]
    end = len(walk.entries)
    while without and without[-1][0] == end - 1:
        without.pop()
        end -= 1
    for _, (path, line, event_id) in without:
        walk.damage(path, line, f"{event_id} has no event")
