"""Check a whole house, running or not, against its own journals. Reads only.

A running house is right because of the order of looking: the ends of the journals (what must have
been told by then), then documents, books and mailboxes, then the ends of the journals again (what
may have been told since). What is found on files that somebody writes is looked at twice.
"""

import hashlib
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from payrail.audit.books import check_book
from payrail.audit.card_slots import check_card_slots
from payrail.audit.documents import check_documents, read_documents
from payrail.audit.findings import DAMAGE, Finding, damaged
from payrail.audit.journals import Facts, read_journal
from payrail.audit.ledger import check_ledger
from payrail.audit.reading import Part
from payrail.audit.spools import Channel, check_channel, open_channels
from payrail.audit.vault_keys import check_vault_keys
from payrail.domain.books import OUTBOX_BOOK
from payrail.runtime.actor import Actor, followed_by
from payrail.runtime.deadletters import with_dead_letters
from payrail.runtime.ports import Fs
from payrail.runtime.recovery import journal_path

#: The books that share this sequence are the ledger; its events are told in the other.
LEDGER_SEQUENCE = "ledger"
VAULT = "vault"
RAW_FOLDER = "mailboxes/dlq/raw"

Actors = Mapping[str, Actor[Any]]


def verify(fs: Fs, actors: Actors) -> list[Finding]:
    """Everything that is not as it was written, by path and line. `actors` are the cores by name:
    they say which books there are and how documents are made."""
    return _twice(lambda: _Look(fs, actors).everything())


def verify_ledger(fs: Fs, actors: Actors) -> list[Finding]:
    """The ledger's part of `verify`: its files, their events and the journals they come from."""
    owners = {name: actor for name, actor in actors.items() if _ledger_books(actor)}
    return _twice(lambda: _Look(fs, owners, only_named=True).ledger())


def verify_book(fs: Fs, actors: Actors, path: str) -> list[Finding]:
    """The part of `verify` about one book and the journal it comes from."""
    owners = {
        name: actor
        for name, actor in actors.items()
        if any(spec.path == path for spec in actor.books.values())
    }
    return _twice(lambda: _Look(fs, owners, only_named=True).book(path))


def _twice(look: Any) -> list[Finding]:
    """Damage stays; what was a writer at work is gone at the second look."""
    first: list[Finding] = look()
    if not damaged(first):
        return first
    second = set(look())
    return [finding for finding in first if finding in second]


def _ledger_books(actor: Actor[Any]) -> dict[str, str]:
    books = actor.books.items()
    return {name: spec.path for name, spec in books if spec.sequence == LEDGER_SEQUENCE}


class _Look:
    """One reading of the house."""

    def __init__(self, fs: Fs, actors: Actors, *, only_named: bool = False) -> None:
        self._fs, self._actors = fs, actors
        names = list(actors) if only_named else [*actors, *fs.listdir("data/actors")]
        self._names = list(dict.fromkeys(names))
        self._books: dict[str, Part] = {}
        self._facts: dict[str, Facts] = {}
        self._journals: dict[str, Part] = {}

    def everything(self) -> list[Finding]:
        with ExitStack() as stack:
            first_sizes = self._open_journals(stack)
            documents = {n: read_documents(self._fs, actor) for n, actor in self._actors.items()}
            self._open_books(stack)
            channels = open_channels(self._fs)
            for part in [part for channel in channels for part in channel.parts]:
                stack.callback(part.close)
            self._read_journals(first_sizes)
            found = self._chains()
            found += self._check_books()
            found += [f for channel in channels for f in check_channel(channel, self._facts)]
            found += self._check_anchors()
            found += self._check_reads()
            for name, actor in self._actors.items():
                journal, facts = self._journals[name], self._facts[name]
                found += check_documents(actor, documents[name], journal, facts)
            found += self._check_ledger()
            if VAULT in self._actors:
                found += check_card_slots(self._fs, self._journals[VAULT])
                found += check_vault_keys(self._fs, self._journals[VAULT])
            found += _check_raw(self._fs)
        return _sorted(found)

    def ledger(self) -> list[Finding]:
        with ExitStack() as stack:
            first_sizes = self._open_journals(stack)
            self._open_books(stack)
            self._read_journals(first_sizes)
            wanted = {path for actor in self._actors.values() for path in _paths(actor)}
            wanted |= {part.path for part in self._journals.values()}
            found = [*self._chains(), *self._check_books(), *self._check_ledger()]
        return _sorted([finding for finding in found if finding.path in wanted])

    def book(self, path: str) -> list[Finding]:
        with ExitStack() as stack:
            first_sizes = self._open_journals(stack)
            self._open_books(stack)
            self._read_journals(first_sizes)
            found = [*self._chains(), *self._check_books()]
        wanted = {path, *(part.path for part in self._journals.values())}
        return _sorted([finding for finding in found if finding.path in wanted])

    def _open_journals(self, stack: ExitStack) -> dict[str, int]:
        for name in self._names:
            part = self._journals[name] = Part(self._fs, journal_path(name))
            stack.callback(part.close)
        return {name: part.size for name, part in self._journals.items()}

    def _open_books(self, stack: ExitStack) -> None:
        """Events are looked at before their entries, which are written first."""
        paths = {spec.path for actor in self._actors.values() for spec in _books(actor).values()}
        for path in sorted(paths, key=lambda path: (path != OUTBOX_BOOK, path)):
            part = self._books[path] = Part(self._fs, path)
            stack.callback(part.close)

    def _read_journals(self, first_sizes: dict[str, int]) -> None:
        for part in self._journals.values():
            part.grow(self._fs)
        for name, part in self._journals.items():
            if part.file is not None or name in self._actors:
                self._facts[name] = read_journal(name, part, first_sizes[name])

    def _chains(self) -> list[Finding]:
        return [finding for facts in self._facts.values() for finding in facts.findings]

    def _check_books(self) -> list[Finding]:
        found = []
        for name, actor in self._actors.items():
            facts = self._facts[name]
            for book, spec in _books(actor).items():
                found += check_book(self._books[spec.path], facts.book(book), facts)
        return found

    def _check_anchors(self) -> list[Finding]:
        """The first step of each sender that a receiver remembers otherwise."""
        found: dict[str, tuple[int, Finding]] = {}
        for facts in self._facts.values():
            for anchor in facts.anchors:
                sender = self._facts.get(anchor.sender)
                what = None if sender is None else _disagrees(sender, anchor.step, anchor.chain)
                if sender is None or what is None:
                    continue
                known = found.get(anchor.sender)
                if known is None or anchor.step < known[0]:
                    line = min(anchor.step, sender.steps)
                    told = f"{what}: {facts.path}:{anchor.line} remembers step {anchor.step}"
                    found[anchor.sender] = (anchor.step, Finding(sender.path, line, told))
        return [finding for _, finding in found.values()]

    def _check_reads(self) -> list[Finding]:
        """The first line of each followed book that its reader remembers otherwise."""
        written = {
            spec.path: self._facts[name].book(book)
            for name, actor in self._actors.items()
            for book, spec in _books(actor).items()
            if not self._facts[name].blind
        }
        found = []
        for name, actor in self._actors.items():
            for book, path in followed_by(actor).items():
                hashes = written[path].hashes if path in written else []
                reads = [read for read in self._facts[name].reads if read.sender == book]
                wrong = [read for read in reads if hashes[read.n - 1 : read.n] != [read.chain]]
                if wrong and path in written:
                    what = f"line {wrong[0].n} is not the one that was read here, of {path}"
                    found.append(Finding(self._facts[name].path, wrong[0].line, what))
        return found

    def _check_ledger(self) -> list[Finding]:
        found = []
        for name, actor in self._actors.items():
            books = _ledger_books(actor)
            if not books:
                continue
            parts = [self._books[path] for path in books.values()]
            facts = self._facts[name]
            growing = any(
                self._books[path].line_count < len(facts.book(book).hashes)
                for book, path in books.items()
            )
            found += check_ledger(parts, self._books.get(OUTBOX_BOOK), is_growing=growing)
        return found


def _books(actor: Actor[Any]) -> dict[str, Any]:
    return with_dead_letters(actor.name, actor.books)


def _paths(actor: Actor[Any]) -> list[str]:
    return [*_ledger_books(actor).values(), OUTBOX_BOOK]


def _disagrees(sender: Facts, step: int, chain: str) -> str | None:
    """What is wrong with a sender's journal, of which others remember that step."""
    if step > sender.steps:
        return None if sender.blind else "the journal was cut or is an old one"
    if step and chain and sender.heads[step - 1] != chain:
        return "the journal was rewritten before this line"
    return None


def _check_raw(fs: Fs) -> list[Finding]:
    """Raw bytes of dead letters are files named by their SHA-256."""
    return [
        Finding(f"{RAW_FOLDER}/{name}", 0, "the bytes do not match the file's name")
        for name in fs.listdir(RAW_FOLDER)
        if not name.startswith(".")
        and hashlib.sha256(fs.read(f"{RAW_FOLDER}/{name}")).hexdigest() != name
    ]


def _sorted(found: list[Finding]) -> list[Finding]:
    unique = dict.fromkeys(found)
    return sorted(unique, key=lambda f: (f.severity != DAMAGE, f.path, f.line))


__all__ = ["Channel", "verify", "verify_book", "verify_ledger"]
