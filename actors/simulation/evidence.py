"""What was seen of one simulated run, by witnesses that outlive every actor, and its files.

Whoever drives a run fills this; `actors.simulation.invariants.check_all` judges it:

    evidence = Evidence(
        fs=SimFs(disk), actors=("gateway", ...), core=house.core, now=clock.now(),
        asked=[Asked(merchant="m_001", key="k1", method="POST", path="/payment-intents", body=b"{}",
                     at_ms=0, status=201, answer=b'{"id":"pi_1"}', answered_ms=9)],
        fired=[Fired("kill", at_ms=5, actor="gateway")],
    )
    findings = check_all(evidence)
    assert not findings, findings

Nothing here knows the product's state: what an actor holds in memory (`live`) is what is judged.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from actors.simulation.reading import CHANGES, Reading
from actors.simulation.told import Told, told
from payrail.domain.access import Directory, read_record
from payrail.domain.endpoints import Endpoint
from payrail.runtime.actor import Actor
from payrail.runtime.head import Head
from payrail.runtime.ports import Fs, Now

#: Kinds of `Fired` that change what is right afterwards. Any other (kill, power, torn, io_error,
#: hang, lost_bell, drill, …) changes nothing: the invariants hold all the same.
POISON = "poison"  # `actor` cannot decide what carries `about` (an id, a key): set aside, 500
BAD_LINE = "bad_line"  # a line by hand for `actor` that is no message: a dead letter is right
BIT_ROT = "bit_rot"  # bytes of `path` at `offset` were changed, and not by its writer
HELD = "held"  # `actor` was held, and not released before the end
CLOCK_SET = "clock set"  # time of the wire may have run ahead of the machine's clock since
WONT_DO = frozenset({POISON, BAD_LINE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One try of one client. The same key again is another `Asked` with the next `tried`.

    `status` None: no answer was seen, so that it may have happened or not. `role` "forger": a
    request that nobody may believe (a notice with a wrong signature, a made-up key).
    """

    method: str
    path: str  # as sent, with its ids and query: /payment-intents/pi_1/capture
    at_ms: int  # wire time, when it left the client
    merchant: str | None = None  # whose key it was; None: without a key
    user: str = ""
    role: str = ""
    key: str | None = None  # Idempotency-Key
    body: bytes = b""
    tried: int = 1
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)  # of the answer, names in lower case
    answer: bytes = b""
    answered_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One webhook as it came to a merchant's endpoint, and what the endpoint answered."""

    endpoint_id: str
    webhook_id: str
    body: bytes
    at_ms: int
    status: int | None  # None: no answer was given (hung, reset)
    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadSeen:
    """The end of a journal or a book at some moment after an fsync: it may never be lost.

    `line` counts from 1: of a journal it is the step. `epoch` is 0 where there is none.
    """

    path: str
    line: int
    hash: str
    epoch: int = 0
    at_ms: int = 0


@dataclass(frozen=True, slots=True)
class Fired:
    """A fault that really happened, at `step` of the run's schedule."""

    kind: str
    at_ms: int = 0
    step: int = 0
    actor: str = ""
    about: str = ""  # id of the message, or what else it hit
    path: str = ""
    offset: int = 0
    restored: bool = False  # the damage was mended, or the actor released, before the end


@dataclass(frozen=True, slots=True)
class Scarred:
    """A mailbox that was damaged from outside. `shows`: the wrong bytes still stand there."""

    path: str
    shows: bool


@dataclass(frozen=True, slots=True)
class Begun:
    """Work beside the loop that began when the journal was `head_bytes` long, and `durable_bytes`
    of it were on the disk."""

    actor: str
    errand: str
    head_bytes: int
    durable_bytes: int


@dataclass(frozen=True, slots=True)
class Live:
    """What an actor holds in memory at the end, as its driver knows it."""

    state: Any
    head: Head
    blocked: bool = False  # an effect is waiting that could not be carried out
    faults: Sequence[BaseException] = ()  # raised by decide in this incarnation


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Everything about one run. Only `fs`, `actors`, `core` and `now` are always needed."""

    fs: Fs  # the files as they are at the end
    actors: Sequence[str]  # who lives in this house
    core: Callable[[str], Actor[Any]]  # the pure core of one of them, fresh
    now: Now  # at the end
    asked: Sequence[Asked] = ()
    heard: Sequence[Heard] = ()
    heads: Sequence[HeadSeen] = ()
    fired: Sequence[Fired] = ()
    scars: Sequence[Scarred] = ()
    begun: Sequence[Begun] = ()
    live: Mapping[str, Live] = field(default_factory=dict)  # of those who live at the end
    cards: Sequence[str] = ()  # numbers that were used: they may stand nowhere in clear
    closes_letters: bool = False  # people looked at each dead letter before the end
    at_rest: bool = True  # faults were stopped, and the house was given time to end its work
    house_secret: bytes | None = None  # from which endpoints' secrets are made
    twin: Mapping[str, str] | None = None  # last hash by path, of another run with the same seed

    @cached_property
    def books(self) -> Reading:
        """The files, each read and parsed once."""
        return Reading(self.fs, self.actors, self.core)

    @cached_property
    def told(self) -> Told:
        """What the ledger tells of each payment and claim."""
        return told(self.books.entries)

    @cached_property
    def endpoints(self) -> Mapping[str, Endpoint]:
        """Where webhooks go, as the book of access has it."""
        directory = Directory()
        for line in self.books.lines(CHANGES):
            directory.fold(read_record(line))
        return directory.endpoints

    @cached_property
    def once_disabled(self) -> frozenset[str]:
        """Endpoints that were switched off for a while, or changed what they want."""
        kinds = ("endpoint.disabled", "endpoint.updated", "endpoint.deleted")
        rows = self.books.rows(CHANGES)
        return frozenset(str(row["endpoint_id"]) for row in rows if row["type"] in kinds)

    @cached_property
    def everything(self) -> Sequence[tuple[str, bytes]]:
        """All that anybody can read, by place: files, answers, webhooks."""
        files = [(path, self.books.bytes_of(path)) for path in self.books.all_paths]
        answers = [(f"the answer to {one.method} {one.path}", one.answer) for one in self.asked]
        return [*files, *answers, *((f"webhook {one.webhook_id}", one.body) for one in self.heard)]

    @cached_property
    def one_text(self) -> bytes:
        """The same in one piece: what is not in here need not be looked for place by place."""
        return b"\n".join(data for _, data in self.everything)

    @cached_property
    def held(self) -> frozenset[str]:
        """Actors that stood still at the end, by a hold or by damage to a file of theirs."""
        halted = {one.actor for one in self.fired if one.kind in (HELD, BIT_ROT)}
        released = {one.actor for one in self.fired if one.restored}
        return frozenset(halted - released) - frozenset(self.live)

    @cached_property
    def rotten(self) -> frozenset[str]:
        """Paths whose bytes were damaged from outside and never mended."""
        return frozenset(one.path for one in self.fired if one.kind == BIT_ROT and not one.restored)

    @cached_property
    def poison(self) -> frozenset[str]:
        """What poisoned messages carry, as their `Fired` names it."""
        return frozenset(one.about for one in self.fired if one.kind == POISON)

    @property
    def is_quiet(self) -> bool:
        """Whether everything that was begun must have come to its end."""
        return self.at_rest and not self.held and not self.rotten
