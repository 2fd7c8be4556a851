"""A real actor between files: reads spools, feeds the loop, carries out its effects.

One turn is one bounded batch: read, decide, one journal write, one fsync, then everything else.
An `Fs` filling decides whether the files are real; nothing here knows.
Exits are errors: a failed write or fsync of the journal ends the incarnation (`JournalLost`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from msgspec import Raw

from payrail.domain.messages import EDGES
from payrail.errors import JournalLost, LineDamaged
from payrail.runtime import recovery
from payrail.runtime.actor import Actor, Message
from payrail.runtime.admission import DueItem, HandItem, Item, SpoolItem
from payrail.runtime.answering import reply_line
from payrail.runtime.deadletters import again, with_dead_letters
from payrail.runtime.effects import Answer, Effect, Keep, Post, Publish, Write
from payrail.runtime.head import DLQ, DeadRef
from payrail.runtime.loop import Loop
from payrail.runtime.ports import Bell, Cell, Clock, File, Fs, Now
from payrail.storage import documents
from payrail.storage.appender import Appender
from payrail.storage.handfile import HandFile
from payrail.storage.journal import StoredReply, Taken
from payrail.storage.spool import SpoolReader, SpoolWriter, last_sent

S = TypeVar("S")

#: Bytes taken from each sender in one turn: more makes convoys, less makes fsyncs. A share for
#: each keeps a flood from one of them from starving the others.
TURN_BYTES = 16 * 1024
#: Timers taken into one turn.
TURN_TIMERS = 64


@dataclass(frozen=True, slots=True)
class World:
    """The ports that a driver lives on."""

    fs: Fs
    clock: Clock
    bell: Bell
    cell: Cell
    drained: Callable[[str, str, int], bool] = lambda _receiver, _sender, _size: False
    hint: Callable[[str], int] = lambda _sender: 0  # where our predecessor stood in a spool


class Driver(Generic[S]):
    """One incarnation of one actor."""

    batch_bytes_full = TURN_BYTES

    def __init__(
        self,
        actor: Actor[S],
        world: World,
        *,
        poisoned: frozenset[str] = frozenset(),
        deaths: int = 0,
    ) -> None:
        self.actor, self.world = actor, world
        self.sinks: dict[str, Callable[[bytes], None]] = {}  # edges in our own process
        self.batch_bytes = TURN_BYTES
        self.notes: list[tuple[str, Mapping[str, Any]]] = []  # for the log
        self._pending: list[Effect] = []
        self._held: list[Item] = []  # edge lines that wait until the inner spools are read
        self._held_marks: list[int] = []
        self._timers: list[DueItem] = []  # due, and waiting until the spools are read
        self._timer_marks: list[int] = []
        self._open(poisoned, deaths)

    # Life: recover, work, wind down.

    def _open(self, poisoned: frozenset[str], deaths: int) -> None:
        actor, fs = self.actor, self.world.fs
        found = recovery.recover(actor, fs, last_sent=self._last_sent)
        if recovery.needs_full_fold(found):
            found = recovery.recover(actor, fs, last_sent=self._last_sent, trust_documents=False)
        self.found, head = found, found.head
        self.journal = self._journal(found)
        self._writers = {
            peer: SpoolWriter(fs, actor.name, peer, self.world.drained) for peer in actor.peers
        }
        self.loop = Loop(
            actor,
            found.state,
            head,
            self.world.cell,
            letters=self,
            poisoned=poisoned,
            deaths=deaths,
        )
        self._mend(found)
        self._readers = [self._reader(sender) for sender in _edges_first(actor.peers)]
        hand = head.hand
        self._hand = HandFile(fs, actor.name, hand.generation, hand.offset, hand.digest)
        self._documents_step = found.documents_step
        self._tell_consumed()

    def _journal(self, found: recovery.Recovered[S]) -> File:
        """The journal, with every byte that was folded durable. The first write of all."""
        journal = self.world.fs.open(recovery.journal_path(self.actor.name), create=True)
        try:
            recovery.make_durable_again(found, journal)
        except OSError as error:
            raise JournalLost(error, trust_lost=True) from error
        return journal

    def _mend(self, found: recovery.Recovered[S]) -> None:
        ident = f"{recovery.OPENED}:{found.head.epoch + 1}"
        cut = {"cut_bytes": found.found.cut_bytes}
        taken = Taken(
            from_=self.actor.name,
            id=ident,
            kind=recovery.OPENED,
            correlation_id=f"cor_{self.actor.name}_{found.head.epoch + 1}",
            line=Raw(b'{"cut_bytes":%d}' % found.found.cut_bytes),
        )
        effects = self.loop.open(taken, self.world.clock.now())
        self._durable(effects)
        for name, mend in found.books.items():
            if mend.mend():
                self.notes.append(("book.mended", {"path": mend.path, "line": mend.wrong_line}))
            found.books[name] = mend
        books = with_dead_letters(self.actor.name, self.actor.books)
        self._books = {
            name: Appender(self.world.fs, spec.path, durable_bytes=found.books[name].durable_bytes)
            for name, spec in books.items()
        }
        if found.found.cut_bytes:
            self.notes.append(("journal.cut", cut))
        self._pending = [*recovery.owed(found), *self.loop.synced()]
        self.flush()

    def _last_sent(self, receiver: str) -> int:
        return last_sent(self.world.fs, receiver, self.actor.name)

    def _reader(self, sender: str) -> SpoolReader:
        reader = SpoolReader(self.world.fs, self.actor.name, sender)
        head = self.loop.head
        epoch, n = head.edges.get(sender, (0, head.inner.get(sender, 0)))
        reader.start_behind(n, epoch, self.world.hint(sender))
        return reader

    def turn(self) -> bool:
        """Take one batch. True when there was anything to do. Raises JournalLost."""
        if self._pending and not self.flush():
            return False
        items = self.collect()
        if not items:
            return False
        effects = self.loop.take(items, self.world.clock.now())
        self._durable(effects)
        self._tell_consumed()
        self._pending = self.loop.synced()
        self.flush()
        return True

    def anything_new(self) -> bool:
        """Whether somebody wrote since we last read; asked before a sleep."""
        return any(reader.waiting_bytes() for reader in self._readers) or self._hand.has_news()

    def backlog_bytes(self) -> int:
        """What lies unread in our spools."""
        return sum(reader.waiting_bytes() for reader in self._readers)

    @property
    def blocked(self) -> bool:
        """A book or spool cannot be written: everything behind it waits."""
        return bool(self._pending)

    def collect(self) -> list[Item]:
        """Inner lines before edge lines, then people's; timers last.

        Edges are read first and decided last, and only once the inner spools were read to the
        length that they then had: what an inner sender wrote before it let a client go on (a card
        that is known) is then always seen before that client's next question.
        """
        self._note_due()
        self._hold_edges()
        inner = [reader for reader in self._readers if reader.sender not in EDGES]
        items = [item for reader in inner for item in self._lines(reader)]
        if self._held and self._are_read(inner, self._held_marks):
            items.extend(self._held)
            self._held = []
        items.extend(self._by_hand())
        items.extend(self._due())
        return items

    def _hold_edges(self) -> None:
        if self._held:
            return
        edges = [reader for reader in self._readers if reader.sender in EDGES]
        self._held = [item for reader in edges for item in self._lines(reader)]
        if self._held:
            self._held_marks = _marks(r for r in self._readers if r.sender not in EDGES)

    def _lines(self, reader: SpoolReader) -> list[Item]:
        return [SpoolItem(reader.sender, line) for line in reader.read(self.batch_bytes)]

    def _by_hand(self) -> list[Item]:
        try:
            return [HandItem(*line) for line in self._hand.read()]
        except OSError as error:  # people's file is no reason to keep others waiting
            self.notes.append(("hand.held", {"reason": error.strerror}))
            return []

    def _note_due(self) -> None:
        """Take timers that came due, and mark how far each spool was written at that time."""
        if self._timers:
            return
        self._timers = self.loop.alarms.due(self.world.clock.now(), TURN_TIMERS)
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

    def next_due_ms(self, now: Now) -> int | None:
        """Milliseconds until the next timer; None without one."""
        return 0 if self._timers else self.loop.alarms.next_ms(now)

    # Effects.

    def _durable(self, effects: list[Effect]) -> None:
        syncing = False
        try:
            for effect in effects:
                if isinstance(effect, Keep):
                    self.world.fs.replace(effect.path, effect.data)
                elif isinstance(effect, Write):
                    self.journal.pwrite(self.loop.head.size - len(effect.data), effect.data)
                    syncing = True
                    self.journal.sync()
        except OSError as error:
            raise JournalLost(error, trust_lost=syncing) from error

    def flush(self) -> bool:
        """Carry out what is pending, in order; False when the first of it cannot be written."""
        while self._pending:
            done = 1
            try:
                effect = self._pending[0]
                if isinstance(effect, Answer):
                    done = self._answer(effect.reply.to)
                else:
                    self._carry_out(effect)
            except OSError as error:
                self.notes.append(("effect.held", {"reason": error.strerror}))
                return False
            del self._pending[:done]
        return True

    def _carry_out(self, effect: Effect) -> None:
        if isinstance(effect, Post):
            self._books[effect.book].append(effect.data)
        elif isinstance(effect, Publish):
            self._publish(effect.receiver, effect.data)

    def _answer(self, edge: str) -> int:
        """Give the replies to one edge that stand first, in one write; result: how many."""
        replies = []
        for effect in self._pending:
            if not isinstance(effect, Answer) or effect.reply.to != edge:
                break
            replies.append(effect.reply)
        lines = [line for reply in replies if (line := self._reply_line(reply)) is not None]
        sink = self.sinks.get(edge)
        if sink is not None:
            for line in lines:
                sink(line)
        elif lines:
            self._publish(edge, b"\n".join(lines) + b"\n")
        return len(replies)

    def _reply_line(self, reply: StoredReply) -> bytes | None:
        """None for a reply that cannot be made: lost, as any may be, and its asker asks again."""
        try:
            return reply_line(self.actor.name, reply, self.journal, self.world.clock.now())
        except LineDamaged as error:
            self.notes.append(("reply.lost", {"re": reply.re, "reason": str(error)}))
            return None

    def _publish(self, receiver: str, data: bytes) -> None:
        self._writers[receiver].append(data)
        self.world.bell.ring(receiver)

    def _tell_consumed(self) -> None:
        head = self.loop.head
        for reader in self._readers:
            n = head.edges[reader.sender][1] if reader.sender in head.edges else 0
            # A spool with a hole may not be moved away: its sender would not fill the hole again.
            # One with lines in hand may not either: they are not in our journal yet.
            open_end = reader.sender in self.loop.unhealed or self._held
            offset = 0 if open_end else reader.offset
            self.world.cell.consumed(reader.sender, head.inner.get(reader.sender, n), offset)

    # Documents.

    @property
    def steps_since_documents(self) -> int:
        return self.loop.head.step - self._documents_step

    def write_documents(self) -> None:
        """Snapshot the actor: everything it wrote durable first, then the files, then their names
        in the journal. Nothing while anything waits to be written: the snapshot would promise it.
        Raises JournalLost; OSError leaves the old documents or none, both fine."""
        if not self.flush():
            return
        for spool in self._writers.values():
            spool.sync()
        for book in self._books.values():
            book.sync()
        head = self.loop.head
        content = self.actor.documents(self.loop.state)
        files = {
            path: documents.rendered(fields, head.step, head.hash)
            for path, fields in {
                recovery.head_path(self.actor.name): recovery.head_document(head),
                **content,
            }.items()
        }
        names = documents.named(files, head.step, head.hash, head.size)
        for path, data in files.items():
            self.world.fs.replace(path, data)
        self._documents_step = head.step + 1
        taken = Taken(
            from_=self.actor.name,
            id=f"{recovery.DOCUMENTS}:{head.step}",
            kind=recovery.DOCUMENTS,
            line=documents.as_raw(names),
        )
        self._durable(self.loop.note(taken, self.world.clock.now()))
        self._pending.extend(self.loop.synced())

    # Dead letters are read back for a replay.

    def message(self, ref: DeadRef, by: Message) -> Message | None:
        line = self._books[DLQ].file.pread(ref.offset, ref.size)
        return again(line, by) if line else None


def _marks(readers: Iterable[SpoolReader]) -> list[int]:
    """How far each of them will have read when it has seen all that is there now."""
    return [reader.taken_bytes + reader.waiting_bytes() for reader in readers]


def _edges_first(peers: Any) -> list[str]:
    return sorted(peers, key=lambda name: name not in EDGES)
