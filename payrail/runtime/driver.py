"""A real actor between files: reads spools, feeds the loop, carries out its effects.

One turn is one bounded batch: read, decide, one journal write, one fsync, then everything else.
An `Fs` filling decides whether the files are real; nothing here knows.
Exits are errors: a failed write or fsync of the journal ends the incarnation (`JournalLost`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from msgspec import Raw

from payrail.domain.messages import EDGES
from payrail.errors import PayRailError
from payrail.runtime import recovery
from payrail.runtime.actor import Actor, Message
from payrail.runtime.admission import DueItem, HandItem, Item, SpoolItem
from payrail.runtime.answering import reply_line
from payrail.runtime.deadletters import again, with_dead_letters
from payrail.runtime.effects import Answer, Effect, Keep, Post, Publish, Write
from payrail.runtime.head import DLQ, DeadRef
from payrail.runtime.loop import Loop
from payrail.runtime.ports import Bell, Cell, Clock, Fs, Now
from payrail.storage import documents
from payrail.storage.appender import Appender
from payrail.storage.handfile import HandFile
from payrail.storage.journal import Taken
from payrail.storage.spool import SpoolReader, SpoolWriter

S = TypeVar("S")

#: Bytes taken into one turn: more makes convoys, less makes fsyncs.
TURN_BYTES = 32 * 1024
#: Timers taken into one turn.
TURN_TIMERS = 64


class JournalLost(PayRailError):
    """The journal could not be written or made durable: this incarnation knows too much. `synced`
    tells whether the fsync itself failed (then nothing may be trusted: exit 74, else 75)."""

    def __init__(self, cause: OSError, *, synced: bool) -> None:
        super().__init__(f"journal: {cause.strerror}")
        self.synced = synced


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
        self._open(poisoned, deaths)

    # Life: recover, work, wind down.

    def _open(self, poisoned: frozenset[str], deaths: int) -> None:
        actor, fs = self.actor, self.world.fs
        self._writers = {
            peer: SpoolWriter(fs, actor.name, peer, self.world.drained) for peer in actor.peers
        }
        found = recovery.recover(actor, fs, last_sent=self._last_sent)
        if recovery.needs_full_fold(found):
            found = recovery.recover(actor, fs, last_sent=self._last_sent, trust_documents=False)
        self.found = found
        recovery.make_durable_again(found)
        self.journal, head = found.journal, found.head
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
        self._readers = [self._reader(sender) for sender in _inner_first(actor.peers)]
        hand = head.hand
        self._hand = HandFile(fs, actor.name, hand.generation, hand.offset, hand.digest)
        self._documents_step = found.documents_step

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
        self._books = {name: Appender(self.world.fs, spec.path) for name, spec in books.items()}
        if found.found.cut_bytes:
            self.notes.append(("journal.cut", cut))
        self._pending = [*recovery.owed(found), *self.loop.synced()]
        self.flush()

    def _last_sent(self, receiver: str) -> int:
        return self._writers[receiver].last_n() if receiver in self._writers else 0

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

    @property
    def blocked(self) -> bool:
        """A book or spool cannot be written: everything behind it waits."""
        return bool(self._pending)

    def collect(self) -> list[Item]:
        """Inner lines before edge lines, then people's, then timers if nothing was left unread."""
        items: list[Item] = []
        budget = self.batch_bytes
        drained = True
        for reader in self._readers:
            lines = reader.read(max(1024, budget)) if budget > 0 else []
            drained = drained and budget > 0
            budget -= sum(map(len, lines))
            items.extend(SpoolItem(reader.sender, line) for line in lines)
        if self.world.fs.size(self._hand.path) != self._hand.offset:
            items.extend(HandItem(*line) for line in self._hand.read())
        if drained and budget > 0:
            items.extend(self._due())
        if budget <= 0:  # whoever filled this turn is read last in the next
            self._readers.append(self._readers.pop(0))
        return items

    def _due(self) -> list[Item]:
        now = self.world.clock.now()
        due = [
            (timer.due_ms, name)
            for name, timer in self.loop.head.timers.items()
            if timer.due_ms <= (now.business_ms if timer.business else now.wire_ms)
        ]
        return [DueItem(name) for _, name in sorted(due)[:TURN_TIMERS]]

    def next_due_ms(self, now: Now) -> int | None:
        """Milliseconds until the next timer; None without one."""
        waits = [
            timer.due_ms - (now.business_ms if timer.business else now.wire_ms)
            for timer in self.loop.head.timers.values()
        ]
        return max(0, min(waits)) if waits else None

    # Effects.

    def _durable(self, effects: list[Effect]) -> None:
        synced = True
        try:
            for effect in effects:
                if isinstance(effect, Keep):
                    self.world.fs.replace(effect.path, effect.data)
                elif isinstance(effect, Write):
                    self.journal.pwrite(self.loop.head.size - len(effect.data), effect.data)
                    synced = False
                    self.journal.sync()
        except OSError as error:
            raise JournalLost(error, synced=not synced) from error

    def flush(self) -> bool:
        """Carry out what is pending, in order; False when the first of it cannot be written."""
        while self._pending:
            try:
                self._carry_out(self._pending[0])
            except OSError as error:
                self.notes.append(("effect.held", {"reason": error.strerror}))
                return False
            self._pending.pop(0)
        return True

    def _carry_out(self, effect: Effect) -> None:
        if isinstance(effect, Post):
            self._books[effect.book].append(effect.data)
        elif isinstance(effect, Publish):
            self._publish(effect.receiver, effect.data)
        elif isinstance(effect, Answer):
            line = reply_line(self.actor.name, effect.reply, self.journal, self.world.clock.now())
            sink = self.sinks.get(effect.reply.to)
            if sink is not None:
                sink(line)
            else:
                self._publish(effect.reply.to, line + b"\n")

    def _publish(self, receiver: str, data: bytes) -> None:
        self._writers[receiver].append(data)
        self.world.bell.ring(receiver)

    def _tell_consumed(self) -> None:
        head = self.loop.head
        for reader in self._readers:
            n = head.edges[reader.sender][1] if reader.sender in head.edges else 0
            self.world.cell.consumed(reader.sender, head.inner.get(reader.sender, n), reader.offset)

    # Documents.

    @property
    def steps_since_documents(self) -> int:
        return self.loop.head.step - self._documents_step

    def write_documents(self) -> None:
        """Snapshot the actor: everything it wrote durable first, then the files, then their names
        in the journal. Raises JournalLost; OSError leaves the old documents or none, both fine."""
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


def _inner_first(peers: Any) -> list[str]:
    return sorted(peers, key=lambda name: (name in EDGES, name))
