"""What the ledger must be by itself: gapless, balanced at every prefix, and nothing that jumps.

Never: compares it with what really happened (`truth`) or with what was answered (`answers`).
"""

from collections import Counter

from actors.simulation.evidence import Evidence
from actors.simulation.invariants.invariant import Invariant
from actors.simulation.reading import LEDGERS, OUTBOX, Entry
from payrail.audit.moves import Moves
from payrail.audit.paid_out import PaidOut


def money_is_conserved(evidence: Evidence) -> list[str]:
    """Each entry sums to zero in each currency, so does every prefix; each entry moves the money
    that its facts make, and no payout takes more than there was."""
    found = []
    trial: Counter[str] = Counter()
    paid_out = PaidOut()
    for entry in evidence.books.entries:
        for posting in entry.fact.postings:
            trial[posting.currency] += posting.amount
        if any(trial.values()):
            sums = {currency: total for currency, total in trial.items() if total}
            found.append(f"{entry.fact.event_id}: the trial balance is {sums} ({entry.place})")
            trial.clear()
        if wrong := paid_out.take(entry.fact):
            found.append(f"{wrong} ({entry.place})")
    return found + _other_money(evidence.books.entries)


def _other_money(entries: list[Entry]) -> list[str]:
    moves = Moves()
    for entry in entries:
        try:
            moves.take(entry.fact)
        except ValueError as error:
            # What follows would be judged by a fold that has lost its way.
            return [f"{error} ({entry.place})"] if "money" in str(error) else []
    return []


def no_state_is_skipped(evidence: Evidence) -> list[str]:
    """Every payment, refund, dispute, payout and case moves as the rules say, and its amounts
    stay within what was authorized."""
    told = evidence.told
    return told.wrong + [one for one in told.exceeded if "given back" not in one]


def refunds_stay_below_captures(evidence: Evidence) -> list[str]:
    """At every prefix, also counting what only waits for a second person."""
    return [one for one in evidence.told.exceeded if "given back" in one]


def entries_are_events(evidence: Evidence) -> list[str]:
    """`seq` is gapless over the files; every entry has its event, in the same order, once."""
    entries, events = evidence.books.entries, evidence.books.rows(OUTBOX)
    found = []
    for due, entry in enumerate(entries, 1):
        if entry.seq != due:
            found.append(f"seq {entry.seq} where {due} was due ({entry.place})")
            break
    unread = sum(len(evidence.books.lines(path)) for path in LEDGERS) - len(entries)
    if unread:
        found.append(f"{unread} lines of the ledger are no entries ({LEDGERS[0]})")
    ids = Counter(entry.fact.event_id for entry in entries)
    found += [f"event {ident} stands {n} times in the ledger" for ident, n in ids.items() if n > 1]
    for entry, event in zip(entries, events, strict=False):
        if event["id"] != entry.fact.event_id:
            found.append(f"event {event['id']} where {entry.fact.event_id} was due ({event.place})")
            break
    if len(entries) != len(events):
        found.append(f"{len(entries)} entries have {len(events)} events ({OUTBOX})")
    return found


INVARIANTS = (
    Invariant("I4", "money is conserved", money_is_conserved),
    Invariant("I5", "refunds never exceed captures", refunds_stay_below_captures),
    Invariant("I6", "no state is skipped, and an end is an end", no_state_is_skipped),
    Invariant("A3", "every entry is an event, and the ledger has no gap", entries_are_events),
)
