"""What providers said about calls, held against the books that it led to and against their truth.

The words stand in the providers' own journals: each says of one reference what became of it, and
the entry that follows names the word that it was booked for. Doubt is no word of an end.
"""

from collections.abc import Iterator

from actors.simulation.evidence import CLOCK_SET, Evidence
from actors.simulation.invariants.invariant import Invariant
from actors.simulation.reading import Entry, Fields, Row, decoded
from payrail.domain.messages import TIMER
from payrail.domain.providers import public_name
from payrail.domain.timestamps import parse_iso
from payrail.domain.words.kinds import PROVIDERS
from payrail.runtime.recovery import journal_path
from payrail.storage.journal import JournalLine

_NO = frozenset({"refused", "fenced", "declined"})
#: Entries that end a call without money, or take its charge elsewhere, and the words for them.
_WORDS = {
    "payment.attempt_started": frozenset({"refused", "declined"}),
    "payment.declined": _NO | {"requires_action"},
    "payment.operation_failed": _NO,
    "refund.failed": _NO,
}
#: An approval of another amount is declined, and given back.
_OTHER_AMOUNT = "amount_mismatch"
#: Timers of a call: that nobody answered in time is no end of it.
_CALL_TIMERS = (f"{TIMER}:attempt:", f"{TIMER}:ask:")
#: What ended for good: it may not happen afterwards.
_SWORN = frozenset({"refused", "fenced"})


def no_end_without_a_word(evidence: Evidence) -> list[str]:
    """A call is failed, and a charge made elsewhere, for a word that it had no effect. A broken
    answer or none at all is not one."""
    found = []
    for entry in evidence.books.entries:
        words, cause = _WORDS.get(entry.fact.type), entry.fact.causation_id or ""
        if words is None:
            continue
        word = evidence.books.said.get(cause)
        what = f"{entry.fact.ref}: {entry.fact.type}, for"
        if cause.startswith(_CALL_TIMERS):
            found.append(f"{what} nobody answered ({entry.place})")
        elif word is not None and not _is_enough(word, words, entry):
            said = f"{word['provider']} said {word['result']} of {word['reference']}"
            found.append(f"{what} {said} ({entry.place})")
    return found


def _is_enough(word: Fields, words: frozenset[str], entry: Entry) -> bool:
    if word["result"] == "approved":
        return getattr(entry.fact.data, "decline_code", "") == _OTHER_AMOUNT
    return word["result"] in words


def what_was_refused_did_not_happen(evidence: Evidence) -> list[str]:
    """A provider that says that a call was not processed never processes it: only then may it be
    made elsewhere. But for a drill that breaks this promise."""
    done = {(str(row["reference"]), str(row["operation"])): row for row in evidence.books.truths}
    broken: set[str] | None = None
    found = []
    for ident, word in evidence.books.said.items():
        row = done.get((word["reference"], word["operation"]))
        if row is None or word["result"] not in _SWORN:
            continue
        if broken is None:
            broken = _unfenced(evidence)
        if word["reference"] not in broken:
            what = f"{word['reference']}: {row['operation']}, and {ident} said {word['result']}"
            found.append(f"{what} ({row.place})")
    return found


def no_charge_is_late(evidence: Evidence) -> list[str]:
    """A card is charged before its message's time is over: then nobody waits for it. Deadlines are
    told by the machine's clock and steps by the time of the wire: where that clock was set, the two
    cannot be compared."""
    if any(one.kind == CLOCK_SET for one in evidence.fired):
        return []
    late = [
        (name, step, row, deadline_ms)
        for name in PROVIDERS
        for step, row, deadline_ms in _charges(evidence, name)
        if parse_iso(step.at) > deadline_ms
    ]
    if not late:
        return []
    broken = _unfenced(evidence)
    return [
        f"{row['reference']}: charged {parse_iso(step.at) - deadline_ms} ms after its time"
        f" ({journal_path(name)}:{step.s})"
        for name, step, row, deadline_ms in late
        if row["reference"] not in broken
    ]


def _charges(evidence: Evidence, name: str) -> Iterator[tuple[JournalLine, Row, int]]:
    """(step, line of truth, deadline) of each charge that a provider has really made."""
    public = public_name(name)
    deadlines = _deadlines(evidence, name)
    rows = {
        row["reference"]: row
        for row in evidence.books.rows(f"data/providers/{public}_truth.jsonl")
        if row["operation"] == "authorize" and row["reference"] in deadlines
    }
    for step in evidence.books.steps(name) if rows else ():
        for posted in step.books:
            if b'"operation":"authorize"' in (line := bytes(posted.line)):
                reference = str((decoded(line) or {}).get("reference"))
                if reference in rows:
                    yield step, rows[reference], deadlines[reference]


def _deadlines(evidence: Evidence, name: str) -> dict[str, int]:
    """By reference, until when the vault's message to this provider may be taken up."""
    sent = (decoded(raw) for raw in evidence.books.sent("vault").get(name, ()))
    return {
        line["body"]["reference"]: parse_iso(line["deadline"])
        for line in sent
        if line["kind"] == "charge" and line["deadline"] is not None
    }


def _unfenced(evidence: Evidence) -> set[str]:
    """References of slow calls whose drill does them whatever was said, and whenever it is."""
    found = set()
    for name in PROVIDERS:
        for step in evidence.books.steps(name):
            for event in map(bytes, step.events):
                if event.startswith(b'{"type":"call.taken_in"') and b'"fence":false' in event:
                    found.add(str(decoded(event)["waiting"]["order"]["reference"]))
    return found


INVARIANTS = (
    Invariant("M3", "no call ends by doubt", no_end_without_a_word),
    Invariant("M4", "what was refused did not happen", what_was_refused_did_not_happen),
    Invariant("M5", "no card is charged too late", no_charge_is_late),
)
