"""What clients were told: every yes is in the books, one key has one answer, no error lies.

A try without an answer may have happened once or not at all; the same key tells. Only answers that
are final count: 2xx but 202, 402, and the 409 of a state machine.
"""

from collections import Counter
from itertools import groupby
from typing import Any

import actors
from actors.simulation.evidence import Asked, Evidence
from actors.simulation.invariants.invariant import Invariant
from actors.simulation.reading import Entry, decoded
from payrail.runtime.deadletters import book_path

#: What a final yes must have left about the object that it shows, by the last words of the path.
LEAVES = {
    "payment-intents": ("payment.created",),
    "authorize": ("payment.authorized", "payment.captured", "payment.requires_action"),
    "cancel": ("payment.reversed", "payment.released"),
    "capture": ("payment.captured",),
    "refunds": ("refund.requested",),
    "approve": ("refund.approved",),
    "reject": ("refund.rejected",),
    "disputes": ("dispute.opened",),
    "evidence": ("dispute.evidence_added",),
    "submit": ("dispute.submitted",),
    "accept": ("dispute.lost", "dispute.closed"),
    "resolve": ("dispute.won", "dispute.lost", "dispute.closed", "payout.paid", "payout.failed"),
    "payouts": ("payout.created",),
    "close": ("case.closed",),
}
#: What a 402 must have left about its payment.
_DECLINED = ("payment.declined", "payment.operation_failed")
_OBJECTS = ("payment_intent", "refund", "dispute", "payout", "case")
KEY_MS = 86_400_000  # a key names one request so long at least, in business time
#: Marks of our own inside that no error may show.
_INSIDES = (b"Traceback", b'File \\"', b".py", b"site-packages", actors.__path__[0].encode())
_PROBLEM = ("type", "title", "status", "detail", "code", "retryable", "correlation_id")


def is_final(asked: Asked) -> bool:
    """Whether the same key must give this very answer for good."""
    if asked.status == 409:
        fields = decoded(asked.answer)
        return isinstance(fields, dict) and fields.get("retryable") is False
    return asked.status in (200, 201, 402)


def keyed(evidence: Evidence) -> dict[tuple[str | None, str], list[Asked]]:
    """All tries under one key of one merchant, in the order of asking. A dry run takes no key."""
    found: dict[tuple[str | None, str], list[Asked]] = {}
    for asked in evidence.asked:
        if asked.key is not None and asked.method != "GET" and "?dry_run=" not in asked.path:
            found.setdefault((asked.merchant, asked.key), []).append(asked)
    return found


def every_yes_is_in_the_ledger(evidence: Evidence) -> list[str]:
    """Each final yes has its entry: of its object, its merchant, its key and its amount."""
    found = []
    captures: dict[str, dict[str | None, int]] = {}
    for asked in evidence.asked:
        if asked.method == "GET" or asked.status is None or not is_final(asked):
            continue
        shown = decoded(asked.answer)
        if not isinstance(shown, dict):
            continue
        if asked.status == 402:
            found += _declined(evidence, asked, shown)
        elif asked.status != 409 and shown.get("object") in _OBJECTS:
            found += _left(evidence, asked, shown)
            if asked.path.endswith("/capture"):
                amount = _asked_amount(asked, shown)
                captures.setdefault(str(shown["id"]), {})[asked.key] = amount
    for payment_id, by_key in captures.items():
        found += _captured(evidence, payment_id, by_key)
    return found


def _left(evidence: Evidence, asked: Asked, shown: dict[str, Any]) -> list[str]:
    verb = asked.path.partition("?")[0].rpartition("/")[2]
    wanted = LEAVES.get(verb, ())
    entries = evidence.books.entries_of.get(str(shown.get("id")), [])
    mine = [entry for entry in entries if entry.fact.type in wanted]
    what = f"{shown.get('id')}: {asked.status} to {asked.path} of key {asked.key}"
    if wanted and not mine:
        return [f"{what}, and the ledger has no {' or '.join(wanted)}"]
    found = []
    for entry in entries[:1]:
        if asked.merchant is not None and entry.fact.merchant_id != asked.merchant:
            found.append(f"{what}, and it belongs to {entry.fact.merchant_id} ({entry.place})")
        if entry.fact.amount != shown.get("amount", entry.fact.amount):
            found.append(f"{what} says {shown['amount']}, not {entry.fact.amount} ({entry.place})")
        if entry.fact.currency != shown.get("currency", entry.fact.currency):
            found.append(f"{what} says {shown['currency']} ({entry.place})")
    if verb in ("payment-intents", "refunds") and mine:
        key = mine[0].fact.data.idempotency_key
        if key != asked.key:
            found.append(f"{what}, and it was made with key {key} ({mine[0].place})")
    return found


def _declined(evidence: Evidence, asked: Asked, shown: dict[str, Any]) -> list[str]:
    about = shown.get("payment_intent") or {}
    ident = str(about.get("id") if isinstance(about, dict) else about)
    entries = evidence.books.entries_of.get(ident, [])
    if any(entry.fact.type in _DECLINED for entry in entries):
        return []
    return [f"{ident}: 402 to key {asked.key}, and the ledger has no {' or '.join(_DECLINED)}"]


def _asked_amount(asked: Asked, shown: dict[str, Any]) -> int:
    body = decoded(asked.body)
    given = body.get("amount") if isinstance(body, dict) else None
    return int(given if given is not None else shown.get("amount_authorized", 0))


def _captured(evidence: Evidence, payment_id: str, by_key: dict[str | None, int]) -> list[str]:
    """As many captures as keys had a yes, of these amounts, and no more than keys asked."""
    entries = evidence.books.entries_of.get(payment_id, [])
    booked = [entry for entry in entries if entry.fact.type == "payment.captured"]
    amounts = Counter(entry.fact.amount for entry in booked)
    amounts.subtract(by_key.values())
    found = [
        f"{payment_id}: a capture of {amount} had its yes, and is not in the ledger"
        for amount, left in amounts.items()
        if left < 0
    ]
    path = f"{payment_id}/capture"
    keys = {asked.key for asked in evidence.asked if asked.path.endswith(path)}
    if len(booked) > len(keys):
        what = f"{payment_id}: {len(booked)} captures for {len(keys)} keys"
        found.append(f"{what} ({booked[-1].place})")
    return found


def same_key_same_answer(evidence: Evidence) -> list[str]:
    """All final answers to one request under one key are the same bytes; another request under that
    key has none of its own. A key that was taken anew after its day has an answer for each day."""
    found = []
    for (merchant, key), tries in keyed(evidence).items():
        others = _others([asked for asked in tries if is_final(asked)])
        if others:
            found += others[_lives(evidence, f"{merchant} {key}") - 1 :]
    return found


def _others(finals: list[Asked]) -> list[str]:
    """A sentence for each answer of this key that is not its first one, in the order of coming."""
    found: dict[tuple[object, ...], str] = {}
    for later in finals:
        first = finals[0]
        request = _request(later)
        what = f"key {later.key}: try {later.tried} of {later.path} has another answer"
        if request != _request(first):
            what = f"key {later.key}: {later.path} and {first.path} both have an answer"
        said = f"{what} ({later.status}, first {first.status})"
        found.setdefault((*request, later.status, later.answer), said)
    return list(found.values())[1:]


def _lives(evidence: Evidence, key: str) -> int:
    """How often the gateway took a key that nobody had to know any more, the first time with it:
    each taking is a day of business time after the one before. A client that asks for so long, or
    while days are made to pass, has no right to its old answer."""
    count, last_ms, mark = 1, 0, b'"key_taken","key":"%b"' % key.encode()
    for step, business_ms in evidence.books.decided("gateway"):
        if any(mark in bytes(raw) for raw in step.events):
            count += bool(last_ms) and business_ms - last_ms >= KEY_MS
            last_ms = business_ms
    return count


def one_effect_a_key(evidence: Evidence) -> list[str]:
    """What was refused left nothing under its key, and no key made two things."""
    made: Counter[tuple[str | None, str]] = Counter()
    for entry in evidence.books.entries:
        if entry.fact.type in ("payment.created", "refund.requested"):
            key = entry.fact.data.idempotency_key
            made[entry.fact.merchant_id, key] += key is not None
    found = []
    for scope, tries in keyed(evidence).items():
        refused = all(asked.status in _REFUSED for asked in tries)
        if refused and made[scope]:
            statuses = sorted({asked.status or 0 for asked in tries})
            found.append(f"key {scope[1]}: refused with {statuses}, and it left an entry")
    return found


_REFUSED = frozenset({400, 401, 403, 404, 413, 415, 422, 429})


def refused_changes_nothing(evidence: Evidence) -> list[str]:
    """No entry was made by a request that was refused: each has a correlation id of its own."""
    by_request: dict[str, Entry] = {}
    for entry in evidence.books.entries:
        by_request.setdefault(entry.fact.correlation_id, entry)
    found = []
    for asked in evidence.asked:
        made = by_request.get(asked.headers.get("x-correlation-id", ""))
        if asked.status in _REFUSED and made is not None:
            what = f"{asked.status} to {asked.method} {asked.path} of key {asked.key}"
            found.append(f"{what}, and it left {made.fact.type} of {made.fact.ref} ({made.place})")
    return found


def errors_are_honest(evidence: Evidence) -> list[str]:
    """Each error is a problem with code and correlation id, and shows nothing of our inside."""
    found = one_effect_a_key(evidence)
    for asked in evidence.asked:
        if asked.status is None or asked.status < 400:
            continue
        what = f"{asked.status} to {asked.method} {asked.path} of key {asked.key}"
        fields = decoded(asked.answer)
        if not isinstance(fields, dict):
            found.append(f"{what} is no JSON object")
            continue
        if asked.status == 500 and not _is_set_aside(evidence, fields):
            found.append(f"{what}: {fields.get('detail')}")
        missing = [name for name in _PROBLEM if name not in fields]
        if missing:
            found.append(f"{what} lacks {', '.join(missing)}")
        elif fields["status"] != asked.status:
            found.append(f"{what} says {fields['status']} inside")
        if any(mark in asked.answer for mark in _INSIDES):
            found.append(f"{what} shows our inside: {asked.answer[:120]!r}")
        given = asked.headers.get("x-correlation-id")
        if given is not None and fields.get("correlation_id") != given and not _replayed(asked):
            found.append(f"{what} has correlation id {fields.get('correlation_id')}, not {given}")
    return found


def _is_set_aside(evidence: Evidence, problem: dict[str, Any]) -> bool:
    """Whether what failed inside is a dead letter, as its sender was told."""
    mark = f'"{problem.get("correlation_id")}"'.encode()
    return any(mark in evidence.books.bytes_of(book_path(name)) for name in evidence.actors)


def _replayed(asked: Asked) -> bool:
    """An answer given again is given byte for byte, with the correlation id that it had."""
    return asked.headers.get("idempotent-replayed") == "true"


def nobody_is_left_asking(evidence: Evidence) -> list[str]:
    """At rest, each request under each key has an answer that says how it ended."""
    found = []
    for (_, key), tries in keyed(evidence).items():
        for (method, path, _), group in groupby(sorted(tries, key=_request), key=_request):
            mine = list(group)
            if all(map(_is_open, mine)) and not _is_poisoned(evidence, mine[0]):
                statuses = [asked.status for asked in mine]
                found.append(f"key {key}: {method} {path} is still open after {statuses}")
    return found


def _is_open(asked: Asked) -> bool:
    """Whether nobody knows from this answer how it ended."""
    if asked.status is None or asked.status >= 500:
        return True
    return asked.status in (202, 429) or (asked.status == 409 and not is_final(asked))


def _request(asked: Asked) -> tuple[str, str, bytes]:
    return asked.method, asked.path, asked.body


def _is_poisoned(evidence: Evidence, asked: Asked) -> bool:
    """Whether this request carries what its reader cannot decide: it stays open, as a 500."""
    names = asked.key, asked.headers.get("x-correlation-id")
    return any(mark and (mark.encode() in asked.body or mark in names) for mark in evidence.poison)


INVARIANTS = (
    Invariant("I1", "every yes is in the ledger", every_yes_is_in_the_ledger),
    Invariant("I3", "the same key has the same answer", same_key_same_answer),
    Invariant("I25", "errors are honest", errors_are_honest),
    Invariant("I25b", "what is refused changes nothing", refused_changes_nothing),
    Invariant("I22a", "nobody is left asking", nobody_is_left_asking, needs_rest=True),
)
