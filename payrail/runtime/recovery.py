"""From the files of an actor to a living loop, whatever moment its predecessor died at.

In this order: read and judge the journal; fold it; compare with the books and spools that others
have read; only then write: the doubtful bytes again in place, the cut, the `opened` line; at last
the tails of books and spools that the predecessor owed. Raises Corrupt and Behind before any write.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec

from payrail.errors import Behind, Corrupt, LineDamaged
from payrail.runtime.actor import Actor
from payrail.runtime.deadletters import with_dead_letters
from payrail.runtime.effects import Publish
from payrail.runtime.head import DLQ, Head, decode_out, fold
from payrail.runtime.mending import BookMend, SpoolMend
from payrail.runtime.ports import File, Fs
from payrail.runtime.scrub import Prefix
from payrail.storage import documents
from payrail.storage.journal import Extent, JournalLine, extent, read_steps

S = TypeVar("S")

DOCUMENTS = "documents"  # the kind of the journal line that names a set of documents
OPENED = "opened"


def journal_path(actor: str) -> str:
    return f"data/actors/{actor}/journal.jsonl"


def head_path(actor: str) -> str:
    return f"data/actors/{actor}/head.json"


@dataclass(slots=True)
class Recovered(Generic[S]):
    """An actor as its journal says, and what its predecessor still owed to others."""

    state: S
    head: Head
    found: Extent
    data: bytes
    begin: int  # offset in the journal at which `data` begins
    books: dict[str, BookMend] = field(default_factory=dict)
    spools: dict[str, SpoolMend] = field(default_factory=dict)
    from_documents: bool = False
    documents_step: int = 0
    skipped: list[Prefix] = field(default_factory=list)  # durable, and not read for this start


def recover(
    actor: Actor[S], fs: Fs, *, last_sent: Callable[[str], int], trust_documents: bool = True
) -> Recovered[S]:
    """Read everything and write nothing. `last_sent(receiver)`: the last `n` in our spool there."""
    path = journal_path(actor.name)
    journal = fs.open(path) if fs.exists(path) else None
    start = _from_documents(actor, fs, journal) if trust_documents and journal else None
    recovered = start or _from_genesis(actor, journal)
    if journal is not None:
        journal.close()
    _fold_all(actor, fs, recovered, last_sent)
    _refuse_behind(recovered)
    return recovered


def _from_genesis(actor: Actor[S], journal: File | None) -> Recovered[S]:
    data = journal.pread(0, journal.size()) if journal else b""
    found = extent(_path(actor), data)
    return Recovered(actor.fresh(), Head(), found, data, 0)


def _from_documents(actor: Actor[S], fs: Fs, journal: File) -> Recovered[S] | None:
    """The snapshot as a start, if the journal names it; None when it must not be used."""
    paths = [head_path(actor.name), *actor.documents(actor.fresh())]
    files = documents.found(fs, paths)
    if files is None:
        return None
    try:
        head = msgspec.json.decode(files[paths[0]], type=_HeadDocument).head
        data = journal.pread(head.size, max(0, journal.size() - head.size))
        if (head.step, head.hash) != documents.stamp_of(files[paths[0]]):
            return None
        found = extent(_path(actor), data, step=head.step, head=head.hash, line=head.step)
        if not _is_named(documents.named(files, head.step, head.hash, head.size), found, data):
            return None
        state = actor.load({path: files[path] for path in paths[1:]})
    except (msgspec.MsgspecError, ValueError, LineDamaged, Corrupt):
        return None
    step = head.step
    return Recovered(
        state,
        head,
        found,
        data,
        head.size,
        from_documents=True,
        documents_step=step,
        skipped=_skipped(actor, head),
    )


def _skipped(actor: Actor[Any], head: Head) -> list[Prefix]:
    books = with_dead_letters(actor.name, actor.books)
    ends = [Prefix(books[name].path, end.size, end.hash) for name, end in head.books.items()]
    return [Prefix(_path(actor), head.size, head.hash), *ends]


class _HeadDocument(msgspec.Struct):
    head: Head


def head_document(head: Head) -> dict[str, Any]:
    """The head as content of the runtime's own document."""
    return {"head": head}


def _is_named(names: documents.Named, found: Extent, data: bytes) -> bool:
    for _, _, line in read_steps(data[: found.end]):
        if line.in_.kind == DOCUMENTS and documents.from_raw(line.in_.line) == names:
            return True
    return False


def _fold_all(
    actor: Actor[S], fs: Fs, recovered: Recovered[S], last_sent: Callable[[str], int]
) -> None:
    books = with_dead_letters(actor.name, actor.books)
    head = recovered.head
    for name, spec in books.items():
        recovered.books[name] = BookMend(fs, spec.path, head.book_end(name))
    recovered.spools = _Spools(last_sent)
    for peer in actor.peers:
        recovered.spools[peer].sent = 0
    for _, size, line in read_steps(recovered.data[: recovered.found.end]):
        fold_step(actor, recovered.state, line)
        for posted in line.books:
            recovered.books[posted.book].expect(bytes(posted.line))
        for raw in line.out:
            out = decode_out(raw)
            recovered.spools[out.to].expect(out.n, bytes(raw))
        fold(head, line, size + 1, books)
    for receiver, n in head.sent.items():
        recovered.spools[receiver].sent = n


class _Spools(dict[str, SpoolMend]):
    def __init__(self, last_sent: Callable[[str], int]) -> None:
        super().__init__()
        self._last_sent = last_sent

    def __missing__(self, receiver: str) -> SpoolMend:
        mend = self[receiver] = SpoolMend(receiver, self._last_sent(receiver))
        return mend


def fold_step(actor: Actor[S], state: S, line: JournalLine) -> None:
    """Fold one journaled step into the actor's state: its events, then its records."""
    for raw in line.events:
        actor.apply(state, actor.read_event(bytes(raw)))
    for posted in line.books:
        if posted.book != DLQ:
            actor.apply(state, actor.books[posted.book].read(bytes(posted.line)))


def _refuse_behind(recovered: Recovered[Any]) -> None:
    for book in recovered.books.values():
        book.refuse_behind()
    for mend in recovered.spools.values():
        if mend.last_there > mend.sent:
            path = f"mailboxes/{mend.receiver}"
            raise Behind(path, f"holds our line {mend.last_there}, we know of {mend.sent}")


def needs_full_fold(recovered: Recovered[Any]) -> bool:
    """Whether a spool lost lines from before the snapshot, so that the whole journal is needed."""
    return recovered.from_documents and any(m.has_hole() for m in recovered.spools.values())


def make_durable_again(recovered: Recovered[Any], journal: File) -> None:
    """Write what may never have reached the disk again in place, cut what was never promised."""
    found, begin = recovered.found, recovered.begin
    doubtful = recovered.data[found.doubtful : found.end]
    if doubtful:
        journal.pwrite(begin + found.doubtful, doubtful)
    if found.cut_bytes:
        journal.truncate(begin + found.end)
    if doubtful or found.cut_bytes:
        journal.sync()


def owed(recovered: Recovered[Any]) -> list[Publish]:
    """The lines that receivers' files lack."""
    return [Publish(m.receiver, m.data()) for m in recovered.spools.values() if m.missing]


def _path(actor: Actor[Any]) -> str:
    return journal_path(actor.name)
