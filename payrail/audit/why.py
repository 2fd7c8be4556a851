"""`why`: everything that led to an id, and everything it led to, found again in the files.

A chain is made of journal lines that mention the id and of all that they follow from. Each message
and each book line in it must then be found where it was written; one that is not is a broken link.
"""

import re
from array import array
from bisect import bisect_right
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import msgspec

from payrail.audit.findings import Finding
from payrail.audit.nodes import (
    Node,
    Trace,
    Wanted,
    book_nodes,
    envelope_node,
    hand_node,
    reply_node,
    step_id,
    step_node,
)
from payrail.audit.reading import Part
from payrail.audit.tracing import find_in_books, find_in_mailboxes
from payrail.domain.messages import EDGES, HAND, TIMER
from payrail.runtime.actor import Actor
from payrail.runtime.deadletters import with_dead_letters
from payrail.runtime.ports import Fs
from payrail.runtime.recovery import journal_path
from payrail.storage.journal import JournalLine, Taken, decode_line
from payrail.storage.lines import hash_of, is_whole
from payrail.storage.spool import spool_path

_OURS = re.compile(r"[a-z]{2,4}_[A-Za-z0-9_.-]{1,120}|[a-z.-]+>[a-z.-]+:[0-9.:]{1,40}")
_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(slots=True)
class Chain:
    """The nodes, causes before what they caused, and the links that are broken."""

    nodes: list[Node]
    broken: list[Finding]


class _Journal:
    """One journal: where its lines begin, and those that are of interest."""

    def __init__(self, name: str, part: Part) -> None:
        self.name, self.part = name, part
        self.ends: array[int] = array("Q", [0])
        self.steps: dict[int, JournalLine] = {}

    def scan(self, needle: re.Pattern[bytes], trace: Trace) -> None:
        for number, end, raw in self.part.lines():
            self.ends.append(end)
            if needle.search(raw):
                self._keep(number, raw, trace)

    def _keep(self, number: int, raw: bytes, trace: Trace) -> JournalLine | None:
        if not is_whole(raw):
            what = "a damaged line stands here in the chain"
            trace.broken.append(Finding(self.part.path, number, what))
            return None
        self.steps[number] = decode_line(raw)
        return self.steps[number]

    def step(self, number: int, trace: Trace) -> JournalLine | None:
        """Line `number`, read now if it was not of interest before."""
        if number in self.steps:
            return self.steps[number]
        raw = self.raw(number)
        return self._keep(number, raw, trace) if raw else None

    def raw(self, number: int) -> bytes:
        if not 0 < number < len(self.ends) or self.part.file is None:
            return b""
        begin = self.ends[number - 1]
        return self.part.file.pread(begin, self.ends[number] - begin - 1)

    def set_before(self, timer: str, number: int) -> int:
        """The last line before `number` that set a timer of that name; 0 for none."""
        mark = b'"set":' + msgspec.json.encode(timer)
        return next((n for n in range(number - 1, 0, -1) if mark in self.raw(n)), 0)

    def told(self, size: int) -> int:
        """The step that was durable and told when the file had `size` bytes."""
        raw = self.raw(bisect_right(self.ends, size) - 1)
        return decode_line(raw).dur if raw and is_whole(raw) else 0


def explain(fs: Fs, actors: Mapping[str, Actor[Any]], ident: str) -> Chain | None:
    """The causal chain of a payment, event, correlation id, reference or message. None when
    nothing mentions it."""
    needle = _needle(ident)
    if needle is None:
        return None
    trace = Trace(needle)
    with ExitStack() as stack:
        journals = _open_journals(fs, actors, stack)
        first_sizes = {name: journal.part.size for name, journal in journals.items()}
        books = _open_books(fs, actors, stack)
        mailboxes = find_in_mailboxes(fs, stack)
        for name, journal in journals.items():
            journal.part.grow(fs)
            journal.scan(needle, trace)
            trace.told[name] = journal.told(first_sizes[name])
        _add_causes(journals, trace)
        _add_nodes(journals, actors, trace)
        mailboxes(trace)
        find_in_books(books, trace)
    if not trace.nodes and not trace.broken:
        return None
    return Chain(_in_order(trace.nodes), trace.broken)


def _needle(ident: str) -> re.Pattern[bytes] | None:
    """How the id stands in a line. What is not one of our ids can be a correlation id only."""
    if _OURS.fullmatch(ident):
        return re.compile(rb"(?<![A-Za-z0-9_])" + re.escape(ident.encode()) + rb"(?![A-Za-z0-9_])")
    if _PLAIN.fullmatch(ident):
        return re.compile(rb'"correlation_id":"' + re.escape(ident.encode()) + rb'"')
    return None


def _open_journals(
    fs: Fs, actors: Mapping[str, Actor[Any]], stack: ExitStack
) -> dict[str, _Journal]:
    journals = {name: _Journal(name, Part(fs, journal_path(name))) for name in actors}
    for journal in journals.values():
        stack.callback(journal.part.close)
    return journals


def _open_books(fs: Fs, actors: Mapping[str, Actor[Any]], stack: ExitStack) -> list[Part]:
    paths = {path for actor in actors.values() for path in _paths(actor).values()}
    parts = [Part(fs, path) for path in sorted(paths)]
    for part in parts:
        stack.callback(part.close)
    return parts


def _paths(actor: Actor[Any]) -> dict[str, str]:
    books = with_dead_letters(actor.name, actor.books)
    return {name: spec.path for name, spec in books.items()}


def _add_causes(journals: dict[str, _Journal], trace: Trace) -> None:
    """Take in the steps that the known ones follow from, until nothing is new."""
    waiting = [(name, step) for name, journal in journals.items() for step in journal.steps]
    while waiting:
        name, number = waiting.pop()
        cause = _cause(journals, name, number)
        if cause is None or cause[1] in journals[cause[0]].steps:
            continue
        if journals[cause[0]].step(cause[1], trace) is not None:
            waiting.append(cause)


def _cause(journals: dict[str, _Journal], name: str, number: int) -> tuple[str, int] | None:
    """(actor, step) that a step follows from; None when it began with an edge or a person."""
    journal = journals[name]
    taken = journal.steps[number].in_
    if taken.from_ == TIMER:
        setter = journal.set_before(taken.id, number)
        return (name, setter) if setter else None
    if taken.n and taken.from_ in journals:
        return taken.from_, taken.step
    return None


def _add_nodes(
    journals: dict[str, _Journal], actors: Mapping[str, Actor[Any]], trace: Trace
) -> None:
    for name, journal in journals.items():
        for number in sorted(journal.steps):
            _add_step(journals, journal, journal.steps[number], _paths(actors[name]), trace)
    for name, journal in journals.items():
        for number, line in journal.steps.items():
            _must_be_sent(journals, name, number, line.in_, trace)


def _add_step(
    journals: dict[str, _Journal],
    journal: _Journal,
    line: JournalLine,
    paths: dict[str, str],
    trace: Trace,
) -> None:
    name, path, me = journal.name, journal.part.path, step_id(journal.name, line.s)
    _add_taken(name, path, line, trace)
    timer = _cause(journals, name, line.s) if line.in_.from_ == TIMER else None
    cause = step_id(*timer) if timer else _taken_id(line.in_)
    trace.nodes[me] = step_node(name, path, line, cause)
    for node, line_hash in book_nodes(name, paths, line):
        trace.nodes[node.id] = node
        trace.books[line_hash] = Wanted(node.id, line_hash, name, line.s)
    for raw in line.out:
        node = envelope_node(bytes(raw), me, path, line.s)
        n = int(node.id.rpartition(":")[2])
        trace.nodes[node.id] = node
        trace.messages[node.id] = Wanted(node.id, hash_of(bytes(raw)), name, line.s, n)
    for reply in line.replies:
        node = reply_node(name, path, line, reply)
        trace.nodes[node.id] = node
        trace.messages[node.id] = Wanted(node.id, "", name, line.s)


def _taken_id(taken: Taken) -> str | None:
    return taken.id if taken.n or taken.from_ == HAND else None


def _add_taken(name: str, path: str, line: JournalLine, trace: Trace) -> None:
    """What an edge or a person sent stands whole in the line that took it."""
    taken = line.in_
    if taken.from_ == HAND:
        trace.nodes[taken.id] = hand_node(name, line)
    elif taken.from_ in EDGES and taken.n:
        raw = bytes(taken.line)
        trace.nodes[taken.id] = envelope_node(raw, None, path, line.s)
        trace.messages[taken.id] = Wanted(taken.id, hash_of(raw), name, 0)


def _must_be_sent(
    journals: dict[str, _Journal], name: str, number: int, taken: Taken, trace: Trace
) -> None:
    """A message that was taken must stand in its sender's journal."""
    if taken.id in trace.nodes or not taken.n or taken.from_ in EDGES:
        return
    journal = journals[name]
    sender = journals.get(taken.from_)
    path = sender.part.path if sender else spool_path(name, taken.from_)
    what = f"does not hold {taken.id}, which {journal.part.path}:{number} took"
    trace.broken.append(Finding(path, taken.step if sender else 0, what))


def _in_order(nodes: dict[str, Node]) -> list[Node]:
    """Each node behind its cause; what began earlier comes first."""
    return [node for _, node in walk(list(nodes.values()))]


def walk(nodes: list[Node]) -> list[tuple[int, Node]]:
    """(depth, node) of the trees that the nodes form, depth first."""
    known = {node.id for node in nodes}
    children: dict[str | None, list[Node]] = {}
    for node in nodes:
        children.setdefault(node.cause if node.cause in known else None, []).append(node)
    ordered = []
    waiting = [(0, node) for node in sorted(children.get(None, []), key=_age, reverse=True)]
    while waiting:
        depth, node = waiting.pop()
        ordered.append((depth, node))
        below = sorted(children.get(node.id, []), key=_age, reverse=True)
        waiting.extend((depth + 1, child) for child in below)
    return ordered


_RANK = {"entry": 0, "event": 1, "access": 0, "truth": 0, "message": 2, "step": 3, "reply": 4}


def _age(node: Node) -> tuple[int, str]:
    return _RANK.get(node.kind, 1), node.at
