"""The bytes: every chain whole, every number gapless, epochs only rising, no head ever lost.

A file that was damaged from outside and not mended is not judged here: that it is found is another
promise (`rot`). Never: trusts a hash without computing it.
"""

from collections.abc import Iterator

from actors.simulation.evidence import Evidence
from actors.simulation.invariants.invariant import Invariant
from payrail.errors import LineDamaged
from payrail.runtime.recovery import OPENED, journal_path
from payrail.storage.books import decode_link
from payrail.storage.lines import GENESIS, checked


def chains_are_whole(evidence: Evidence) -> list[str]:
    """Each line of each journal and book has its own hash and that of the line above; steps count
    from 1, and so does `seq` over the books that share one."""
    found: list[str] = []
    for path in _chained(evidence):
        found += _broken(evidence, path)
    for actor in evidence.actors:
        if journal_path(actor) not in evidence.rotten and not found:
            found += _numbers(evidence, actor)
    return found


def _chained(evidence: Evidence) -> Iterator[str]:
    """Every file that is a chain, but for those that were damaged from outside."""
    for actor in evidence.actors:
        books = [spec.path for spec in evidence.books.books[actor].values()]
        for path in (journal_path(actor), *books):
            if path not in evidence.rotten:
                yield path


def _broken(evidence: Evidence, path: str) -> list[str]:
    """The first line that is not whole or does not follow. A torn tail is a writer's at work."""
    head = GENESIS
    for number, line in enumerate(evidence.books.lines(path), 1):
        try:
            claimed = checked(line)
        except LineDamaged as error:
            return [f"{error} ({path}:{number})"]
        if line[-140:-76] != head.encode():
            return [f"the line does not follow the one above ({path}:{number})"]
        head = claimed
    data = evidence.books.bytes_of(path)
    if evidence.is_quiet and not data.endswith(b"\n") and data:
        return [f"the last line has no end ({path}:{number + 1 if data else 1})"]
    return []


def _numbers(evidence: Evidence, actor: str) -> list[str]:
    path = journal_path(actor)
    steps = [step.s for step in evidence.books.steps(actor)]
    if steps != list(range(1, len(steps) + 1)):
        return [f"{actor}: steps are not gapless from 1 ({path})"]
    if len(steps) != len(evidence.books.lines(path)):
        return [f"{actor}: line {len(steps) + 1} is no step ({path}:{len(steps) + 1})"]
    found: dict[str, list[int]] = {}
    for spec in evidence.books.books[actor].values():
        if not spec.edited and spec.path not in evidence.rotten:
            seqs = [decode_link(line).seq for line in evidence.books.lines(spec.path)]
            found.setdefault(spec.sequence, []).extend(seqs)
    return [
        f"{actor}: `seq` of {name} is not gapless from 1"
        for name, seqs in found.items()
        if sorted(seqs) != list(range(1, len(seqs) + 1))
    ]


def epochs_rise(evidence: Evidence) -> list[str]:
    """Each incarnation opens under the next epoch, and every step of it bears that one: two writers
    of one journal would show here. Times of a journal never go back."""
    found = []
    for actor in evidence.actors:
        epoch, last_ms = 0, (0, 0)
        for step, business_ms in evidence.books.decided(actor):
            is_opening = step.in_.kind == OPENED and step.in_.from_ == actor
            if step.epoch != epoch + is_opening:
                place = f"{journal_path(actor)}:{step.s}"
                found.append(f"{actor}: epoch {step.epoch} follows {epoch} ({place})")
                break
            now_ms = (business_ms - step.ahead_ms, business_ms)
            if now_ms[0] < last_ms[0] or now_ms[1] < last_ms[1]:
                found.append(f"{actor}: time goes back ({journal_path(actor)}:{step.s})")
                break
            epoch, last_ms = step.epoch, now_ms
    return found


def no_head_is_lost(evidence: Evidence) -> list[str]:
    """Every head that anybody saw lies on the chain, at its place: what was durable is still
    there. Heads are those polled in the run, and those that peers keep in their journals. A
    head of a last line that rotted is no evidence: it looks like one never written whole."""
    found = []
    for seen in evidence.heads:
        if seen.path in evidence.rotten:
            continue
        lines = evidence.books.lines(seen.path)
        line = lines[seen.line - 1] if seen.line <= len(lines) else b""
        if line[-66:-2] != seen.hash.encode():
            found.append(f"{seen.hash[:12]} was seen there and is gone ({seen.path}:{seen.line})")
    return found + _anchors(evidence)


def _anchors(evidence: Evidence) -> list[str]:
    """`step` and `chain` of each message are the sender's head when it was journaled."""
    heads = {name: [GENESIS] for name in evidence.actors}
    for name, known in heads.items():
        known += [step.hash for step in evidence.books.steps(name)]
    found = []
    for name in evidence.actors:
        for step in evidence.books.steps(name):
            known = heads.get(step.in_.from_, [])
            at = step.in_.step
            if known and step.in_.chain and known[at - 1 : at] != [step.in_.chain]:
                place = f"{journal_path(name)}:{step.s}"
                found.append(f"{step.in_.from_} knows no step {at} that {name} took ({place})")
                break
    return found


INVARIANTS = (
    Invariant("I7", "every chain is whole and gapless", chains_are_whole),
    Invariant("A7", "epochs rise, and time never goes back", epochs_rise),
    Invariant("I8", "no head that was seen is lost", no_head_is_lost),
)
