"""Damage to mailboxes: lines of a file that nobody syncs rot, are lost, or are edited by people.

    trouble ──▶ begin: lines that were just sent are damaged ──▶ heal: their sender starts anew

A mailbox is derived from its sender's journal: whatever becomes of it, its lines are sent again at
the sender's next start, and people who see the gap give that order (`payrail restart SENDER`).
Never: damages a journal, a line that people wrote, or a dead letter: those are in a book, which is
synced before a snapshot and which nobody sends again, so that its loss is damage and halts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from actors.simulation.evidence import Scarred
from actors.simulation.outside import SECTOR_BYTES, flipped, overwrite, put
from actors.simulation.schedule import Trouble, chance
from payrail.runtime.simdisk import Node
from payrail.runtime.simmachine import SimMachine
from payrail.storage.lines import is_whole

MAIL, LETTERS = "mailboxes/", "mailboxes/dlq/"
#: What becomes of lines.
WAYS = ("flipped", "flipped", "flipped", "zeros", "edited", "edited", "emptied", "removed")
#: One of the last so many lines of the file is hit: the last ones are those that are not read yet.
LINES_MAX = 3


@dataclass(frozen=True, slots=True)
class _Scar:
    """What was done to a mailbox. `node` has one `wrong` byte at `offset`; -1: none that would show
    as damage, for nobody knows what stood in a line that was torn or lost before."""

    path: str
    node: Node
    offset: int = -1
    wrong: int = 0


class Mail:
    """One run's."""

    def __init__(
        self, seed: int, machine: SimMachine, hit: Callable[[Trouble, str], object]
    ) -> None:
        """`hit` is told of a trouble that came, and of the path that it came to."""
        self._seed, self._machine, self._hit = seed, machine, hit
        self.scars: list[_Scar] = []

    def begin(self, one: Trouble, path: str) -> bool:
        """Damage what was just written to `path`. False: it is not there any more, or its sender
        is dead: it may be its journal that is damaged, which only this could tell of."""
        node = self._machine.disk.names.get(path)
        process = self._machine.writer(one.target)
        if process is None or process.life is None or node is None or not node.content:
            return False
        own = chance(self._seed, "mail", one.number)
        node.sync()  # A kernel may write back whenever it likes; what rots has been on the disk.
        begin, end = _line(own, bytes(node.content))
        if one.how in ("flipped", "zeros"):
            self._overwrite(own, one.how, path, node, begin, end)
        else:
            kept = {"edited": bytes(node.content[:begin] + node.content[end:]), "emptied": b""}
            put(self._machine.disk, path, kept.get(one.how))
            self.scars.append(_Scar(path, node))
        self._hit(one, path)
        return True

    def seen(self) -> list[Scarred]:
        """The damaged mailboxes by the names that they have now."""
        names = {node.id: path for path, node in self._machine.disk.names.items()}
        found = []
        for scar in self.scars:
            path = names.get(scar.node.id)
            data = self._machine.disk.names[path].content if path else b""
            shows = scar.offset >= 0 and data[scar.offset : scar.offset + 1] == bytes([scar.wrong])
            found.append(Scarred(path or scar.path, shows))
        return found

    def is_scarred(self, sender: str) -> bool:
        """Whether anything that it sent was damaged."""
        return any(scar.path.endswith(f"/{sender}.jsonl") for scar in self.scars)

    def heal(self, sender: str) -> None:
        """People let the sender start anew: it sends again what is not there. One that was started
        beside the house hears no supervisor: they end it."""
        self._machine.order(sender, "restart")
        writer, warden = self._machine.writer(sender), self._machine.warden
        wards = warden.wards if warden is not None else ()
        if writer is not None and not any(ward.process is writer for ward in wards):
            writer.kill()

    def _overwrite(
        self, own: Random, how: str, path: str, node: Node, begin: int, end: int
    ) -> None:
        at, was_whole = own.randrange(begin, end), is_whole(bytes(node.content[begin : end - 1]))
        if how == "flipped":
            wrong = flipped(own, node.content[at])
        else:
            wrong = bytes(min(SECTOR_BYTES, end - 1 - begin))
            at = own.randint(begin, end - 1 - len(wrong))
        overwrite(node, at, wrong)
        shown = (at, wrong[0]) if how == "flipped" and was_whole else (-1, 0)
        self.scars.append(_Scar(path, node, *shown))


def _line(own: Random, data: bytes) -> tuple[int, int]:
    """Where one of the last lines begins, and where the next one does."""
    ends = [len(data)]
    while len(ends) <= LINES_MAX and ends[-1] > 0:
        ends.append(data.rfind(b"\n", 0, ends[-1] - 1) + 1)
    at = own.randrange(len(ends) - 1)
    return ends[at + 1], ends[at]
