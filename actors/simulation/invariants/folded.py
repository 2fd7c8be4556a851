"""What actors know: the fold of their journal, the same from a snapshot, and timers kept to.

Never: folds by rules of its own. It is the product's fold that must always come to the same.
"""

from actors.simulation.evidence import Evidence
from actors.simulation.invariants.invariant import Invariant
from payrail.domain.messages import TIMER
from payrail.domain.timestamps import parse_iso
from payrail.runtime.head import Head, fold
from payrail.runtime.recovery import DOCUMENTS, fold_step, journal_path, recover
from payrail.storage.journal import JournalLine


def memory_is_the_journal(evidence: Evidence) -> list[str]:
    """What a living actor knows, and where it stands, is the fold of its whole journal, however it
    came by it."""
    found = []
    for name, live in evidence.live.items():
        path = journal_path(name)
        if path in evidence.rotten:
            continue
        actor = evidence.core(name)
        state, head = actor.fresh(), Head()
        books = evidence.books.books[name]
        for step, line in zip(evidence.books.steps(name), evidence.books.lines(path), strict=False):
            fold_step(actor, state, step)
            fold(head, step, len(line) + 1, books)
        if state != live.state:
            found.append(f"{name} knows something else than its journal ({path})")
        for field in ("step", "hash", "epoch", "inner", "edges", "sent", "timers", "dead"):
            ours, theirs = getattr(head, field), getattr(live.head, field)
            if {**ours} != {**theirs} if isinstance(ours, dict) else ours != theirs:
                found.append(f"{name} thinks {field} is {theirs}, not {ours} ({path})")
    return found


def snapshot_is_the_journal(evidence: Evidence) -> list[str]:
    """Whoever started now from its documents would know what the living one knows."""
    found = []
    for name, live in evidence.live.items():
        path = journal_path(name)
        named = (step for step in evidence.books.steps(name) if step.in_.kind == DOCUMENTS)
        if path in evidence.rotten or next(named, None) is None:
            continue
        start = recover(evidence.core(name), evidence.fs, last_sent=lambda _receiver: 0)
        ours = (start.state, start.head.step, start.head.hash, start.head.timers)
        if ours != (live.state, live.head.step, live.head.hash, live.head.timers):
            found.append(f"{name} would start otherwise from its documents ({path})")
    return found


def timers_are_kept(evidence: Evidence) -> list[str]:
    """A timer fires at most once for each time that it was set, and never before it is due."""
    found = []
    for name in evidence.actors:
        due: dict[str, tuple[int, bool, str]] = {}
        for step, business_ms in evidence.books.decided(name):
            if step.in_.from_ == TIMER:
                found += _fired(name, step, business_ms, due.pop(step.in_.id, None))
            for timer in step.timers:
                due.pop(timer.cancel, None)
                if timer.set:
                    due[timer.set] = (parse_iso(timer.due), timer.business, timer.kind)
    return found


def _fired(
    name: str, step: JournalLine, business_ms: int, due: tuple[int, bool, str] | None
) -> list[str]:
    place = f"{journal_path(name)}:{step.s}"
    if due is None:
        return [f"{name}: timer {step.in_.id} fires, and was not set ({place})"]
    due_ms, is_business, kind = due
    now_ms = business_ms if is_business else business_ms - step.ahead_ms
    if now_ms < due_ms:
        return [f"{name}: timer {step.in_.id} fires {due_ms - now_ms} ms early ({place})"]
    if kind != step.in_.kind:
        return [f"{name}: timer {step.in_.id} says {step.in_.kind}, not {kind} ({place})"]
    return []


INVARIANTS = (
    Invariant("A6", "what an actor knows is the fold of its journal", memory_is_the_journal),
    Invariant("A8", "a snapshot and its tail are the journal", snapshot_is_the_journal),
    Invariant("A10", "timers fire once, and never early", timers_are_kept),
)
