"""Check the mailboxes: each line against its own hash and against the journals of both ends.

What an inner sender wrote stands in its journal; what an edge wrote stands in its receiver's.
A line that a killed writer left torn is innocent, and is only noted.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
from msgspec import Struct

from payrail.audit.findings import NOTE, Finding
from payrail.audit.journals import Facts
from payrail.audit.reading import Part, has_broken_end
from payrail.domain.messages import EDGES, HAND
from payrail.runtime.ports import Fs
from payrail.storage.lines import hash_of, is_whole
from payrail.storage.spool import OLD_KEPT

#: Files in a mailbox that are not ours: people and the supervisor's orders.
NOT_SPOOLS = frozenset({HAND, "control"})
#: A power cut may leave zeros in a mailbox; a single one may as well be a flipped bit.
LOST_BYTES_MIN = 2
_REPLY = b"re:"
_END_BYTES = 75
_END_MARK = b',"hash":"'


class _Place(Struct):
    n: int = 0
    epoch: int = 0


_decode_place = msgspec.json.Decoder(_Place).decode


@dataclass(slots=True)
class Channel:
    """All files of one sender and one receiver, the oldest first."""

    sender: str
    receiver: str
    parts: list[Part]

    @property
    def is_complete(self) -> bool:
        """Whether no file of this channel was ever thrown away."""
        return len(self.parts) <= OLD_KEPT


class Piece(NamedTuple):
    """A torn line, as much of it as landed."""

    path: str
    line: int
    n: int
    landed: bytes


@dataclass(slots=True)
class _Walk:
    channel: Channel
    last: tuple[int, int] = (0, 0)  # (epoch, n) of the line above
    reached: int = 0  # inner: the last n without a gap
    gap: tuple[str, int, int] | None = None  # path, line, n of the first line behind a gap
    torn: tuple[str, int, bytes] | None = None  # an edge's last one
    pieces: list[Piece] = field(default_factory=list)  # an inner sender's that tell their number
    begins: bool = True  # no whole line of this file was seen yet
    unread: bool = False  # a line could not be read: nobody knows which message it was
    seen: dict[tuple[int, int], tuple[str, int]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def damage(self, path: str, number: int, what: str) -> None:
        self.findings.append(Finding(path, number, what))


def open_channels(fs: Fs) -> list[Channel]:
    """Every channel of the house, with its files opened: the present one before the old ones, so
    that one that is moved just now is seen twice rather than not at all."""
    channels = []
    for receiver in fs.listdir("mailboxes"):
        if receiver == "dlq":
            continue
        for name in fs.listdir(f"mailboxes/{receiver}"):
            sender, dot, _ = name.rpartition(".jsonl")
            if dot and sender not in NOT_SPOOLS:
                channels.append(Channel(sender, receiver, _parts(fs, receiver, sender)))
    return channels


def _parts(fs: Fs, receiver: str, sender: str) -> list[Part]:
    here = Part(fs, f"mailboxes/{receiver}/{sender}.jsonl")
    folder = f"mailboxes/{receiver}/old"
    parts = []
    for name in fs.listdir(folder):
        if name.rsplit(".", 3)[0] != sender:
            continue
        part = Part(fs, f"{folder}/{name}")
        same = here.file and part.file and here.file.identity() == part.file.identity()
        if same or part.file is None:
            part.close()
        else:
            parts.append(part)
    return [*parts, here]


def check_channel(channel: Channel, facts: dict[str, Facts]) -> list[Finding]:
    """Findings of one channel. `facts` are the journals by name; without one, hashes only."""
    walk = _Walk(channel)
    for part in channel.parts:
        walk.begins = True
        for number, _, line in part.lines():
            if is_whole(line):
                _whole(walk, part.path, number, line, facts)
            else:
                _broken(walk, part.path, number, line)
        if has_broken_end(part.tail):
            walk.damage(part.path, part.line_count + 1, "the line's end is damaged")
    _check_end(walk, facts)
    return walk.findings


def _broken(walk: _Walk, path: str, number: int, line: bytes) -> None:
    walk.unread = True
    if _is_lost(line):
        what = "lost in a power cut, which leaves zeros; what was in it was sent again"
        walk.findings.append(Finding(path, number, what, NOTE))
        return
    if looks_whole(line):
        walk.damage(path, number, "the line's bytes do not match its hash")
        return
    landed = line.rstrip(b"\0")  # a power cut may fill what did not land with zeros
    if walk.channel.sender in EDGES:
        walk.torn = (path, number, landed)
    elif not _keep_piece(walk, path, number, landed):
        walk.damage(path, number, f"not even the beginning of a line of {walk.channel.sender}")
        return
    what = "a torn line, left by a writer that died or met a full disk, and that went on behind it"
    walk.findings.append(Finding(path, number, what, NOTE))


def _is_lost(line: bytes) -> bool:
    """Whether a power cut left zeros there. A single one is no flipped bit where a brace or the
    newline before a whole line was: the last byte of a sector that was lost."""
    zeros = line.count(b"\0")
    return zeros >= LOST_BYTES_MIN or (
        zeros == 1 and (line.startswith(b"\0") or is_whole(line.partition(b"\0")[2]))
    )


def _keep_piece(walk: _Walk, path: str, number: int, landed: bytes) -> bool:
    """Remember a torn line if it tells which message it was. False: it is no beginning of a line
    from this sender to this receiver. A reply, which has no number, is never sent again."""
    begin = f'{{"id":"{walk.channel.sender}>{walk.channel.receiver}:'.encode()
    if len(landed) <= len(begin):
        return begin.startswith(landed)
    n, quote, _ = landed.removeprefix(begin).partition(b'"')
    if landed.startswith(begin) and n.isdigit() and quote:
        walk.pieces.append(Piece(path, number, int(n), landed))
    return landed.startswith(begin) and (n.isdigit() or n.startswith(_REPLY[: len(n)]))


def looks_whole(line: bytes) -> bool:
    """Whether a line has the shape of one that was written to its end, save for one byte."""
    end = line[-_END_BYTES:]
    shape = end[: len(_END_MARK)] + end[-2:]
    wrong = sum(a != b for a, b in zip(shape, _END_MARK + b'"}', strict=False))
    return len(line) > _END_BYTES and wrong <= 1


def _whole(walk: _Walk, path: str, number: int, line: bytes, facts: dict[str, Facts]) -> None:
    place = _decode_place(line)
    if not place.n:
        return  # a reply: it has no number
    if walk.channel.sender in EDGES:
        _judge_torn(walk, line, place, facts)
        _edge_line(walk, path, number, line, place, facts)
    else:
        _judge_pieces(walk, line, place.n)
        _inner_line(walk, path, number, line, place, facts)
    walk.begins = False
    walk.last = (place.epoch, place.n)


def _judge_pieces(walk: _Walk, line: bytes, n: int) -> None:
    """What an inner sender tore it sends again, in order and with what it had sent before that a
    power cut took: a piece is judged by the line of its own number. If that never comes, it is
    missing."""
    again = [piece for piece in walk.pieces if piece.n == n]
    for piece in again:
        walk.pieces.remove(piece)
        if not line.startswith(piece.landed):
            walk.damage(piece.path, piece.line, "not the beginning of the line that was sent again")


def _judge_torn(walk: _Walk, line: bytes, place: _Place, facts: dict[str, Facts]) -> None:
    """A line that an edge has torn is innocent if it is sent again, if the edge has been reborn
    since, or if it was given up on a full disk: then nobody has taken it."""
    if walk.torn is None:
        return
    path, number, torn = walk.torn
    walk.torn = None
    is_new_life = place.epoch > walk.last[0]
    if not line.startswith(torn) and not is_new_life and _was_taken(walk, place, facts):
        walk.damage(path, number, "the line was cut short")


def _was_taken(walk: _Walk, place: _Place, facts: dict[str, Facts]) -> bool:
    """Whether what stood between the last whole line and this one may have been taken whole."""
    receiver = facts.get(walk.channel.receiver)
    if receiver is None:
        return True
    taken = receiver.edges.get(walk.channel.sender, {})
    return any((place.epoch, n) in taken for n in range(walk.last[1] + 1, place.n))


def _inner_line(
    walk: _Walk, path: str, number: int, line: bytes, place: _Place, facts: dict[str, Facts]
) -> None:
    if not walk.reached and not walk.channel.is_complete:
        walk.reached = place.n - 1
    if place.n == walk.reached + 1 or (walk.begins and _was_moved(walk, place.n - 1, facts)):
        walk.reached = place.n
    elif place.n > walk.reached and walk.gap is None:
        walk.gap = (path, number, place.n)
    sender = facts.get(walk.channel.sender)
    if sender is None:
        return
    hashes = sender.out(walk.channel.receiver).hashes
    if place.n <= len(hashes):
        if hashes[place.n - 1] != hash_of(line):
            walk.damage(path, number, f"not the line that {sender.path} says was sent")
    elif not sender.blind:
        _behind(walk, sender, f"{path}:{number} is its message {place.n}", f"{len(hashes)}")


def _was_moved(walk: _Walk, n: int, facts: dict[str, Facts]) -> bool:
    """Whether the lines up to `n` may be lost with files that were moved away: nobody syncs those,
    and they are moved when all that is in them was taken."""
    receiver = facts.get(walk.channel.receiver)
    taken = 0 if receiver is None else receiver.inner.get(walk.channel.sender, 0)
    return len(walk.channel.parts) > 1 and walk.reached < n <= taken


def _behind(walk: _Walk, sender: Facts, what: str, knows: str) -> None:
    told = f"the journal was cut or is an old one: {what}, it knows of {knows}"
    if not any(finding.path == sender.path for finding in walk.findings):
        walk.damage(sender.path, sender.steps, told)


def _edge_line(
    walk: _Walk, path: str, number: int, line: bytes, place: _Place, facts: dict[str, Facts]
) -> None:
    where = (place.epoch, place.n)
    if where <= walk.last:
        walk.damage(path, number, f"message {place.epoch}.{place.n} is repeated or out of order")
    walk.seen[where] = (path, number)
    receiver = facts.get(walk.channel.receiver)
    taken = receiver.edges.get(walk.channel.sender, {}).get(where) if receiver else None
    if receiver and taken and taken[0] != hash_of(line):
        walk.damage(path, number, f"not the line that {receiver.path}:{taken[1]} took")
    sender = facts.get(walk.channel.sender)
    if sender and not sender.blind and place.epoch > sender.epoch:
        _behind(walk, sender, f"{path}:{number} is of epoch {place.epoch}", f"{sender.epoch}")


def _check_end(walk: _Walk, facts: dict[str, Facts]) -> None:
    channel = walk.channel
    here = channel.parts[-1]
    if channel.sender in EDGES:
        _check_taken(walk, facts.get(channel.receiver))
        return
    sender = facts.get(channel.sender)
    due = 0 if sender is None else sender.out(channel.receiver).due(sender.told)
    if walk.reached >= due or (not here.line_count and _was_moved(walk, due, facts)):
        return
    path, number, _ = walk.gap or (here.path, here.line_count + 1, 0)
    missing = walk.reached + 1
    cut = [piece for piece in walk.pieces if piece.n == missing]
    if cut:
        walk.damage(cut[-1].path, cut[-1].line, f"the line was cut short; it was message {missing}")
    elif walk.reached or channel.is_complete:
        walk.damage(path, number, f"message {missing} is missing or out of order")


def _check_taken(walk: _Walk, receiver: Facts | None) -> None:
    """Lines that the receiver took and that are gone. The last ones of an epoch may be: a power
    cut loses what an edge had not made durable."""
    if receiver is None or walk.unread or not walk.channel.is_complete:
        return
    places = sorted(walk.seen)
    taken = receiver.edges.get(walk.channel.sender, {})
    for (epoch, n), (_, line) in taken.items():
        after = bisect_right(places, (epoch, n))
        if (epoch, n) in walk.seen or after == len(places) or places[after][0] != epoch:
            continue
        path, number = walk.seen[places[after]]
        what = f"message {epoch}.{n} is missing before this line; {receiver.path}:{line} took it"
        walk.damage(path, number, what)
