"""An actor between files: what it takes in goes through the loop, what follows is carried out.

One turn is one bounded batch: read, decide, one journal write, one fsync, then everything else.
An `Fs` filling decides whether the files are real; nothing here knows.
Exits are errors: a failed write of the journal, or a failed fsync of any file, ends the incarnation
(`JournalLost`).
"""

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from msgspec import Raw

from payrail.errors import JournalLost, LineDamaged
from payrail.runtime import recovery
from payrail.runtime.actor import Actor, Message
from payrail.runtime.answering import reply_line
from payrail.runtime.deadletters import again, with_dead_letters
from payrail.runtime.effects import Answer, Effect, Keep, Post, Publish, Run, Show, Write
from payrail.runtime.head import DLQ, DeadRef
from payrail.runtime.intake import Intake, World
from payrail.runtime.loop import Loop
from payrail.runtime.ports import File
from payrail.runtime.scrub import AT_ONCE_BYTES, Scrub
from payrail.storage import documents
from payrail.storage.appender import Appender, EditedAppender
from payrail.storage.journal import StoredReply, Taken
from payrail.storage.spool import SpoolWriter, last_sent

S = TypeVar("S")


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
        self.notes: list[tuple[str, Mapping[str, Any]]] = []  # for the log
        self._pending: list[Effect] = []
        self._open(poisoned, deaths)

    # Life: recover, work, wind down.

    def _open(self, poisoned: frozenset[str], deaths: int) -> None:
        actor, world, fs = self.actor, self.world, self.world.fs
        found = recovery.recover(actor, fs, last_sent=self._last_sent)
        if recovery.needs_full_fold(found):
            found = recovery.recover(actor, fs, last_sent=self._last_sent, trust_documents=False)
        self.found, head = found, found.head
        self.world.clock.not_before(head.at_ms, head.business_ms)
        self.scrub = Scrub(fs, found.skipped)
        self.scrub.run(AT_ONCE_BYTES)  # before the first write: what is damaged halts
        self.journal = self._journal(found)
        self._writers = {
            peer: SpoolWriter(fs, actor.name, peer, world.read_to, rotate_bytes=world.rotate_bytes)
            for peer in actor.peers
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
        self.intake = Intake(actor, self.world, self.loop, self.notes)
        self._documents_step = found.documents_step
        self.intake.tell_consumed()

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
            name: (EditedAppender if spec.edited else Appender)(
                self.world.fs, spec.path, durable_bytes=found.books[name].durable_bytes
            )
            for name, spec in books.items()
        }
        if found.found.cut_bytes:
            self.notes.append(("journal.cut", cut))
        self._pending = [*recovery.owed(found), *self.loop.synced()]
        self.flush()

    def _last_sent(self, receiver: str) -> int:
        return last_sent(self.world.fs, receiver, self.actor.name)

    def turn(self) -> bool:
        """Take one batch. True when there was anything to do. Raises JournalLost."""
        if self._pending and not self.flush():
            return False
        items = self.intake.collect()
        if not items:
            return False
        self.world.clock.look()
        effects = self.loop.take(items, self.world.clock.now())
        self._durable(effects)
        self.intake.tell_consumed()
        self._pending = self.loop.synced()
        self.flush()
        self._write_wanted()
        return True

    @property
    def blocked(self) -> bool:
        """A book or spool cannot be written: everything behind it waits."""
        return bool(self._pending)

    @property
    def is_at_rest(self) -> bool:
        """After a turn that found nothing: whether nothing waits to be written or decided."""
        return not self._pending and self.intake.holds_nothing

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
        elif isinstance(effect, Show):
            self.world.fs.replace(effect.path, effect.data)
        elif isinstance(effect, Run):
            self.world.errands.start(effect.errand)

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
            now, letters = self.world.clock.now(), self._books[DLQ].file
            return reply_line(self.actor.name, reply, self.journal, letters, now)
        except LineDamaged as error:
            self.notes.append(("reply.lost", {"re": reply.re, "reason": str(error)}))
            return None

    def _publish(self, receiver: str, data: bytes) -> None:
        self._writers[receiver].append(data)
        self.world.bell.ring(receiver)

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
        self._sync_derived()
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

    def _write_wanted(self) -> None:
        """A snapshot that a step asked for, before anything more is decided. One that cannot be
        written is not tried again by itself: whoever asked will look for it."""
        if not self.loop.wants_documents or self._pending:
            return
        self.loop.wants_documents = False
        try:
            self.write_documents()
            self.flush()
        except OSError as error:
            self.notes.append(("documents.held", {"reason": error.strerror}))

    def _sync_derived(self) -> None:
        """Books and spools. After a failed sync what can be read of them may be the old bytes, with
        holes for the new ones: only the next start, which compares them with the journal, can say
        what must be written again."""
        try:
            for spool in self._writers.values():
                spool.sync()
            for book in self._books.values():
                book.sync()
        except OSError as error:
            raise JournalLost(error, trust_lost=False) from error

    # Dead letters are read back for a replay.

    def message(self, ref: DeadRef, by: Message) -> Message | None:
        line = self._books[DLQ].file.pread(ref.offset, ref.size)
        return again(line, by) if line else None
