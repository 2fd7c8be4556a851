"""The ledger by itself: gapless, balanced at every prefix, and no payment that jumps.

The moves below are written down from the rules' page: states and the edges between them, and
which entry leads where. An entry that leads nowhere leaves the state as it is.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from tests.auditor.files import Line, gapless
from tests.auditor.report import Report

LEDGER = ("payments", "refunds", "disputes")
OUTBOX = "data/outbox/events.jsonl"
#: How long a key names one request at least, in business time.
KEY_MS = 86_400_000

EDGES = {
    "created": {"processing", "reversed"},
    "processing": {"requires_action", "authorized", "captured", "declined", "unknown"},
    "requires_action": {"processing", "declined", "reversed"},
    "unknown": {"authorized", "captured", "declined", "reversed"},
    "authorized": {"captured", "reversed"},
    "captured": {"settled", "chargeback"},
    "settled": {"chargeback"},
    "declined": set(),
    "reversed": set(),
    "chargeback": set(),
}
LEADS_TO = {
    "payment.attempt_started": "processing",
    "payment.requires_action": "requires_action",
    "payment.authorized": "authorized",
    "payment.captured": "captured",
    "payment.declined": "declined",
    "payment.unknown": "unknown",
    "payment.reversed": "reversed",
    "payment.settled": "settled",
    "payment.charged_back": "chargeback",
}
#: The same entry again, or one about an operation, which moves nothing: allowed in these states.
STAYS = {
    "payment.attempt_started": {"processing"},  # the attempt before was safely refused
    # Doubt belongs to the operation, and what was under way, held or unsettled when a dispute was
    # lost comes to its end.
    "payment.captured": {"captured", "chargeback"},  # a further part
    "payment.unknown": {"authorized", "captured", "settled", "chargeback"},
    "payment.settled": {"settled", "chargeback"},
    "payment.charged_back": {"chargeback"},
    "payment.capture_requested": {"authorized", "captured"},
    "payment.reversal_requested": {"processing", "unknown", "authorized", "captured", "chargeback"},
    "payment.operation_failed": {"processing", "unknown", "authorized", "captured", "chargeback"},
    "payment.released": {"captured", "settled", "chargeback"},
    "payment.late_approval_reversed": set(EDGES),
    "fee.charged": {"captured", "settled", "chargeback"},
}
SETTLED = "payment.settled"
ONCE = ("payment.created", "payment.authorized", "payment.declined", "payment.reversed")


@dataclass(slots=True)
class Payment:
    """What the auditor's own fold knows of one payment."""

    created: Line
    state: str = "created"
    entries: list[Line] = field(default_factory=list)
    authorized_minor: int | None = None
    captured_minor: int = 0

    @property
    def is_settled(self) -> bool:
        """Every capture is in a statement, and nothing may be captured any more."""
        captures = self.of_type("payment.captured")
        settled = {(entry["data"] or {}).get("capture_id") for entry in self.of_type(SETTLED)}
        held = self.authorized_minor if self.authorized_minor is not None else self.captured_minor
        is_over = (
            bool(self.of_type("payment.released"))
            or any((entry["data"] or {}).get("final_capture") for entry in captures)
            or self.captured_minor == held
        )
        return (
            is_over and {(entry["data"] or {}).get("capture_id") for entry in captures} <= settled
        )

    def of_type(self, *types: str) -> list[Line]:
        return [entry for entry in self.entries if entry["type"] in types]


def check_ledger(
    books: dict[str, list[Line]], report: Report, decided_ms: Mapping[str, int] | None = None
) -> dict[str, Payment]:
    """All rules of the ledger alone. `decided_ms` is the business time of its lines, by hash, and
    tells when a key was free again. Result: its payments, by id."""
    files = [books.get(f"data/ledger/{name}.jsonl", []) for name in LEDGER]
    entries = sorted((line for lines in files for line in lines), key=lambda e: e["seq"] or 0)
    gapless(entries, report, "ledger seq")
    _events_once(entries, report)
    _balanced(entries, report)
    _in_outbox(entries, books.get(OUTBOX, []), report)
    _cases(entries, report)
    payments = _payments(entries, report)
    _created_once_per_key(payments, decided_ms or {}, report)
    return payments


def _events_once(entries: list[Line], report: Report) -> None:
    seen: set[str] = set()
    for entry in entries:
        if entry["event_id"] in seen:
            message = f"event {entry['event_id']} stands twice"
            report.add("ledger seq", entry.path, entry.number, message)
        seen.add(entry["event_id"])


def _balanced(entries: list[Line], report: Report) -> None:
    """Each entry sums to zero per currency, so every prefix does: the trial balance is kept along
    the way and compared with nothing but zero."""
    trial: Counter[str] = Counter()
    for entry in entries:
        sums: Counter[str] = Counter()
        for posting in entry["postings"] or []:
            if type(posting.get("amount")) is not int:
                report.add("postings", entry.path, entry.number, "an amount is no whole number")
                continue
            sums[posting["currency"]] += posting["amount"]
        trial.update(sums)
        report.saw("postings", len(entry["postings"] or []))
        wrong = {currency: total for currency, total in sums.items() if total}
        if wrong:
            message = f"postings do not sum to zero: {wrong}"
            report.add("postings", entry.path, entry.number, message)
    for currency, total in trial.items():
        if total:
            message = f"the trial balance of {currency} is {total}"
            report.add("postings", "data/ledger/payments.jsonl", 0, message)


def _in_outbox(entries: list[Line], events: list[Line], report: Report) -> None:
    """Each entry has its event, with the same id and in the same order."""
    for place, entry in enumerate(entries):
        event = events[place] if place < len(events) else None
        if event is None:
            message = f"{entry['event_id']} has no event in the outbox"
            report.add("outbox", entry.path, entry.number, message)
            return
        event_id = event["id"] or event["event_id"]
        if event_id != entry["event_id"]:
            message = f"event {event_id} where {entry['event_id']} was due"
            report.add("outbox", event.path, event.number, message)
            return
    for event in events[len(entries) :]:
        report.add("outbox", event.path, event.number, "an event without an entry")
    report.saw("outbox", len(events))


def _cases(entries: list[Line], report: Report) -> None:
    """A case is opened once and closed at most once, about the same payment, by somebody."""
    about: dict[str, object] = {}
    closed: set[str] = set()
    for entry in entries:
        kind, ref, data = str(entry["type"]), str(entry["ref"]), entry["data"] or {}
        if not kind.startswith("case."):
            continue
        report.saw("cases")
        wrong = None
        if kind == "case.opened":
            wrong = "is opened twice" if ref in about else None
            about.setdefault(ref, data.get("payment_id"))
        elif ref not in about or ref in closed:
            wrong = "is closed and is not open"
        elif data.get("payment_id") != about[ref] or not data.get("closed_by"):
            wrong = "is closed by nobody, or about another payment"
        if kind == "case.closed":
            closed.add(ref)
        if wrong:
            report.add("cases", entry.path, entry.number, f"{ref} {wrong}")


def _payments(entries: list[Line], report: Report) -> dict[str, Payment]:
    payments: dict[str, Payment] = {}
    for entry in entries:
        kind, ref = str(entry["type"]), str(entry["ref"])
        if not kind.startswith("payment.") and kind != "fee.charged":
            continue
        payment = payments.get(ref)
        if payment is None:
            if kind != "payment.created":
                message = f"{ref}: {kind} of a payment that was never created"
                report.add("moves", entry.path, entry.number, message)
                continue
            payment = payments[ref] = Payment(entry)
        else:
            _move(payment, entry, report)
        payment.entries.append(entry)
        # A part that is settled leaves the payment captured; the release of the rest may settle it.
        if payment.state in ("captured", "settled") and kind in (SETTLED, "payment.released"):
            payment.state = "settled" if payment.is_settled else "captured"
    report.saw("payments", len(payments))
    return payments


def _move(payment: Payment, entry: Line, report: Report) -> None:
    kind, was = str(entry["type"]), payment.state
    report.saw("moves")
    target = LEADS_TO.get(kind)
    if kind in ONCE and payment.of_type(kind):
        message = f"{entry['ref']}: {kind} a second time"
        report.add("moves", entry.path, entry.number, message)
    elif was not in STAYS.get(kind, ()) and target not in EDGES[was]:
        message = f"{entry['ref']}: {kind} cannot follow {was}"
        report.add("moves", entry.path, entry.number, message)
    if target is not None and was not in STAYS.get(kind, ()):
        payment.state = target
    _amounts(payment, entry, report)


def _amounts(payment: Payment, entry: Line, report: Report) -> None:
    """Authorized is what was asked for; captured never exceeds it."""
    created, kind = payment.created, entry["type"]
    if (entry["merchant_id"], entry["currency"]) != (created["merchant_id"], created["currency"]):
        message = f"{entry['ref']}: merchant or currency differs from when it was created"
        report.add("amounts", entry.path, entry.number, message)
    if kind == "payment.authorized":
        payment.authorized_minor = entry["amount"]
        if entry["amount"] != created["amount"]:
            message = f"{entry['ref']}: {entry['amount']} authorized of {created['amount']}"
            report.add("amounts", entry.path, entry.number, message)
    if kind == "payment.captured":
        payment.captured_minor += entry["amount"]
        held = payment.authorized_minor
        held = created["amount"] if held is None else held
        if payment.captured_minor > held or entry["amount"] < 1:
            message = f"{entry['ref']}: {payment.captured_minor} captured of {held}"
            report.add("amounts", entry.path, entry.number, message)
        _fresh_capture(payment, entry, report)


def _fresh_capture(payment: Payment, entry: Line, report: Report) -> None:
    """One capture is booked once, by its own id and by the provider's reference."""
    data = entry["data"] or {}
    for earlier in payment.of_type("payment.captured"):
        before = earlier["data"] or {}
        for name in ("capture_id", "reference"):
            if data.get(name) and data.get(name) == before.get(name):
                message = f"{entry['ref']}: capture {data[name]} is booked twice"
                report.add("amounts", entry.path, entry.number, message)


def _created_once_per_key(
    payments: dict[str, Payment], decided_ms: Mapping[str, int], report: Report
) -> None:
    """A key makes one payment while it lives. Without a journal that tells when, for ever."""
    by_key: dict[tuple[str, str], list[Line]] = defaultdict(list)
    for payment in payments.values():
        key = (payment.created["data"] or {}).get("idempotency_key")
        if key:
            by_key[(payment.created["merchant_id"], key)].append(payment.created)
    for (_, key), lines in by_key.items():
        for before, line in pairwise(lines):
            now_ms = decided_ms.get(line.hash, 0)
            if now_ms - decided_ms.get(before.hash, now_ms) < KEY_MS:
                message = f"key {key} created {before['ref']} and {line['ref']}"
                report.add("once per key", line.path, line.number, message)
    report.saw("once per key", len(by_key))


def dead_letters(books: dict[str, list[Line]], known: frozenset[str], report: Report) -> None:
    """No dead letter that is not in the baseline, but for deliveries that were given up."""
    for path, lines in books.items():
        if Path(path).parent.name != "dlq":
            continue
        report.saw("dead letters", len(lines))
        for line in lines:
            is_given_up = Path(path).stem == "dispatcher" and line["why"] == "exhausted"
            if line["id"] not in known and not is_given_up:
                message = f"new dead letter {line['id']}: {line['why']}"
                report.add("dead letters", path, line.number, message)
