"""The loop of an actor, without I/O: lines in, effects out.

`take` decides a batch, folds it and asks for one `Write`; only `synced`, called when the fsync of
that write returned, hands out what may be seen by others. A driver that never says `synced` has
told nobody anything. Real and simulated drivers are a page each; see `payrail.runtime.driver`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Generic, TypeVar

import msgspec

from payrail.domain.messages import Ping
from payrail.domain.problems import refusal_fields
from payrail.errors import PayRailError, ReplayRefused, RequestError
from payrail.runtime import deadletters as dead
from payrail.runtime.actor import Actor, Errand, Message, Moment, Note, Step, answer
from payrail.runtime.admission import (
    Admitted,
    DoneItem,
    DueItem,
    HandItem,
    Item,
    Passed,
    Refused,
    SpoolItem,
    admit_done,
    admit_due,
    admit_hand,
    admit_read,
    admit_spool,
)
from payrail.runtime.alarms import Alarms
from payrail.runtime.drafting import draft_step
from payrail.runtime.effects import Answer, Effect, Keep, Post, Publish, Run, Show, Write
from payrail.runtime.head import DLQ, Head, decode_out, fold
from payrail.runtime.ports import Cell, Now
from payrail.runtime.reports import Batch
from payrail.storage.journal import JournalLine, Taken
from payrail.storage.lines import encode

S = TypeVar("S")

#: What may be done instead with a letter that holds nothing to do again.
_LEGAL = {"legal": ["drop"]}
#: The runtime's own kinds: handled here for every actor, never seen by `decide`.
RUNTIME_KINDS = frozenset({"ping", "dlq.replay", "dlq.drop"})


class Loop(Generic[S]):
    """One incarnation of one actor between recovery and its end."""

    def __init__(
        self,
        actor: Actor[S],
        state: S,
        head: Head,
        cell: Cell,
        *,
        letters: dead.Letters | None = None,
        poisoned: frozenset[str] = frozenset(),
        deaths: int = 0,
    ) -> None:
        self.actor, self.state, self.head, self.cell = actor, state, head, cell
        self.books = dead.with_dead_letters(actor.name, actor.books)
        self.letters = letters or dead.NoLetters()
        self.alarms = Alarms(head.timers)
        self.durable = head.step
        self.unhealed: set[str] = set()  # senders of whom a line was passed over and not yet seen
        self.gaps: dict[str, int] = {}
        self.faults: list[BaseException] = []
        self.told: list[dict[str, Any]] = []  # what the last batch did, for the log
        self.noted: list[tuple[Note, str]] = []  # facts, to be logged once durable
        self.counted = Batch()  # the same for the metrics
        self._poisoned, self._deaths = poisoned, deaths
        self._wall_ms = 0
        self._keep: list[Keep] = []
        self._lines: list[bytes] = []
        self._after: list[JournalLine] = []
        self._shows: dict[str, Show] = {}  # by path: of a batch, the last one counts
        self._errands: list[Errand] = []
        self.wants_documents = False  # somebody decided so since they were written last

    def open(self, taken: Taken, now: Now) -> list[Effect]:
        """The first step of an incarnation: the next epoch, and what the actor wants before it
        serves."""
        self.head.epoch += 1
        self._wall_ms = now.wall_ms
        moment = self._moment(now)
        self._journal(taken, self.actor.opened(self.state, moment), moment)
        return self._written()

    def take(self, items: Iterable[Item], now: Now) -> list[Effect]:
        """Decide each item in turn. Result: what must be durable before anything is told."""
        self.told, self.counted = [], Batch()
        self._wall_ms = now.wall_ms
        for item in items:
            self._one(item, now)
        return self._written()

    @property
    def batch_steps(self) -> int:
        """Steps of the last batch."""
        return len(self.told)

    def note(self, taken: Taken, now: Now) -> list[Effect]:
        """A step of the runtime itself: it decides nothing, but stands in the chain."""
        self._journal(taken, Step(), self._moment(now))
        return self._written()

    def synced(self) -> list[Effect]:
        """The batch is durable: books first, then views, messages, replies, and errands last."""
        self.durable = self.head.step
        after, self._after = self._after, []
        shows, self._shows = list(self._shows.values()), {}
        errands, self._errands = self._errands, []
        runs = [Run(errand) for errand in errands]
        return [*_posts(after), *shows, *_publishes(after), *_answers(after), *runs]

    def _written(self) -> list[Effect]:
        lines, self._lines = self._lines, []
        keep, self._keep = self._keep, []
        if not lines:
            return []
        return [*keep, Write(b"\n".join(lines) + b"\n")]

    def _moment(self, now: Now) -> Moment:
        wire_ms = max(now.wire_ms, self.head.at_ms)
        business_ms = max(wire_ms + now.business_ms - now.wire_ms, self.head.business_ms)
        head = self.head
        return Moment(wire_ms, business_ms, self.actor.name, head.step + 1, head.size)

    def _one(self, item: Item, now: Now) -> None:
        admitted = self._admit(item)
        if isinstance(admitted, Passed):
            self._pass_over(admitted, item)
            return
        if isinstance(item, SpoolItem):
            self.unhealed.discard(item.sender)
        moment = self._moment(now)
        sent_ms = admitted.sent_ms if isinstance(admitted, Admitted) else 0
        self.counted.took(sent_ms or moment.wire_ms)
        if isinstance(admitted, Refused):
            self._refuse(admitted, moment)
        elif admitted.message.id in self._poisoned:
            self._bury(admitted, moment)
        else:
            self._decide(admitted, moment)

    def _pass_over(self, passed: Passed, item: Item) -> None:
        if not isinstance(item, SpoolItem) or not (passed.gap or passed.damaged):
            return
        self.unhealed.add(item.sender)
        if passed.gap:
            self.gaps[item.sender] = self.gaps.get(item.sender, 0) + 1

    def _admit(self, item: Item) -> Admitted | Refused | Passed:
        if isinstance(item, SpoolItem):
            return admit_spool(item, self.head, self.actor.name)
        if isinstance(item, HandItem):
            return admit_hand(item, self.actor.name)
        if isinstance(item, DueItem):
            return admit_due(item, self.head)
        return admit_done(item) if isinstance(item, DoneItem) else admit_read(item)

    def _decide(self, admitted: Admitted, moment: Moment) -> None:
        self.cell.mark(admitted.message.id)
        try:
            step, taken = self._decided(admitted, moment)
            self._journal(taken, step, moment)
        except Unhandled as fault:
            self.faults.append(fault.cause)
            step = dead.decide_error(self.actor.name, admitted, fault.cause, moment)
            self._journal(admitted.taken, step, moment)
        self.cell.mark(None)

    def _decided(self, admitted: Admitted, moment: Moment) -> tuple[Step, Taken]:
        message = admitted.message
        try:
            if message.kind in RUNTIME_KINDS:
                return self._runtime(admitted, moment)
            if _too_late(message, self._wall_ms):
                return _answered(message, _expired(message)), admitted.taken
            message = _on_our_clock(message, moment.wire_ms - self._wall_ms)
            return self.actor.decide(self.state, message, moment), admitted.taken
        except RequestError as refusal:
            if isinstance(refusal, ReplayRefused) and message.dead_since_ms is not None:
                raise  # to whoever replays; the letter stays open
            return _answered(message, refusal), admitted.taken
        except Unhandled:
            raise
        except Exception as fault:
            raise Unhandled(fault) from fault

    def _runtime(self, admitted: Admitted, moment: Moment) -> tuple[Step, Taken]:
        taken, message = admitted.taken, admitted.message
        if isinstance(message.body, Ping):
            body = {"actor": self.actor.name, "epoch": self.head.epoch, "note": message.body.note}
            return _replied(message, 200, body), taken
        dead_id = message.body.id
        known = dead_id in self.head.dead
        closing = msgspec.structs.replace(taken, about=dead_id if known else "")
        if message.kind == "dlq.drop" or not known:
            return _replied(message, 200, {"id": dead_id, "closed": known}), closing
        return self._replay(closing, message, moment)

    def _replay(self, taken: Taken, message: Message, moment: Moment) -> tuple[Step, Taken]:
        original = self._letter(message)
        try:
            step, _ = self._decided(Admitted(taken, original, taken.line), moment)
        except Unhandled as fault:  # the letter stays open; a second one would tell nothing new
            self.faults.append(fault.cause)
            detail = f"it failed again: {type(fault.cause).__name__}"
            raise RequestError(500, "internal-error", detail) from fault
        step.replies.extend(_replied(message, 200, {"id": message.body.id, "closed": True}).replies)
        return step, taken

    def _letter(self, message: Message) -> Message:
        """The message of the dead letter that `message` names. Raises RequestError."""
        try:
            found = self.letters.message(self.head.dead[message.body.id], message)
        except (PayRailError, msgspec.MsgspecError, LookupError) as fault:
            detail = "its message does not fit what this actor understands"
            raise RequestError(409, "illegal-transition", detail, extra=_LEGAL) from fault
        if found is None:
            detail = "this dead letter holds no message"
            raise RequestError(409, "illegal-transition", detail, extra=_LEGAL)
        return found

    def _refuse(self, refused: Refused, moment: Moment) -> None:
        step, keep = dead.refusal(self.actor.name, refused, moment)
        self._keep.extend(keep)
        self._journal(refused.taken, step, moment)

    def _bury(self, admitted: Admitted, moment: Moment) -> None:
        """The message has killed its reader too often: a dead letter, without deciding it."""
        step = dead.crash_loop(self.actor.name, admitted, self._deaths, moment)
        self._journal(admitted.taken, step, moment)

    def _journal(self, taken: Taken, step: Step, moment: Moment) -> None:
        try:
            _must_be_known(self.actor.peers, step)
            written, line = draft_step(
                self.head,
                self.books,
                taken,
                step,
                moment,
                durable=self.durable,
                wall_ms=self._wall_ms,
            )
            shows = [Show(show.path, encode(show.data) + b"\n") for show in step.shows]
        except Exception as fault:
            raise Unhandled(fault) from fault
        self._shows.update((show.path, show) for show in shows)
        self._errands.extend(step.errands)
        self.wants_documents |= step.documents
        self.noted.extend((note, taken.correlation_id) for note in step.notes)
        self.counted.retries += step.retries
        self.counted.errors += step.errors + sum(post.book == DLQ for post in step.posts)
        for event in step.events:
            self.actor.apply(self.state, event)
        for post in step.posts:
            if post.book != DLQ:
                self.actor.apply(self.state, post.record)
        fold(self.head, line, len(written) + 1, self.books)
        for timer in line.timers:
            if timer.set in self.head.timers:
                self.alarms.add(timer.set)
        self._lines.append(written)
        self._after.append(line)
        self.told.append(
            {
                "step": line.s,
                "message": taken.id,
                "kind": taken.kind,
                "correlation_id": taken.correlation_id,
            }
        )


class Unhandled(Exception):
    """A rule raised something that is no refusal."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


def _must_be_known(peers: Sequence[str], step: Step) -> None:
    """Raises LookupError for a receiver that has no mailbox: its lines could never be sent."""
    for name in (*(send.to for send in step.out), *(reply.to for reply in step.replies)):
        if name not in peers:
            raise LookupError(f"{name} is not among the peers of this actor")


def _too_late(message: Message, wall_ms: int) -> bool:
    """Whoever asked has given up. Deadlines travel in wall time, which processes share."""
    return (
        message.reply_to is not None
        and message.deadline_ms is not None
        and wall_ms > message.deadline_ms
    )


def _on_our_clock(message: Message, ahead_ms: int) -> Message:
    """Rules measure with wire time, which is ahead of the wall once that was set back, and by how
    much is each process's own: a charge of one must not be late for ever at another."""
    if not ahead_ms or message.deadline_ms is None:
        return message
    return replace(message, deadline_ms=message.deadline_ms + ahead_ms)


def _expired(message: Message) -> RequestError:
    return RequestError(
        504, "overloaded", f"{message.kind} was not started in time", retryable=True
    )


def _answered(message: Message, refusal: RequestError) -> Step:
    body = refusal_fields(refusal, message.correlation_id)
    return _replied(message, refusal.status, body, refusal.headers)


def _replied(
    message: Message, status: int, body: object, headers: dict[str, str] | None = None
) -> Step:
    return Step(replies=answer(message, status, body, headers))


def _posts(lines: list[JournalLine]) -> list[Effect]:
    by_book: dict[str, list[bytes]] = {}
    for line in lines:
        for posted in line.books:
            by_book.setdefault(posted.book, []).append(bytes(posted.line))
    return [Post(book, b"\n".join(ls) + b"\n") for book, ls in by_book.items()]


def _publishes(lines: list[JournalLine]) -> list[Effect]:
    by_receiver: dict[str, list[bytes]] = {}
    for line in lines:
        for raw in line.out:
            out = bytes(raw)
            by_receiver.setdefault(decode_out(out).to, []).append(out)
    return [Publish(to, b"\n".join(ls) + b"\n") for to, ls in by_receiver.items()]


def _answers(lines: list[JournalLine]) -> list[Effect]:
    return [Answer(reply) for line in lines for reply in line.replies]
