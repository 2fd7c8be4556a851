"""An edge: where questions from outside enter a mailbox and their replies come back.

An edge decides nothing and has no steps, only a journal of its epochs. Its lines are ordered by
(epoch, n); the receiver journals them whole. A question stays open until its reply arrives, its
time is over, or the receiver comes back with a higher epoch: then it is asked again under the same
name, and the receiver's idempotency makes that harmless.
503 means that nothing was written; 504 that it may still happen and the same key will tell.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec
from msgspec import Struct

from payrail.domain.messages import ReplyLine
from payrail.domain.timestamps import iso
from payrail.errors import Behind, RequestError
from payrail.runtime.drafting import envelope_line
from payrail.runtime.ports import Bell, Clock, Fs
from payrail.storage.journal import JournalLine, Taken, extent, journal_bytes
from payrail.storage.lines import encode, is_whole
from payrail.storage.spool import (
    ReadSoFar,
    ReadTo,
    SpoolReader,
    SpoolWriter,
    last_epoch,
    nowhere,
    spool_path,
)

#: Questions open at once before new ones are refused.
OPEN_MAX = 2_000
#: Age of the oldest open question at which new ones to that receiver are refused.
OLDEST_MS_MAX = 8_000
#: Bytes of replies read in one go.
READ_BYTES = 256 * 1024

decode_reply = msgspec.json.Decoder(ReplyLine).decode


@dataclass(slots=True)
class Question:
    """One open question: what it takes to ask it again."""

    receiver: str
    kind: str
    body: bytes
    key: str | None
    correlation_id: str
    asked_ms: int
    deadline_ms: int  # in wall time, which it shares with the receiver
    epoch: int  # the receiver's, when it was asked
    answer: asyncio.Future[ReplyLine]
    n: int = 0  # of the line in which it was asked last
    is_written: bool = False  # a line of it is in the receiver's mailbox


def open_epoch(fs: Fs, clock: Clock, name: str, receivers: Sequence[str] = ()) -> int:
    """Journal the next epoch of an edge, durable before its first line. Raises Corrupt; Behind
    when a receiver holds lines of an epoch that the journal does not know: under an epoch that
    was used, new lines would pass for old ones, and old replies for new."""
    journal = fs.open(f"data/actors/{name}/journal.jsonl", create=True)
    try:
        data = journal.pread(0, journal.size())
        found = extent(f"data/actors/{name}/journal.jsonl", data)
        _refuse_behind(fs, name, receivers, found.last_step)
        epoch = found.last_step + 1
        line = JournalLine(
            s=epoch,
            epoch=epoch,
            at=iso(clock.now().wire_ms),
            dur=found.last_step,
            in_=Taken(from_=name, id=f"opened:{epoch}", kind="opened"),
            events=[],
            books=[],
            out=[],
            timers=[],
            replies=[],
            prev=found.last_hash,
            hash="",
        )
        doubtful = data[found.doubtful : found.end]
        journal.pwrite(found.doubtful, doubtful + journal_bytes(line) + b"\n")
        journal.truncate(found.doubtful + len(doubtful) + len(journal_bytes(line)) + 1)
        journal.sync()
        return epoch
    finally:
        journal.close()


def _refuse_behind(fs: Fs, name: str, receivers: Sequence[str], epoch: int) -> None:
    for receiver in receivers:
        there = last_epoch(fs, receiver, name)
        if there > epoch:
            text = f"holds lines of our epoch {there}, we know of {epoch}"
            raise Behind(spool_path(receiver, name), text)


class Watch(Protocol):
    """What an edge may know of its receivers: hints, from their cells."""

    def epoch(self, receiver: str) -> int:
        """Which incarnation it is in."""

    def consumed(self, receiver: str) -> tuple[int, int]:
        """Epoch and `n` of the last of our lines that it has taken, and made durable that it
        did."""

    def blocked(self, receiver: str) -> bool:
        """Whether its books cannot be written: it answers nobody before they are."""


class Unwatched:
    """For a receiver in our own process, which lives and dies with us."""

    def epoch(self, receiver: str) -> int:
        del receiver
        return 0

    def consumed(self, receiver: str) -> tuple[int, int]:
        del receiver
        return 0, 0

    def blocked(self, receiver: str) -> bool:
        del receiver
        return False


class Edge:
    """The asking side of one edge in one process."""

    def __init__(
        self,
        name: str,
        fs: Fs,
        clock: Clock,
        bell: Bell,
        receivers: Sequence[str],
        *,
        watch: Watch | None = None,
        read_to: ReadTo = nowhere,
    ) -> None:
        self.name, self._clock, self._bell = name, clock, bell
        self.epoch = open_epoch(fs, clock, name, receivers)
        self._watch: Watch = watch or Unwatched()
        self._writers = {to: SpoolWriter(fs, name, to, read_to) for to in receivers}
        self._readers = [SpoolReader(fs, name, to, _size(fs, name, to)) for to in receivers]
        self._n = dict.fromkeys(receivers, 0)
        self._asked = 0
        self._open: dict[str, Question] = {}
        self._unsent: dict[str, list[tuple[Question, bytes]]] = {}

    @property
    def open_questions(self) -> int:
        return len(self._open)

    def oldest_ms(self, receiver: str) -> int:
        """Age of the oldest open question to `receiver`; 0 without one."""
        now = self._clock.monotonic_ms()
        asked = (q.asked_ms for q in self._open.values() if q.receiver == receiver)
        return now - min(asked, default=now)

    async def ask(
        self,
        receiver: str,
        kind: str,
        body: Struct,
        *,
        correlation_id: str,
        budget_ms: int,
        key: str | None = None,
    ) -> ReplyLine:
        """Ask and wait for the reply. Raises RequestError: 503 `overloaded` when nothing was
        written, 504 when the budget is over and it may still happen."""
        self._refuse_overload(receiver)
        self._asked += 1
        request = f"{self.epoch}.{self._asked}"
        question = Question(
            receiver,
            kind,
            encode(body),
            key,
            correlation_id,
            self._clock.monotonic_ms(),
            self._clock.now().wall_ms + budget_ms,
            self._watch.epoch(receiver),
            asyncio.get_running_loop().create_future(),
        )
        self._open[request] = question
        self._send(request, question)
        try:
            async with asyncio.timeout(budget_ms / 1000):
                return await question.answer
        except TimeoutError:
            what = "no answer in time; it may still happen, ask again with the same key"
            raise _refusal(what, 504) from None
        finally:
            self._open.pop(request, None)

    def _refuse_overload(self, receiver: str) -> None:
        if self._watch.blocked(receiver):
            raise _refusal(f"{receiver} cannot write its files; nothing was written, try again")
        if len(self._open) < OPEN_MAX and self._young_enough(receiver):
            return
        raise _refusal(f"too much is waiting for {receiver}; nothing was written, try again")

    def _young_enough(self, receiver: str) -> bool:
        if not self._open:
            return True
        oldest = next(iter(self._open.values()))  # asked in order: the first is the oldest
        waited_ms = self._clock.monotonic_ms() - oldest.asked_ms
        return waited_ms < OLDEST_MS_MAX or self.oldest_ms(receiver) < OLDEST_MS_MAX

    def _send(self, request: str, question: Question) -> None:
        receiver = question.receiver
        self._n[receiver] += 1
        question.n = self._n[receiver]
        line = envelope_line(
            sender=self.name,
            receiver=receiver,
            n=self._n[receiver],
            epoch=self.epoch,
            step=0,
            chain="",
            kind=question.kind,
            key=question.key,
            correlation_id=question.correlation_id,
            causation_id=None,
            reply_to=request,
            sent_at_ms=self._clock.now().wire_ms,
            deadline_ms=question.deadline_ms,
            body=question.body,
        )
        if not self._unsent:
            asyncio.get_running_loop().call_soon(self._flush)
        self._unsent.setdefault(receiver, []).append((question, line))

    def _flush(self) -> None:
        """One write per receiver for all questions of this turn of the event loop."""
        unsent, self._unsent = self._unsent, {}
        for receiver, asked in unsent.items():
            try:
                self._writers[receiver].append(b"".join(line + b"\n" for _, line in asked))
            except OSError as error:
                self._fail([question for question, _ in asked], error)
            else:
                for question, _ in asked:
                    question.is_written = True
                self._bell.ring(receiver)

    def _fail(self, questions: Sequence[Question], error: OSError) -> None:
        """Answer those whose lines could not be written, and nobody else. Once any byte of them
        is there, a whole line may be among them."""
        landed = self._writers[questions[0].receiver].has_landed()
        for question in questions:
            if not question.answer.done():
                question.answer.set_exception(
                    _unwritten(question, error, may_happen=landed or question.is_written)
                )

    def take_replies(self) -> bool:
        """Read what came back and answer whoever still waits. True when there was anything."""
        found = False
        for reader in self._readers:
            for line in reader.read(READ_BYTES):
                found = True
                if is_whole(line):
                    self.give(line)
        return found

    def anything_new(self) -> bool:
        """Whether somebody replied since we last read; asked before a sleep."""
        return any(reader.waiting_bytes() for reader in self._readers)

    def positions(self) -> list[tuple[str, ReadSoFar]]:
        """How far the replies of each sender were read: a sender may move what lies before."""
        return [(reader.sender, reader.place_among_replies) for reader in self._readers]

    def give(self, line: bytes) -> None:
        """Hand one reply line to its question; nobody may be waiting any more, and a line that is
        no reply was put there by somebody else."""
        try:
            reply = decode_reply(line)
        except (msgspec.MsgspecError, ValueError):
            return
        question = self._open.get(reply.re)
        if question is not None and not question.answer.done():
            question.answer.set_result(reply)

    def ask_again(self) -> int:
        """Repeat open questions that a receiver, reborn since, took but may not have answered.

        One that it has not taken yet still lies in its mailbox: repeating that would only let a
        message that kills its reader come back under new names. Result: how many.
        """
        again = 0
        for request, question in self._open.items():
            epoch = self._watch.epoch(question.receiver)
            taken = self._watch.consumed(question.receiver) >= (self.epoch, question.n)
            if epoch > question.epoch and taken:
                question.epoch = epoch
                self._send(request, question)
                again += 1
        return again


def _size(fs: Fs, edge: str, sender: str) -> int:
    return fs.size(f"mailboxes/{edge}/{sender}.jsonl")


def _unwritten(question: Question, error: OSError, *, may_happen: bool) -> RequestError:
    what = f"cannot write to {question.receiver}: {error.strerror or 'short write'}"
    if may_happen:
        what += "; it may still happen, ask again with the same key"
    return _refusal(what, 504 if may_happen else 503)


def _refusal(what: str, status: int = 503) -> RequestError:
    """503: nothing was written. 504: it may still happen. Both are worth another try."""
    again = {"Retry-After": "1"}
    return RequestError(status, "overloaded", what, retryable=True, headers=again)
