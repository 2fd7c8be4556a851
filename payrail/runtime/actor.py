"""What an actor is: a pure core that is told of messages and says what follows.

    def decide(state, message, moment) -> Step     # may refuse: RequestError
    def apply(state, event) -> None                 # folds one event or book record; may not fail

Neither does I/O, reads a clock or draws a lot. `apply` is the only thing that changes state, in
life and in recovery alike: first the step's `events`, then the records of its `posts`, in order.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from msgspec import Struct

from payrail.domain.ids import derived_id

S = TypeVar("S")


class Moment(Struct, frozen=True, gc=False):
    """When and where a decision is made. Times in milliseconds since 1970 UTC (see ports.Now)."""

    wire_ms: int
    business_ms: int
    actor: str
    step: int
    offset: int  # where this step's line will begin in the journal

    def new_id(self, prefix: str, index: int = 0) -> str:
        """An id that a replay makes again; `index` parts several of one prefix in one step."""
        return derived_id(prefix, self.actor, self.step, index)


@dataclass(frozen=True, slots=True)
class Message:
    """A message as `decide` sees it: its body has been checked against the table of kinds."""

    id: str
    sender: str
    kind: str
    body: Any  # KINDS[kind].body
    correlation_id: str
    reply_to: str | None = None
    deadline_ms: int | None = None
    key: str | None = None
    dead_since_ms: int | None = None  # of a replay: business time at which it was set aside


class Post(Struct, frozen=True):
    """A record for one of the actor's books; `seq`, `prev` and `hash` are the book's affair."""

    book: str  # a key of Actor.books
    record: Struct


@dataclass(frozen=True, slots=True)
class Show:
    """A file for people's eyes, replaced whole once the step is durable and before anyone is told
    of it. It is no truth and is not journaled: `Actor.opened` shows it again."""

    path: str
    data: Any  # JSON


@dataclass(frozen=True, slots=True)
class Errand:
    """Work on the world beside the loop: a request over HTTP, a long file to write.

    It begins once the step is durable. It is not journaled by itself: an event of the step keeps
    the intent, and `Actor.opened` starts again whatever has an intent and no outcome, under the
    same id. Its outcome comes as a message from `errand`, of a kind that the work chooses.
    """

    id: str  # unique among the errands of this actor
    work: str  # which of the actor's works
    body: Struct
    correlation_id: str
    watches: bool = False  # it waits for people, and may never end: nobody waits for it


@dataclass(frozen=True, slots=True)
class BookRead:
    """New lines of a followed book, whole and in their order: the body of `book.read`."""

    book: str  # a key of the actor's `follows`
    lines: Sequence[bytes]


class Send(Struct, frozen=True):
    """A message out. Its correlation id is that of the message decided on, unless it says more."""

    to: str
    kind: str
    body: Struct
    key: str | None = None
    deadline_ms: int | None = None  # absolute wire time; None: the kind's own span from now


class SetTimer(Struct, frozen=True):
    """Tell me `body` (a kind whose sender is `timer`) at `due_ms`. Setting an id again moves it."""

    id: str
    kind: str
    body: Struct
    due_ms: int
    business: bool = False  # which of the two times `due_ms` is measured in
    correlation_id: str | None = None


class CancelTimer(Struct, frozen=True, gc=False):
    id: str


class Asker(Struct, frozen=True):
    """Who waits for an operation's end: an edge and its own name for the question. Actors journal
    it, so that the answer finds its way after a crash."""

    to: str
    re: str
    correlation_id: str


def asker_of(message: Message) -> Asker | None:
    """Who waits for the answer; None when nobody does (by hand)."""
    if message.reply_to is None:
        return None
    return Asker(message.sender, message.reply_to, message.correlation_id)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to an asker. Either `body` with `status`, or `stored_at`: the journal offset of a
    line whose reply is given again byte for byte (then `status`, `headers` and `body` are its)."""

    to: str  # the edge that asked
    re: str  # its own name for the question
    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    correlation_id: str | None = None
    stored_at: int | None = None
    replayed: bool = False
    diff_at: int | None = None  # a reused key: the journal offset of the first request


def answer(
    message: Message, status: int, body: Any, headers: Mapping[str, str] | None = None
) -> list[Reply]:
    """The reply to `message`, if somebody waits for one."""
    if message.reply_to is None:
        return []
    reply_to, about = message.reply_to, message.correlation_id
    return [Reply(message.sender, reply_to, status, body, headers or {}, about)]


@dataclass(frozen=True, slots=True)
class Note:
    """A line of the actor's log: a fact of a step that is nobody's state, told once the step is
    durable. At most once: a log is no book, and a kill may come before it is written."""

    event: str
    fields: Mapping[str, Any]  # text, numbers, None


@dataclass(slots=True)
class Step:
    """What follows from one message."""

    events: list[Struct] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    out: list[Send] = field(default_factory=list)
    timers: list[SetTimer | CancelTimer] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    shows: list[Show] = field(default_factory=list)
    errands: list[Errand] = field(default_factory=list)
    documents: bool = False  # wanted now, not at the next rest: a wish, and not journaled
    notes: list[Note] = field(default_factory=list)  # not journaled
    retries: int = 0  # for the metrics, as `errors`; neither is journaled
    errors: int = 0  # what failed and should not have: a decline or a refused request has not


@dataclass(frozen=True, slots=True)
class BookSpec:
    """A book of an actor: where it lies, how its records are read back, and which books share one
    gapless `seq` (the three ledger files do). One that is `edited` is nobody's to follow: people
    change it under our hands, to see what comes of it."""

    path: str
    read: Callable[[bytes], Struct]
    sequence: str
    edited: bool = False


class Actor(Protocol, Generic[S]):
    """One actor: its name, its books and its pure core.

    An actor that follows books of others says so in `follows`: a name for each and its path.
    What is new in them comes as messages `book.read` from `book:<name>`; how far each was read
    stands in the journal.
    """

    name: str
    books: Mapping[str, BookSpec]
    peers: Sequence[str]  # everyone who may write into its mailbox, and whom it writes to

    def fresh(self) -> S:
        """The state before the first step."""

    def opened(self, state: S, moment: Moment) -> Step:
        """What an incarnation does before it serves: often nothing. No replies, no refusals."""

    def decide(self, state: S, message: Message, moment: Moment) -> Step: ...

    def apply(self, state: S, event: Struct) -> None: ...

    def read_event(self, line: bytes) -> Struct:
        """An event as it stands in the journal. Raises LineDamaged for one it does not know."""

    def documents(self, state: S) -> dict[str, Any]:
        """The state as documents by path, ready for JSON; people read them, `load` uses them."""

    def load(self, documents: Mapping[str, bytes]) -> S:
        """The state that `documents` wrote. Raises LineDamaged when it cannot be that."""


def followed_by(actor: Actor[Any]) -> Mapping[str, str]:
    """The books of others that an actor follows, path by name; most follow none."""
    found: Mapping[str, str] = getattr(actor, "follows", {})
    return found
