"""What the providers really did, held against what the ledger says.

A truth line is one real effect. Per payment, over all providers: approvals minus reversals are
never more than one, each reference has each effect once, and what was captured fits what was held.
"""

from collections import Counter, defaultdict
from pathlib import Path

from tests.auditor.files import Line
from tests.auditor.ledger import Payment
from tests.auditor.report import Report

#: States in which nothing of a payment may still be held.
CLOSED = ("declined", "reversed")
PAYOUT = "payout"
PAYMENTS = "data/ledger/payments.jsonl"
WARNED, SUSPECTED = "fraud_warning", "early_fraud_warning"
ABOUT_DISPUTES = frozenset(
    {"chargeback", "chargeback_reversed", "second_chargeback", "dispute_fee"}
    | {"dispute_closed", "inquiry"}
)


def check_truth(books: dict[str, list[Line]], payments: dict[str, Payment], report: Report) -> None:
    """Every truth of this home against the ledger."""
    every = [line for path, lines in books.items() if _is_truth(path) for line in lines]
    effects = [line for line in every if line["operation"] != PAYOUT]
    by_payment: dict[str, list[Line]] = defaultdict(list)
    for line in effects:
        by_payment[str(line["reference"]).rpartition(".")[0]].append(line)
    report.saw("truth", len(effects))
    _once_per_reference(effects, report)
    for payment_id, lines in by_payment.items():
        payment = payments.get(payment_id)
        if payment is None:
            message = f"{payment_id}: an effect of a payment that the ledger does not know"
            report.add("truth", lines[0].path, lines[0].number, message)
            continue
        _one_live_approval(payment_id, payment, lines, report)
        _captures_fit(payment_id, lines, report)
        _attempt_before(payment_id, payment, lines, report)
        _asked_and_not_charged(payment, lines, report)
    _booked_is_true(payments, effects, report)
    _warned_once(books.get(PAYMENTS, []), effects, report)


def _is_truth(path: str) -> bool:
    return path.startswith("data/providers/") and path.endswith("_truth.jsonl")


def _provider(line: Line) -> str:
    return Path(line.path).name.removesuffix("_truth.jsonl")


def _of(lines: list[Line], operation: str) -> list[Line]:
    return [line for line in lines if line["operation"] == operation]


def _once_per_reference(effects: list[Line], report: Report) -> None:
    seen: dict[tuple[str, str, str], Line] = {}
    for line in effects:
        # A charge may be disputed more than once, under another name each time.
        name = line["operation_id"] if line["operation"] in ABOUT_DISPUTES else ""
        key = (line["reference"], line["operation"], name)
        if key in seen:
            first = seen[key]
            message = f"{key[0]}: {key[1]} happened twice, first at {first.path}:{first.number}"
            report.add("truth", line.path, line.number, message)
        seen.setdefault(key, line)


def _one_live_approval(
    payment_id: str, payment: Payment, lines: list[Line], report: Report
) -> None:
    """Approved minus reversed is at most one, and none once the payment is closed."""
    approvals, reversals = _of(lines, "authorize"), _of(lines, "reverse")
    live = len(approvals) - len(reversals)
    last = (approvals or reversals or lines)[-1]
    if live > 1:
        message = f"{payment_id}: {live} live approvals over all providers"
        report.add("double charge", last.path, last.number, message)
    elif live < 0:
        message = f"{payment_id}: {len(reversals)} reversals of {len(approvals)} approvals"
        report.add("double charge", last.path, last.number, message)
    elif live and payment.state in CLOSED:
        message = f"{payment_id}: {payment.state}, but an approval is still live"
        report.add("double charge", last.path, last.number, message)
    report.saw("double charge")


def _captures_fit(payment_id: str, lines: list[Line], report: Report) -> None:
    held = max((line["amount"] for line in _of(lines, "authorize")), default=0)
    captured = 0
    for line in _of(lines, "capture"):
        captured += line["amount"]
        if captured > held:
            message = f"{payment_id}: {captured} really captured of {held} held"
            report.add("double charge", line.path, line.number, message)


def _attempt_before(payment_id: str, payment: Payment, lines: list[Line], report: Report) -> None:
    """Each real charge was announced by an attempt with its reference and provider."""
    started = {
        (entry["data"]["reference"], entry["data"]["provider"]): entry
        for entry in payment.of_type("payment.attempt_started")
    }
    for line in _of(lines, "authorize"):
        entry = started.get((line["reference"], _provider(line)))
        if entry is None:
            message = f"{line['reference']}: charged without payment.attempt_started in the ledger"
            report.add("truth", line.path, line.number, message)
            continue
        ended = [
            e
            for e in payment.of_type("payment.authorized", "payment.captured")
            if e["data"]["reference"] == line["reference"]
        ]
        if ended and ended[0]["seq"] < entry["seq"]:
            message = f"{line['reference']}: its attempt is booked after its outcome"
            report.add("truth", entry.path, entry.number, message)


def _asked_and_not_charged(payment: Payment, lines: list[Line], report: Report) -> None:
    """A call that asked for its cardholder never charged: that is done under another reference."""
    asked = {entry["data"]["reference"] for entry in payment.of_type("payment.requires_action")}
    report.saw("challenges", len(asked))
    for line in lines:
        if line["reference"] in asked:
            message = f"{line['reference']}: its cardholder was asked for, and it charged"
            report.add("challenges", line.path, line.number, message)


def _booked_is_true(payments: dict[str, Payment], effects: list[Line], report: Report) -> None:
    """What the ledger calls authorized or captured really happened, there and for that amount;
    what was really captured is booked."""
    if not effects:
        return
    really: Counter[tuple[str, str, str, int, str]] = Counter()
    for line in effects:
        found = (_provider(line), line["reference"], line["operation"])
        really[(*found, line["amount"], line["currency"])] += 1
    booked = set()
    for payment in payments.values():
        for entry in payment.of_type("payment.authorized", "payment.captured"):
            operation = "authorize" if entry["type"] == "payment.authorized" else "capture"
            data = entry["data"]
            booked.add((data["reference"], operation))
            key = (data["provider"], data["reference"], operation)
            report.saw("booked is true")
            if not really[(*key, entry["amount"], entry["currency"])]:
                message = f"{data['reference']}: {entry['type']}, but {key[0]} did no such thing"
                report.add("booked is true", entry.path, entry.number, message)
    for line in _of(effects, "capture"):
        if (line["reference"], "capture") not in booked:
            message = f"{line['reference']}: really captured, not in the ledger"
            report.add("booked is true", line.path, line.number, message)


def _warned_once(entries: list[Line], effects: list[Line], report: Report) -> None:
    """Each case of suspected fraud is about one true warning, and no two are about the same one."""
    true = {(_provider(line), line["reference"], line["operation_id"])
            for line in _of(effects, WARNED)}  # fmt: skip
    seen: set[tuple[object, ...]] = set()
    for entry in entries:
        data = entry["data"] or {}
        if entry["type"] != "case.opened" or data.get("reason") != SUSPECTED:
            continue
        report.saw("warnings")
        key = (data.get("provider"), *data.get("references", ()))
        wrong = "is of a warning that nobody gave" if key not in true else None
        wrong = "is of a warning that has a case" if key in seen else wrong
        seen.add(key)
        if wrong or entry["postings"]:
            message = f"{entry['ref']} {wrong or 'moves money'}"
            report.add("warnings", entry.path, entry.number, message)
