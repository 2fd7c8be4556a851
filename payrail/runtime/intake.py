"""What an actor takes in: spools, people's lines and timers, in the order that rules need.

One `collect` is one bounded batch. Nothing here decides or writes; positions are told to the cell
only for what is durable.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from payrail.domain.messages import EDGES
from payrail.runtime.actor import Actor, followed_by
from payrail.runtime.admission import DueItem, HandItem, Item, SpoolItem
from payrail.runtime.errands import NoErrands
from payrail.runtime.following import TURN_LINES, Following
from payrail.runtime.loop import Loop
from payrail.runtime.ports import Bell, Cell, Clock, Errands, Fs, Now
from payrail.storage.handfile import HandFile
from payrail.storage.spool import ROTATE_BYTES, ReadTo, SpoolReader, nowhere

#: Bytes taken from each sender in one turn: more makes convoys, less makes fsyncs. A share for
#: each keeps a flood from one of them from starving the others.
TURN_BYTES = 16 * 1024
#: Timers taken into one turn, and outcomes of errands.
TURN_TIMERS = 64
TURN_ERRANDS = 64
#: Bytes of a turn while a message is suspected of killing its reader: one line at a time.
SUSPECT_BYTES = 1


@dataclass(frozen=True, slots=True)
class World:
    """The ports that a driver lives on."""

    fs: Fs
    clock: Clock
    bell: Bell
    cell: Cell
    read_to: ReadTo = nowhere
    hint: Callable[[str], int] = lambda _sender: 0  # where our predecessor stood in a spool
    errands: Errands = field(default_factory=NoErrands)
    rotate_bytes: int = ROTATE_BYTES  # a drained spool of this size is moved away


class Intake:
    """The reading side of one incarnation."""

    def __init__(
        self,
        actor: Actor[Any],
        world: World,
        loop: Loop[Any],
        notes: list[tuple[str, Mapping[str, Any]]],
    ) -> None:
        self._name, self._world, self._loop, self._notes = actor.name, world, loop, notes
        self.batch_bytes = TURN_BYTES
        self._held: list[Item] = []  # edge lines that wait until the inner spools are read
        self._held_marks: list[int] = []
        self._timers: list[DueItem] = []  # due, and waiting until the spools are read
        self._timer_marks: list[int] = []
        self._readers = [self._reader(sender) for sender in _edges_first(actor.peers)]
        self._edges = [reader for reader in self._readers if reader.sender in EDGES]
        self._inner = [reader for reader in self._readers if reader.sender not in EDGES]
        follows = followed_by(actor)
        self._following = Following(world.fs, follows, loop.head.follows, notes)
        hand = loop.head.hand
        self._hand = HandFile(world.fs, actor.name, hand.generation, hand.offset, hand.digest)

    def _reader(self, sender: str) -> SpoolReader:
        reader = SpoolReader(self._world.fs, self._name, sender)
        head = self._loop.head
        epoch, n = head.edges.get(sender, (0, head.inner.get(sender, 0)))
        reader.start_behind(n, epoch, self._world.hint(sender))
        return reader

    @property
    def is_suspecting(self) -> bool:
        return self.batch_bytes == SUSPECT_BYTES

    def collect(self) -> list[Item]:
        """Inner lines before edge lines, then what came of errands, books and people's lines;
        timers last.

        Edges are read first and decided last, and only once the inner spools were read to the
        length that they then had: what an inner sender wrote before it let a client go on (a card
        that is known) is then always seen before that client's next question.
        """
        self._note_due()
        self._hold_edges()
        items = [item for reader in self._inner for item in self._lines(reader)]
        if self._held and self._are_read(self._inner, self._held_marks):
            items.extend(self._held)
            self._held = []
        items.extend(self._world.errands.finished(TURN_ERRANDS))
        items.extend(self._following.read(1 if self.is_suspecting else TURN_LINES))
        items.extend(self._by_hand())
        items.extend(self._due())
        return items

    def _hold_edges(self) -> None:
        if self._held:
            return
        self._held = [item for reader in self._edges for item in self._lines(reader)]
        if self._held:
            self._held_marks = _marks(self._inner)

    def _lines(self, reader: SpoolReader) -> list[Item]:
        return [SpoolItem(reader.sender, line) for line in reader.read(self.batch_bytes)]

    def _by_hand(self) -> list[Item]:
        try:
            return [HandItem(*line) for line in self._hand.read()]
        except OSError as error:  # people's file is no reason to keep others waiting
            self._notes.append(("hand.held", {"reason": error.strerror}))
            return []

    def _note_due(self) -> None:
        """Take timers that came due, and mark how far each spool was written at that time."""
        if self._timers:
            return
        self._timers = self._loop.alarms.due(self._world.clock.now(), TURN_TIMERS)
        if self._timers:
            self._timer_marks = _marks(self._readers)

    def _due(self) -> list[DueItem]:
        """Timers that came due, once every spool was read up to its mark."""
        if not self._timers or self._held or not self._are_read(self._readers, self._timer_marks):
            return []
        fired, self._timers = self._timers, []
        return fired

    def _are_read(self, readers: Sequence[SpoolReader], marks: Sequence[int]) -> bool:
        pairs = zip(readers, marks, strict=True)
        return all(reader.at_end or reader.taken_bytes >= mark for reader, mark in pairs)

    def anything_new(self) -> bool:
        """Whether somebody wrote since we last read; asked before a sleep."""
        for reader in self._readers:
            if reader.waiting_bytes():
                return True
        return self._following.has_news() or self._hand.has_news()

    @property
    def is_following(self) -> bool:
        """Whether books of others are read here: nobody rings for those."""
        return self._following.is_following

    def backlog_bytes(self) -> int:
        """What lies unread in our spools."""
        return sum(reader.waiting_bytes() for reader in self._readers)

    def next_due_ms(self, now: Now) -> int | None:
        """Milliseconds until the next timer; None without one."""
        return 0 if self._timers else self._loop.alarms.next_ms(now)

    @property
    def holds_nothing(self) -> bool:
        """Whether nothing was read, or came due, that was not yet given out."""
        return not self._held and not self._timers

    def tell_consumed(self) -> None:
        """Tell the cell how far each sender was read, as far as that is durable."""
        head = self._loop.head
        for reader in self._readers:
            epoch, n = head.edges.get(reader.sender, (0, head.inner.get(reader.sender, 0)))
            # A spool with a hole may not be moved away: its sender would not fill the hole again.
            # One with lines in hand may not either: they are not in our journal yet.
            open_end = reader.sender in self._loop.unhealed or self._held
            offset = 0 if open_end else reader.offset
            self._world.cell.consumed(reader.sender, n, offset, epoch)


def _marks(readers: Iterable[SpoolReader]) -> list[int]:
    """How far each of them will have read when it has seen all that is there now."""
    return [reader.taken_bytes + reader.waiting_bytes() for reader in readers]


def _edges_first(peers: Sequence[str]) -> list[str]:
    return sorted(peers, key=lambda name: name not in EDGES)
