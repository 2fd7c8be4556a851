"""Read one journal from its beginning: check its chain, and note what it says about other files.

What is noted are hashes and numbers, not lines: a journal may be large, and is read only once.
After the first line that is not whole or does not follow, nothing more is taken from it.
"""

from array import array
from bisect import bisect_right
from dataclasses import dataclass, field

import msgspec
from msgspec import Struct

from payrail.audit.findings import Finding
from payrail.audit.reading import Part, has_broken_end
from payrail.domain.messages import BOOK, EDGES, HAND, TIMER
from payrail.errors import LineDamaged
from payrail.runtime.head import decode_out
from payrail.runtime.recovery import DOCUMENTS, OPENED
from payrail.storage.documents import Named, from_raw
from payrail.storage.journal import JournalLine, Taken, decode_line
from payrail.storage.lines import GENESIS, hash_of, is_whole


@dataclass(slots=True)
class Expected:
    """Lines that a journal says stand elsewhere, in order: the hash of each, and its step."""

    hashes: list[str] = field(default_factory=list)
    steps: "array[int]" = field(default_factory=lambda: array("Q"))

    def add(self, line_hash: str, step: int) -> None:
        self.hashes.append(line_hash)
        self.steps.append(step)

    def due(self, step: int) -> int:
        """How many of them were decided by `step`."""
        return bisect_right(self.steps, step)


class Anchor(Struct, frozen=True, gc=False):
    """What a journal remembers of a sender: its step and the hash of the step before."""

    sender: str
    n: int
    step: int
    chain: str
    line: int  # in the journal that remembers


@dataclass(slots=True)
class Facts:
    """What one journal says. `told` is the step up to which books and mailboxes were written
    when the reading of the house began; `heads[s]` is the hash of step `s`."""

    name: str
    path: str
    heads: list[str] = field(default_factory=lambda: [GENESIS])
    epoch: int = 0
    told: int = 0
    blind: bool = False  # damaged: it says nothing about what comes after
    books: dict[str, Expected] = field(default_factory=dict)
    outs: dict[str, Expected] = field(default_factory=dict)
    anchors: list[Anchor] = field(default_factory=list)
    reads: list[Anchor] = field(default_factory=list)  # of followed books: `n` lines, hash `chain`
    inner: dict[str, int] = field(default_factory=dict)  # sender -> last n taken
    edges: dict[str, dict[tuple[int, int], tuple[str, int]]] = field(default_factory=dict)
    named: list[Named] = field(default_factory=list)
    named_before: int = 0  # how many of them stood there when the reading began
    findings: list[Finding] = field(default_factory=list)

    @property
    def steps(self) -> int:
        return len(self.heads) - 1

    def book(self, name: str) -> Expected:
        return self.books.setdefault(name, Expected())

    def out(self, receiver: str) -> Expected:
        return self.outs.setdefault(receiver, Expected())


def read_journal(name: str, part: Part, first_size: int) -> Facts:
    """Read `part`, whose first `first_size` bytes stood there before anything else was read."""
    facts = Facts(name, part.path)
    expected_step, head = 1, GENESIS
    last: JournalLine | None = None
    for number, end, raw in part.lines():
        line = _decoded(facts, number, raw)
        if line is None:
            expected_step, head = expected_step + 1, _claimed(raw)
            continue
        if line.s != expected_step or (head and line.prev != head):
            facts.blind = True
            what = f"step {line.s} does not follow the line above, which is step"
            facts.findings.append(Finding(part.path, number, f"{what} {expected_step - 1}"))
        expected_step, head = line.s + 1, line.hash
        if not facts.blind:
            _note(facts, line, number, was_there=end <= first_size)
            last = line if end <= first_size else last
    if last is not None and last.in_.kind == DOCUMENTS:
        facts.told = max(facts.told, last.dur)
    if has_broken_end(part.tail):
        facts.findings.append(Finding(part.path, part.line_count + 1, "the line's end is damaged"))
        facts.blind = True
    return facts


def _decoded(facts: Facts, number: int, raw: bytes) -> JournalLine | None:
    try:
        if is_whole(raw):
            return decode_line(raw)
        what = "the line's bytes do not match its hash"
    except msgspec.MsgspecError as error:
        what = f"not a line of a journal: {error}"
    facts.blind = True
    facts.findings.append(Finding(facts.path, number, what))
    return None


def _claimed(raw: bytes) -> str:
    """What a damaged line says its hash is; nothing when that cannot be read."""
    try:
        return hash_of(raw)
    except LineDamaged:
        return ""


def _note(facts: Facts, line: JournalLine, number: int, *, was_there: bool) -> None:
    facts.heads.append(line.hash)
    facts.epoch = line.epoch
    for posted in line.books:
        facts.book(posted.book).add(hash_of(bytes(posted.line)), line.s)
    for raw in line.out:
        out = decode_out(raw)
        facts.out(out.to).add(hash_of(bytes(raw)), line.s)
    taken = line.in_
    if was_there and taken.kind not in (OPENED, DOCUMENTS):
        # A batch is decided only after all of the one before was told.
        facts.told = max(facts.told, line.dur)
    if taken.kind == DOCUMENTS and taken.from_ == facts.name:
        facts.named.append(from_raw(taken.line))
        facts.named_before += was_there
    elif taken.from_.startswith(BOOK):
        if was_there:
            book = taken.from_.removeprefix(BOOK)
            facts.reads.append(Anchor(book, taken.n, 0, taken.chain, number))
    elif taken.from_ in EDGES and taken.from_ != facts.name:
        place = (taken.epoch, taken.n)
        facts.edges.setdefault(taken.from_, {})[place] = (hash_of(bytes(taken.line)), number)
    elif taken.n and taken.from_ not in (HAND, TIMER):
        _note_inner(facts, taken, number, was_there=was_there)


def _note_inner(facts: Facts, taken: Taken, number: int, *, was_there: bool) -> None:
    last = facts.inner.get(taken.from_, 0)
    if taken.n != last + 1:
        what = f"takes message {taken.n} of {taken.from_} after {last}"
        facts.findings.append(Finding(facts.path, number, what))
    facts.inner[taken.from_] = taken.n
    if was_there:
        anchor = Anchor(taken.from_, taken.n, taken.step, taken.chain, number)
        facts.anchors.append(anchor)
