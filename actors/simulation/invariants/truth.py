"""What really happened at the providers, held against the books: nothing twice, nothing unbooked.

The truth is written by the providers and never read by the gateway: it is the witness of money.
"""

from collections import Counter
from itertools import pairwise

from actors.simulation.evidence import Evidence
from actors.simulation.invariants.invariant import Invariant
from actors.simulation.reading import PAYOUT, Row, provider_of
from actors.simulation.told import Payment

#: What may be done more than once under one reference, each time with a name of its own.
_NAMED = frozenset(
    {"chargeback", "chargeback_reversed", "second_chargeback", "dispute_fee"}
    | {"dispute_closed", "inquiry", PAYOUT}
)
KEY_MS = 86_400_000  # so long a key names one request at least
LIVE = frozenset({"authorized", "captured", "settled", "chargeback"})
CLOSED = frozenset({"declined", "reversed"})


def no_double_charge(evidence: Evidence) -> list[str]:
    """Over all providers: at most one live approval for a payment, so many captures as fit into it,
    each reference done once; and a key makes one payment."""
    found = _done_twice(evidence.books.truths)
    for payment_id, rows in evidence.books.truths_of.items():
        found += _live(payment_id, rows)
    return found + _one_payment_a_key(evidence)


def _done_twice(truths: list[Row]) -> list[str]:
    found: list[str] = []
    seen: dict[tuple[str, str, str], Row] = {}
    for row in truths:
        operation = str(row["operation"])
        name = row["operation_id"] if operation in _NAMED else ""
        key = (str(row["reference"]), operation, str(name))
        if key in seen:
            found.append(f"{key[0]}: {operation} happened twice ({seen[key].place}, {row.place})")
        seen[key] = row
    return found


def _live(payment_id: str, rows: list[Row]) -> list[str]:
    count = Counter(str(row["operation"]) for row in rows)
    live = count["authorize"] - count["reverse"]
    # What was reversed after a capture was the rest of a hold.
    if live > 1:
        return [f"{payment_id}: {live} live approvals over all providers ({rows[-1].place})"]
    held = max((row["amount"] for row in rows if row["operation"] == "authorize"), default=0)
    captured = sum_of(rows, "capture")
    if captured > held:
        what = f"{payment_id}: {captured} really captured of {held} held"
        return [f"{what} ({rows[-1].place})"]
    if count["reverse"] > count["authorize"]:
        what = f"{payment_id}: {count['reverse']} reversals of {count['authorize']} approvals"
        return [f"{what} ({rows[-1].place})"]
    return []


def _one_payment_a_key(evidence: Evidence) -> list[str]:
    by_key: dict[tuple[str | None, str], list[Payment]] = {}
    for payment in evidence.told.payments.values():
        key = payment.first.fact.data.idempotency_key
        if key is not None:
            by_key.setdefault((payment.first.fact.merchant_id, key), []).append(payment)
    twice = {key: made for key, made in by_key.items() if len(made) > 1}
    if not twice:
        return []
    decided = business_ms(evidence)
    found = []
    for (_, key), made in twice.items():
        for before, payment in pairwise(made):
            ids = before.first.fact.event_id, payment.first.fact.event_id
            if decided.get(ids[1], 0) - decided.get(ids[0], 0) < KEY_MS:
                what = f"key {key} made {before.id} and {payment.id}"
                found.append(f"{what} ({payment.first.place})")
    return found


def business_ms(evidence: Evidence) -> dict[str, int]:
    """When each entry was decided, in business time, by event id."""
    return {
        ident: moment
        for step, moment in evidence.books.decided("gateway")
        for posted in step.books
        if (ident := _event_id(bytes(posted.line)))
    }


def _event_id(line: bytes) -> str:
    begin = line.find(b'"event_id":"') + 12
    return line[begin : line.find(b'"', begin)].decode() if begin > 11 else ""


def booked_is_true(evidence: Evidence) -> list[str]:
    """What the ledger calls authorized or captured really happened there, for that amount, after it
    was announced."""
    really: Counter[tuple[str, str, str, int]] = Counter()
    for row in evidence.books.truths:
        key = (provider_of(row), str(row["reference"]), str(row["operation"]), int(row["amount"]))
        really[key] += 1
    announced = set()
    found = []
    for entry in evidence.books.entries:
        kind, data = entry.fact.type, entry.fact.data
        if kind == "payment.attempt_started":
            announced.add((data.provider, data.reference))
        operation = _OPERATIONS.get(kind)
        if operation is None:
            continue
        if not really[(data.provider, data.reference, operation, entry.fact.amount)]:
            what = f"{data.reference}: {kind} of {entry.fact.amount}, and {data.provider} did not"
            found.append(f"{what} ({entry.place})")
    for row in evidence.books.truths:
        if (
            row["operation"] == "authorize"
            and (provider_of(row), row["reference"]) not in announced
        ):
            found.append(f"{row['reference']}: charged, and never announced ({row.place})")
    return found


_OPERATIONS = {
    "payment.authorized": "authorize",
    "payment.captured": "capture",
    "refund.succeeded": "refund",
}


def truth_is_booked(evidence: Evidence) -> list[str]:
    """At rest, each payment's money at the providers is what its entries say, to the unit."""
    found = []
    told, truths = evidence.told.payments, evidence.books.truths_of
    for payment_id, rows in truths.items():
        if payment_id not in told:
            found.append(f"{payment_id}: not in the ledger ({rows[0].place})")
    for payment_id, payment in told.items():
        rows = truths.get(payment_id, [])
        place = rows[-1].place if rows else payment.first.place
        for name, theirs, ours in _pairs(payment, rows):
            if theirs != ours:
                what = f"{payment_id}: {theirs} {name} in truth, {ours} in the books"
                found.append(f"{what}, which have it {payment.state} ({place})")
    return found


def _pairs(payment: Payment, rows: list[Row]) -> list[tuple[str, int, int]]:
    """What must be the same at the providers and in our books."""
    held, given_back = sum_of(rows, "authorize"), sum_of(rows, "reverse")
    is_live = payment.state in LIVE
    # After a capture, what was given back is the rest of the same hold.
    rest = given_back if payment.captured else 0
    taken = sum_of(rows, "chargeback") + sum_of(rows, "second_chargeback")
    return [
        ("held", held - given_back + rest, payment.authorized if is_live else 0),
        ("captured", sum_of(rows, "capture"), payment.captured),
        ("refunded", sum_of(rows, "refund") - sum_of(rows, "refund_failed"), payment.refunded),
        (
            "disputed",
            taken - sum_of(rows, "chargeback_reversed"),
            payment.disputed + payment.charged_back,
        ),
    ]


def sum_of(rows: list[Row], operation: str) -> int:
    return sum(int(row["amount"]) for row in rows if row["operation"] == operation)


INVARIANTS = (
    Invariant("I2", "no double charge", no_double_charge),
    Invariant("M1", "what is booked really happened", booked_is_true),
    Invariant("M2", "what really happened is booked", truth_is_booked, needs_rest=True),
)
