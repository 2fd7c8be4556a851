"""Damage to files from outside: bytes that rot on the disk, and people who mend them.

    trouble ──▶ begin: bytes of a durable file change, its actor starts anew ──▶ restore, release

Owns what is damaged at the moment, and how it was before. Never: damages what its writer has not
synced, or what nobody could mend.
"""

from collections.abc import Callable
from dataclasses import dataclass

from actors.simulation.schedule import Trouble, chance
from payrail.runtime.simdisk import Node
from payrail.runtime.simmachine import SimMachine

#: (kind of the trouble, actor, path, offset)
Damaged = Callable[[str, str, str, int], None]


@dataclass(frozen=True, slots=True)
class _Flip:
    """One flipped bit."""

    actor: str
    path: str
    node: Node
    offset: int
    right: int
    wrong: int


class Rot:
    """One run's."""

    def __init__(self, seed: int, machine: SimMachine, damaged: Damaged) -> None:
        self._seed, self._machine, self._damaged = seed, machine, damaged
        self._flips: dict[int, _Flip] = {}  # by the number of their trouble
        #: (path, line) of last lines that rotted: nobody can tell them from torn ones, so they may
        #: be lost, as long as nothing was told of them.
        self.tails: set[tuple[str, int]] = set()

    def begin(self, one: Trouble) -> bool:
        """Flip a bit of a durable file of `target`, which then starts anew. False: it has none."""
        own = chance(self._seed, "rot", one.number)
        found = [
            (path, node)
            for path, node in sorted(self._machine.disk.names.items())
            if not node.is_folder and not node.pending and node.durable and _is_of(one.target, path)
        ]
        if not found:
            return False
        path, node = own.choice(found)
        offset = own.randrange(len(node.durable))
        right = node.durable[offset]
        flip = _Flip(one.target, path, node, offset, right, right ^ (1 << own.randrange(8)))
        self._flips[one.number] = flip
        node.durable[offset] = node.content[offset] = flip.wrong
        if path.endswith("journal.jsonl") and node.content.find(b"\n", offset) in (
            -1,
            len(node.content) - 1,
        ):
            self.tails.add((path, node.content.count(b"\n", 0, offset) + 1))
        self._damaged(one.kind, one.target, path, offset)
        self._machine.kill(one.target)
        return True

    def restore(self, one: Trouble) -> None:
        """People put the byte back, if it is still there and wrong, and let the actor go on."""
        flip = self._flips.pop(one.number)
        node, at = self._machine.disk.names.get(flip.path), flip.offset
        if node is not None and node.id == flip.node.id and len(node.content) > at:
            for data in (node.content, node.durable):
                if len(data) > at and data[at] == flip.wrong:
                    data[at] = flip.right
        self._machine.order(flip.actor, "release")


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
