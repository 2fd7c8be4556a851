"""Damage to files from outside: bytes that rot, files that are lost or put back from an older day.

    trouble ──▶ begin: a durable file changes, its actor starts anew ──▶ restore, release

Whoever refuses to start is helped as people would: they put back the copy from before the damage.
Whoever has mended it by itself is left alone.
Owns what is damaged at the moment, and how it was before. Never: damages what its writer has not
synced, or what nobody could mend.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from actors.simulation.outside import SECTOR_BYTES, flipped, overwrite, put
from actors.simulation.schedule import Trouble, chance
from payrail.errors import Corrupt
from payrail.runtime.simdisk import Node, SimDisk
from payrail.runtime.simmachine import SimMachine
from payrail.storage.journal import extent

#: (kind of the trouble, actor, path, offset)
Damaged = Callable[[str, str, str, int], None]

#: What is done: a bit anywhere in any file, a bit near the end of a journal, a sector of zeros, a
#: file cut short, gone, or as it was when the run began.
WAYS = ("", "tail", "zeros", "cut", "gone", "older")
_WHOLE = frozenset({"cut", "gone", "older"})
_TAIL_BYTES = 4_096
#: A step that told others of something: what is lost with it is missed by them.
_TOLD = (b'"books":[{', b'"out":[{')


@dataclass(frozen=True, slots=True)
class _Harm:
    """What was done to one file. `right` stood at `at` where now `wrong` stands; of a file that was
    changed as a whole `right` is all of it."""

    actor: str
    path: str
    node: Node
    at: int
    right: bytes
    wrong: bytes
    is_whole: bool = False


class Rot:
    """One run's."""

    def __init__(self, seed: int, machine: SimMachine, damaged: Damaged) -> None:
        self._seed, self._machine, self._damaged = seed, machine, damaged
        self._older = {path: len(node.content) for path, node in machine.disk.names.items()}
        self._harms: dict[int, _Harm] = {}  # by the number of their trouble
        #: (path, line) of last lines that rotted: nobody can tell them from torn ones, so they may
        #: be lost, as long as nothing was told of them.
        self.tails: set[tuple[str, int]] = set()
        self.is_scarred: Callable[[str], bool] = lambda _actor: False  # what it sent was damaged
        self.mended: set[str] = set()  # by its actor; what was put there may still lie there

    def begin(self, one: Trouble) -> bool:
        """Damage a durable file of `target`, which then starts anew. False: it has none that this
        could be done to."""
        own = chance(self._seed, "rot", one.number)
        found = [
            (path, node)
            for path, node in sorted(self._machine.disk.names.items())
            if not node.is_folder and not node.pending and node.durable and _is_of(one.target, path)
        ]
        found = [row for row in found if _fits(one.how, row[0])]
        if not found:
            return False
        path, node = own.choice(found)
        harm = self._harm(own, one, path, node)
        if harm is None:
            return False
        self._harms[one.number] = harm
        self._do(harm)
        self._damaged(one.kind, one.target, path, harm.at)
        self._machine.kill(one.target)
        if (second := self._machine.writer(one.target)) is not None:
            second.kill()  # One that was started beside the house writes there.
        return True

    def restore(self, one: Trouble) -> None:
        """People mend what their actor could not, and let it go on."""
        harm = self._harms.pop(one.number)
        if harm.is_whole:
            if self._serves(harm.actor) or not _stands(self._machine.disk, harm):
                self.mended.add(harm.path)
            else:
                put(self._machine.disk, harm.path, harm.right)
        else:
            _undo(self._machine.disk, harm)
        self._machine.order(harm.actor, "release")

    def _harm(self, own: Random, one: Trouble, path: str, node: Node) -> _Harm | None:
        right = bytes(node.durable)
        if one.how in _WHOLE:
            kept = {"cut": own.randrange(len(right)), "older": self._older.get(path, 0)}
            at = min(kept.get(one.how, 0), len(right))
            is_missed = self._has_told(one.target) and any(m in right[at:] for m in _TOLD)
            if at == len(right) or (path.endswith("journal.jsonl") and not is_missed):
                return None
            return _Harm(one.target, path, node, at, right, b"", is_whole=True)
        begin = max(0, len(right) - _TAIL_BYTES) if one.how == "tail" else 0
        at = own.randrange(begin, len(right))
        if one.how == "zeros":
            wrong = bytes(min(SECTOR_BYTES, len(right) - at))
        else:
            wrong = flipped(own, right[at])
        harm = _Harm(one.target, path, node, at, right[at : at + len(wrong)], wrong)
        is_told = any(mark in _lost(harm) for mark in _TOLD)
        return None if is_told and not self._has_told(one.target) else harm

    def _serves(self, actor: str) -> bool:
        process = self._machine.writer(actor)
        return process is not None and process.life is not None

    def _has_told(self, actor: str) -> bool:
        """Whether others have all that its journal says it told them; what they have not nobody
        would miss."""
        if not self._serves(actor) or self.is_scarred(actor):
            return False
        return not self._machine.driver(actor).blocked

    def _do(self, harm: _Harm) -> None:
        disk, node = self._machine.disk, harm.node
        if harm.is_whole or harm.path.endswith("journal.jsonl"):
            _written_back(disk)
        if harm.is_whole:
            put(disk, harm.path, harm.right[: harm.at] or None)
            return
        before = node.durable.count(b"\n")
        overwrite(node, harm.at, harm.wrong)
        if harm.path.endswith("journal.jsonl"):
            self.tails.update((harm.path, line) for line in _cut_off(harm.path, node, before))


def _cut_off(path: str, node: Node, lines: int) -> range:
    """The lines that look as if they had never been promised, and will be cut off."""
    try:
        kept = extent(path, bytes(node.content)).lines
    except Corrupt:
        return range(0)
    return range(kept + 1, lines + 1)


def _lost(harm: _Harm) -> bytes:
    """The end of a journal that will be cut off, since it looks as if it had never been promised.
    Whoever took what it told and lost the message itself in a power cut is the only one who knows
    of it then: the writer goes on with other steps under the same numbers."""
    if not harm.path.endswith("journal.jsonl"):
        return b""
    right, behind = bytes(harm.node.durable), harm.at + len(harm.wrong)
    try:
        kept = extent(harm.path, right[: harm.at] + harm.wrong + right[behind:]).end
    except Corrupt:
        return b""
    return right[kept:]


def _undo(disk: SimDisk, harm: _Harm) -> None:
    """Put the bytes back, if they are still there and wrong."""
    node, end = disk.names.get(harm.path), harm.at + len(harm.wrong)
    if node is None or node.id != harm.node.id or node.content[harm.at : end] != harm.wrong:
        return
    for content in (node.content, node.durable):
        if content[harm.at : end] == harm.wrong:
            content[harm.at : end] = harm.right


def _stands(disk: SimDisk, harm: _Harm) -> bool:
    """Whether nobody has written there since."""
    node = disk.names.get(harm.path)
    return (b"" if node is None else bytes(node.content)) == harm.right[: harm.at]


def _written_back(disk: SimDisk) -> None:
    """All of the disk is durable: what others know of a file that is lost must not be lost in a
    power cut, or nobody could miss it."""
    for node in disk.names.values():
        node.sync()
        node.durable[:] = node.content
    for path in disk.names:
        disk.sync_folder(path.rpartition("/")[0])


#: Where the durable files of an actor lie, beside its own folder.
_OWN = {
    "gateway": ("data/ledger/", "data/outbox/events", "data/idempotency/", "data/access/changes"),
    "vault": ("data/vault/",),
    "provider-a": ("data/providers/providerA_truth",),
    "provider-b": ("data/providers/providerB_truth",),
    "reconciler": (),
    "dispatcher": ("data/outbox/processed", "data/outbox/deliveries"),
}


def _is_of(actor: str, path: str) -> bool:
    own = (f"data/actors/{actor}/", *_OWN.get(actor, ()))
    return path.startswith(own) and not path.endswith(("/lock", "/cell"))


def _fits(how: str, path: str) -> bool:
    """Keys are no files that anybody could write again: they rot, and are restored."""
    if how == "tail":
        return path.endswith("journal.jsonl")
    return how not in _WHOLE or path.endswith(".jsonl") or path.startswith("data/actors/")
