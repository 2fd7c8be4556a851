"""`why`: everything that led to an id, and everything it led to, found again in the files.

A chain is made of journal lines that mention the id and of all that they follow from; of a message
also of all that follows from it. Each message and each book line in it must then be found where it
was written; one that is not, and a cause that nobody wrote, is a broken link.

What is found on files that somebody writes is looked at again: a line that is only about to appear
is not a broken link.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

from payrail.audit.findings import Finding
from payrail.audit.nodes import (
    Needle,
    Node,
    Trace,
    Wanted,
    book_nodes,
    envelope_node,
    hand_node,
    named_cause,
    reply_node,
    step_id,
    step_node,
)
from payrail.audit.reading import Part
from payrail.audit.steps import Steps, add_causes, add_effects, add_outcomes, is_about, is_message
from payrail.audit.tracing import find_in_books, find_in_mailboxes
from payrail.domain.messages import BOOK, EDGES, HAND, TIMER
from payrail.runtime.actor import Actor, followed_by
from payrail.runtime.deadletters import with_dead_letters
from payrail.runtime.ports import Fs
from payrail.runtime.recovery import journal_path
from payrail.storage.journal import JournalLine, Taken
from payrail.storage.lines import hash_of
from payrail.storage.spool import spool_path

#: How often the files are looked at before a link is called broken.
LOOKS = 3

_MESSAGE = re.compile(
    r"[a-z.-]+>[a-z.-]+:(?:re:)?[0-9.:]{1,40}|errand:[\x21\x23-\x5b\x5d-\x7e]{1,150}"
)
_TIMER = re.compile(r"timer:([\x21\x23-\x5b\x5d-\x7e]{1,150}):\d+")
_OURS = re.compile(r"[a-z]{2,4}_[A-Za-z0-9_.-]{1,120}")
_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(slots=True)
class Chain:
    """The nodes, causes before what they caused, and the links that are broken."""

    nodes: list[Node]
    broken: list[Finding]


def explain(
    fs: Fs, actors: Mapping[str, Actor[Any]], ident: str, pause: Callable[[], None] = lambda: None
) -> Chain | None:
    """The causal chain of a payment, event, capture, delivery, dead letter, correlation id,
    reference or message. None when nothing mentions it. `pause` waits before another look."""
    chain = _look(fs, actors, ident)
    for _ in range(LOOKS - 1):
        if chain is None or not chain.broken:
            break
        pause()
        again = _look(fs, actors, ident)
        if again is not None:
            broken = [finding for finding in again.broken if finding in chain.broken]
            chain = Chain(again.nodes, broken)
    return chain


def _look(fs: Fs, actors: Mapping[str, Actor[Any]], ident: str) -> Chain | None:
    needle = _needle(ident)
    if needle is None:
        return None
    trace = Trace(needle)
    with ExitStack() as stack:
        journals = _open_journals(fs, actors, stack)
        first_sizes = {name: journal.part.size for name, journal in journals.items()}
        books = _open_books(fs, actors, stack)
        mailboxes = find_in_mailboxes(fs, stack)
        goes_on = _MESSAGE.fullmatch(ident) is not None
        for name, journal in journals.items():
            journal.part.grow(fs)
            journal.scan(trace, index=goes_on)
            trace.told[name] = journal.told(first_sizes[name])
        if goes_on:
            add_effects(journals, trace)
        add_outcomes(journals, trace)
        add_causes(journals, trace)
        _add_nodes(journals, actors, trace)
        mailboxes(trace)
        find_in_books(books, trace)
        _join_followed(journals, actors, trace)
        _must_be_written(journals, trace)
    if not trace.nodes and not trace.broken:
        return None
    return Chain(_in_order(trace.nodes), list(dict.fromkeys(trace.broken)))


def _needle(ident: str) -> Needle | None:
    """How the id stands in a line. What is not one of our ids can be a correlation id or a key's,
    which look like any word and are looked for in their own fields alone."""
    timer = _TIMER.fullmatch(ident)
    if timer or _OURS.fullmatch(ident) or _MESSAGE.fullmatch(ident):
        mark = (timer[1] if timer else ident).encode()
        whole = rb"(?<![A-Za-z0-9_])" + re.escape(mark) + rb"(?![A-Za-z0-9_])"
        return Needle(mark, re.compile(whole))
    if _PLAIN.fullmatch(ident):
        mark = b'_id":"%b"' % ident.encode()
        return Needle(mark, re.compile(rb'"(?:correlation|key)' + re.escape(mark)))
    return None


def _open_journals(fs: Fs, actors: Mapping[str, Actor[Any]], stack: ExitStack) -> dict[str, Steps]:
    """Of every actor that ever ran here, also of one that this version does not know."""
    names = dict.fromkeys([*actors, *fs.listdir("data/actors")])
    journals = {name: Steps(name, Part(fs, journal_path(name))) for name in names}
    for journal in journals.values():
        stack.callback(journal.part.close)
    return {
        name: journal for name, journal in journals.items() if journal.part.file or name in actors
    }


def _open_books(fs: Fs, actors: Mapping[str, Actor[Any]], stack: ExitStack) -> list[Part]:
    paths = {path for actor in actors.values() for path in _paths(actor.name, actor).values()}
    parts = [Part(fs, path) for path in sorted(paths)]
    for part in parts:
        stack.callback(part.close)
    return parts


def _paths(name: str, actor: Actor[Any] | None) -> dict[str, str]:
    books = with_dead_letters(name, actor.books if actor else {})
    return {book: spec.path for book, spec in books.items()}


def _add_nodes(journals: dict[str, Steps], actors: Mapping[str, Actor[Any]], trace: Trace) -> None:
    for name, journal in journals.items():
        for number in sorted(journal.known):
            paths = _paths(name, actors.get(name))
            _add_step(journal, journal.known[number], paths, trace)
    for name, journal in journals.items():
        for number, line in journal.known.items():
            _must_be_sent(journals, name, number, line.in_, trace)


def _add_step(journal: Steps, line: JournalLine, paths: dict[str, str], trace: Trace) -> None:
    name, path, me = journal.name, journal.part.path, step_id(journal.name, line.s)
    _add_taken(name, path, line, trace)
    taken, earlier = line.in_, trace.causes.get((name, line.s))
    told_itself = earlier is not None and not is_message(taken)
    cause = step_id(*earlier) if earlier and told_itself else _taken_id(taken)
    trace.nodes[me] = step_node(name, path, line, cause)
    for node, raw in book_nodes(name, paths, line):
        if is_about(taken, raw, trace):
            trace.nodes[node.id] = node
            trace.books[hash_of(raw)] = Wanted(node.id, hash_of(raw), name, line.s)
            _note_cause(raw, taken, path, line.s, trace)
    for raw in map(bytes, line.out):
        if is_about(taken, raw, trace):
            _add_message(envelope_node(raw, me, path, line.s), raw, name, line, trace)
            _note_cause(raw, taken, path, line.s, trace)
    for reply in line.replies:
        node = reply_node(name, path, line, reply)
        trace.nodes[node.id] = node
        trace.messages[node.id] = Wanted(node.id, "", name, line.s)


def _add_message(node: Node, raw: bytes, name: str, line: JournalLine, trace: Trace) -> None:
    n = int(node.id.rpartition(":")[2])
    trace.nodes[node.id] = node
    trace.messages[node.id] = Wanted(node.id, hash_of(raw), name, line.s, n)


def _taken_id(taken: Taken) -> str | None:
    return taken.id if is_message(taken) or taken.from_ == HAND else None


def _add_taken(name: str, path: str, line: JournalLine, trace: Trace) -> None:
    """What an edge or a person sent stands whole in the line that took it."""
    taken = line.in_
    if taken.from_ == HAND:
        trace.nodes[taken.id] = hand_node(name, line)
    elif taken.from_ in EDGES and taken.n:
        raw = bytes(taken.line)
        trace.nodes[taken.id] = envelope_node(raw, None, path, line.s)
        trace.messages[taken.id] = Wanted(taken.id, hash_of(raw), name, 0)


def _note_cause(raw: bytes, taken: Taken, path: str, number: int, trace: Trace) -> None:
    """A line names the message that its step took; a replayed dead letter's, the letter's own."""
    cause = named_cause(raw)
    by_timer = taken.from_ == TIMER and (cause or "").startswith(f"{TIMER}:{taken.id}:")
    if cause is not None and cause != taken.id and not by_timer:
        trace.named.setdefault(cause, (path, number))


def _must_be_sent(
    journals: dict[str, Steps], name: str, number: int, taken: Taken, trace: Trace
) -> None:
    """A message that was taken must stand in its sender's journal."""
    if taken.id in trace.nodes or not is_message(taken) or taken.from_ in EDGES:
        return
    journal = journals[name]
    sender = journals.get(taken.from_)
    path = sender.part.path if sender else spool_path(name, taken.from_)
    what = f"does not hold {taken.id}, which {journal.part.path}:{number} took"
    trace.broken.append(Finding(path, taken.step if sender else 0, what))


def _join_followed(
    journals: dict[str, Steps], actors: Mapping[str, Actor[Any]], trace: Trace
) -> None:
    """A step that read a book follows from the line of it that it is about."""
    for name, journal in journals.items():
        follows = followed_by(actors[name]) if name in actors else {}
        for number, line in journal.known.items():
            path = follows.get(line.in_.from_.removeprefix(BOOK))
            if line.in_.from_.startswith(BOOK) and path is not None:
                me = trace.nodes[step_id(name, number)]
                trace.nodes[me.id] = replace(me, cause=_read_line(path, line, trace))


def _read_line(path: str, line: JournalLine, trace: Trace) -> str | None:
    """The id of the last node of that book that a step had read and names in its events."""
    read = [node for node in trace.nodes.values() if node.file == path]
    read = [node for node in read if 0 < node.line <= line.in_.n]
    events = b"\n".join(bytes(event) for event in line.events)
    named = [node for node in read if node.id.removeprefix("event:").encode() in events]
    return max(named or read, key=lambda node: node.line).id if read else None


def _must_be_written(journals: dict[str, Steps], trace: Trace) -> None:
    """Causes that lines name must have been taken or sent by somebody."""
    open_ends = {cause: at for cause, at in trace.named.items() if cause not in trace.nodes}
    marks = {cause: b'"id":"%b"' % cause.encode() for cause in open_ends}
    for journal in journals.values():
        if not marks:
            return
        for _, _, raw in journal.part.lines():
            for cause in [cause for cause, mark in marks.items() if mark in raw]:
                del marks[cause]
    for cause in marks:
        path, number = open_ends[cause]
        what = f"names causation_id {cause}, which nobody wrote"
        trace.broken.append(Finding(path, number, what))


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
