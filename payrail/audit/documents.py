"""Check an actor's documents against the journal, which names the SHA-256 of each.

A document that differs from its digest, or that has none yet, is made again by folding the journal
to the step it claims; the first line that differs is named.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from payrail.audit.findings import Finding
from payrail.audit.journals import Facts
from payrail.audit.reading import Part
from payrail.errors import PayRailError
from payrail.runtime.actor import Actor
from payrail.runtime.deadletters import with_dead_letters
from payrail.runtime.head import Head, fold
from payrail.runtime.ports import Fs
from payrail.runtime.recovery import fold_step, head_document, head_path
from payrail.storage.documents import Named, rendered, stamp_of
from payrail.storage.journal import decode_line

_STAMP_LINE = 2  # `step` is the first field of a document


def read_documents(fs: Fs, actor: Actor[Any]) -> dict[str, bytes | None]:
    """The documents that stand there now, None for one that does not."""
    paths = [head_path(actor.name), *actor.documents(actor.fresh())]
    return {path: fs.read(path) if fs.exists(path) else None for path in paths}


def refolded(actor: Actor[Any], journal: Part, step: int) -> dict[str, bytes]:
    """The documents of `actor` as its journal makes them at `step`. Raises PayRailError,
    ValueError, LookupError when the journal cannot be folded so far."""
    state, head = actor.fresh(), Head()
    books = with_dead_letters(actor.name, actor.books)
    for name in books:
        head.book_end(name)
    for _, _, raw in journal.lines():
        if head.step >= step:
            break
        line = decode_line(raw)
        fold_step(actor, state, line)
        fold(head, line, len(raw) + 1, books)
    content = {head_path(actor.name): head_document(head), **actor.documents(state)}
    return {path: rendered(fields, step, head.hash) for path, fields in content.items()}


@dataclass(slots=True)
class _Check:
    actor: Actor[Any]
    journal: Part
    facts: Facts
    folds: dict[int, dict[str, bytes]]

    def at(self, step: int) -> dict[str, bytes]:
        """All documents at `step`, folded once; empty when the journal cannot be folded."""
        if step not in self.folds:
            try:
                self.folds[step] = refolded(self.actor, self.journal, step)
            except (PayRailError, ValueError, LookupError, TypeError):
                self.folds[step] = {}
        return self.folds[step]

    @property
    def last_named(self) -> Named | None:
        """The newest set that was named before the documents were read."""
        before = self.facts.named_before
        return self.facts.named[before - 1] if before else None


def check_documents(
    actor: Actor[Any], found: Mapping[str, bytes | None], journal: Part, facts: Facts
) -> list[Finding]:
    """Findings of the documents, read between two looks at the journal."""
    check = _Check(actor, journal, facts, {})
    findings = []
    for path, data in found.items():
        finding = _missing(check, path) if data is None else _check(check, path, data)
        if finding is not None:
            findings.append(finding)
    return findings


def _missing(check: _Check, path: str) -> Finding | None:
    named = check.last_named
    if named is None or path not in named.files:
        return None
    return Finding(path, 0, f"missing; {check.facts.path} names it at step {named.step}")


def _check(check: _Check, path: str, data: bytes) -> Finding | None:
    digest = hashlib.sha256(data).hexdigest()
    newest = check.last_named
    ours = [named for named in check.facts.named if named.files.get(path) == digest]
    if any(newest is None or named.step >= newest.step for named in ours):
        return None
    if ours and newest is not None:
        what = f"an old document, of step {ours[-1].step}; the journal names step {newest.step}"
        return Finding(path, _STAMP_LINE, what)
    return _unnamed(check, path, data, newest)


def _unnamed(check: _Check, path: str, data: bytes, newest: Named | None) -> Finding | None:
    """No digest is that of this document: it was edited, or its writer died before naming it."""
    facts = check.facts
    step = _claimed_step(data)
    is_later = newest is None or step > newest.step
    if is_later and 0 < step <= facts.steps:
        return _differs(path, data, check.at(step).get(path), step)
    if facts.blind and step > facts.steps:
        return None  # the journal is damaged before it, which is a finding already
    if newest is None and step > facts.steps:
        return _journal_behind(facts, path, step)
    if newest is None:
        return Finding(path, _STAMP_LINE, "no step of the journal fits this document")
    finding = _differs(path, data, check.at(newest.step).get(path), newest.step)
    if step > facts.steps and finding is not None and finding.line <= _STAMP_LINE:
        return _journal_behind(facts, path, step) if _several(check, path, data) else finding
    return finding


def _several(check: _Check, path: str, data: bytes) -> bool:
    """Whether more than one line differs from the newest named document."""
    newest = check.last_named
    whole = check.at(newest.step).get(path, b"") if newest else b""
    pairs = zip(data.split(b"\n"), whole.split(b"\n"), strict=False)
    return sum(a != b for a, b in pairs) > 1


def _journal_behind(facts: Facts, path: str, step: int) -> Finding:
    what = f"the journal was cut or is an old one: {path} is of step {step}"
    return Finding(facts.path, facts.steps, what)


def _claimed_step(data: bytes) -> int:
    try:
        return stamp_of(data)[0]
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return -1


def _differs(path: str, data: bytes, right: bytes | None, step: int) -> Finding | None:
    """The first line in which a document is not what the journal makes at `step`."""
    if data == right:
        return None
    if right is None:
        what = f"not what the journal named, which cannot be folded to step {step}"
        return Finding(path, 0, what)
    ours, theirs = data.split(b"\n"), right.split(b"\n")
    pairs = zip(ours, theirs, strict=False)
    line = next((i for i, (a, b) in enumerate(pairs, 1) if a != b), min(len(ours), len(theirs)))
    return Finding(path, line, f"edited: not what the journal makes at step {step}")
