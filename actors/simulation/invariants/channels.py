"""Messages: nothing leaves without a durable step, nothing is lost, nothing is taken twice.

A mailbox is derived from its sender's journal, a book from its writer's. Replies are neither
numbered nor kept: one that is there must have been decided.
"""

import msgspec

from actors.simulation.evidence import Evidence
from actors.simulation.invariants.invariant import Invariant
from payrail.domain.messages import EDGES
from payrail.runtime.recovery import journal_path
from payrail.storage.journal import JournalLine, Taken
from payrail.storage.lines import is_whole

NOT_SPOOLS = frozenset({"hand", "control"})


class _Place(msgspec.Struct):
    n: int = 0
    re: str = ""
    status: int = 0


_decode_place = msgspec.json.Decoder(_Place).decode


def nothing_without_a_step(evidence: Evidence) -> list[str]:
    """Each line of a mailbox and of a book stands, byte for byte, in a step of its writer; books
    have no other, in the same order."""
    found = []
    for actor in evidence.actors:
        if journal_path(actor) not in evidence.rotten:
            found += _mailboxes(evidence, actor)
            found += _books(evidence, actor)
    return found


def _mailboxes(evidence: Evidence, actor: str) -> list[str]:
    steps = evidence.books.steps(actor)
    sent = {bytes(raw) for step in steps for raw in step.out}
    decided = {(reply.to, reply.re): reply.status for step in steps for reply in step.replies}
    found = []
    for path, receiver in _spools(evidence, actor):
        for number, line in enumerate(evidence.books.lines(path), 1):
            if line in sent or not is_whole(line):
                continue  # A torn line was never taken, and was sent again.
            place = _decode_place(line)
            if not place.re or (receiver, place.re) not in decided:
                what = f"no step of {actor} sent this to {receiver}"
                found.append(f"{what} ({path}:{number})")
    return found


def _spools(evidence: Evidence, sender: str) -> list[tuple[str, str]]:
    """(path, receiver) of every file that this actor writes in a mailbox, moved ones too."""
    found = []
    for receiver in evidence.books.listdir("mailboxes"):
        if receiver == "dlq":
            continue
        for folder in (f"mailboxes/{receiver}", f"mailboxes/{receiver}/old"):
            for name in evidence.books.listdir(folder):
                whole = name.removesuffix(".jsonl")
                moved = name.rsplit(".", 3)[0] if folder.endswith("/old") else ""
                if sender in (whole, moved):
                    found.append((f"{folder}/{name}", receiver))
    return found


def _books(evidence: Evidence, actor: str) -> list[str]:
    if actor not in evidence.live:
        return []  # Its next incarnation compares and mends them before it serves.
    posted: dict[str, list[bytes]] = {}
    for step in evidence.books.steps(actor):
        for line in step.books:
            posted.setdefault(line.book, []).append(bytes(line.line))
    found = []
    for name, spec in evidence.books.books[actor].items():
        ours, theirs = posted.get(name, []), evidence.books.lines(spec.path)
        if spec.path in evidence.rotten or theirs == ours:
            continue
        number = _first_other(ours, theirs)
        if number < len(theirs):
            what = f"not what {actor} journaled as line {number + 1} of {name}"
            found.append(f"{what} ({spec.path}:{number + 1})")
        elif evidence.is_quiet:
            what = f"{len(ours) - len(theirs)} lines of {name} were journaled and never posted"
            found.append(f"{what} ({spec.path}:{number + 1})")
    return found


def _first_other(ours: list[bytes], theirs: list[bytes]) -> int:
    """Where two lists of lines part, from 0."""
    pairs = enumerate(zip(ours, theirs, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(ours), len(theirs)))


def channels_are_gapless(evidence: Evidence) -> list[str]:
    """What an actor takes from another is 1, 2, 3, … of what was sent, and at rest all of it; lines
    of an edge are taken in the order of (epoch, n), each once."""
    found = []
    for receiver in evidence.actors:
        taken: dict[str, list[JournalLine]] = {}
        for step in evidence.books.steps(receiver):
            taken.setdefault(step.in_.from_, []).append(step)
        for sender in (*EDGES, *evidence.actors):
            mine = taken.get(sender, [])
            if sender in EDGES:
                found += _edge(receiver, sender, mine)
            elif sender != receiver:
                found += _inner(evidence, receiver, sender, mine)
    return found


def _edge(receiver: str, sender: str, taken: list[JournalLine]) -> list[str]:
    last = (0, 0)
    for step in taken:
        place = (step.in_.epoch, step.in_.n)
        if place <= last:
            what = f"{sender} to {receiver}: {place} is taken after {last}"
            return [f"{what} ({journal_path(receiver)}:{step.s})"]
        last = place
    return []


def _inner(evidence: Evidence, receiver: str, sender: str, taken: list[JournalLine]) -> list[str]:
    if journal_path(sender) in evidence.rotten or journal_path(receiver) in evidence.rotten:
        return []
    lines = evidence.books.sent(sender).get(receiver, [])
    sent = len(lines)
    for due, step in enumerate(taken, 1):
        if step.in_.n != due or due > sent:
            what = (
                f"{sender} to {receiver}: took message {step.in_.n} where {due} of {sent} was due"
            )
            return [f"{what} ({journal_path(receiver)}:{step.s})"]
        if not _is_same(step.in_, lines[due - 1]):
            what = f"{sender} to {receiver}: message {due} was taken otherwise than it was sent"
            return [f"{what} ({journal_path(receiver)}:{step.s})"]
    if evidence.is_quiet and len(taken) != sent:
        what = f"{sender} to {receiver}: {sent} were sent, {len(taken)} taken"
        return [f"{what} ({journal_path(receiver)})"]
    return []


def _is_same(taken: Taken, sent: bytes) -> bool:
    """Whether the receiver journaled the names of the very line that its sender did."""
    names = (taken.id, taken.kind, taken.correlation_id)
    return all(b'"%b"' % name.encode() in sent for name in names)


INVARIANTS = (
    Invariant("A1", "no line without the durable step that made it", nothing_without_a_step),
    Invariant("I12", "no message is lost or taken twice", channels_are_gapless),
)
