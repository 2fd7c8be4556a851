"""What clients and watchers saw from outside, held against the files.

History: one JSON line per thing that happened to a client: `at, phase (invoke | answer | dropped),
operation (create | authorize | capture | cancel | tokenize), key, payment_id, status, body_sha,
amount, currency, merchant`, and with a 409 its `code` and `retryable`.
Heads: `at, path, line, hash` of the last line of a book at some moment of the run.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.auditor.files import Line, read_plain
from tests.auditor.ledger import Payment
from tests.auditor.report import Report

#: What a final answer to an operation must have left in the ledger, exactly once.
LEAVES = {
    ("create", 201): ("payment.created",),
    ("create", 200): ("payment.created",),
    ("authorize", 200): ("payment.authorized", "payment.captured", "payment.requires_action"),
    ("authorize", 201): ("payment.authorized", "payment.captured"),
    ("authorize", 402): ("payment.declined",),
    ("cancel", 200): ("payment.reversed", "payment.released"),
    ("cancel", 201): ("payment.reversed", "payment.released"),
}
CAPTURED = {("capture", 200), ("capture", 201)}


@dataclass(frozen=True, slots=True)
class Answer:
    """One final answer, and where the history has it."""

    path: str
    number: int
    fields: dict[str, Any]

    @property
    def what(self) -> tuple[str, int]:
        return self.fields["operation"], self.fields["status"]

    @property
    def scope(self) -> tuple[str, str, str]:
        return self.fields.get("merchant") or "", self.fields["operation"], self.fields["key"]


def check_history(history: Path, payments: dict[str, Payment], report: Report) -> None:
    """Every acknowledged write is in the ledger once, and one key had one answer."""
    answers = []
    invoked: dict[str, set[str]] = defaultdict(set)
    for number, fields in read_plain(history, report, "history"):
        report.saw("history")
        if fields.get("phase") == "invoke" and fields.get("operation") == "capture":
            invoked[fields["payment_id"]].add(fields["key"])
        if fields.get("phase") == "answer" and is_final(fields):
            answers.append(Answer(str(history), number, fields))
    first = _one_answer(answers, report)
    for answer in first:
        _left_its_entry(answer, payments, report)
    _captured_once(first, invoked, payments, report)


def is_final(fields: dict[str, Any]) -> bool:
    """Whether the same key must give this very answer for ever."""
    status = fields.get("status")
    if status == 409:
        return fields.get("retryable") is False  # of a state machine, not in flight or in doubt
    return status in (200, 201, 402)


def _one_answer(answers: list[Answer], report: Report) -> list[Answer]:
    """The first final answer of each key; every later one that differs is reported."""
    first: dict[tuple[str, str, str], Answer] = {}
    for answer in answers:
        if answer.what[0] == "tokenize":
            continue
        known = first.setdefault(answer.scope, answer)
        names = ("status", "body_sha", "payment_id")
        differ = [n for n in names if answer.fields.get(n) != known.fields.get(n)]
        if differ:
            message = (
                f"key {answer.fields['key']}: {', '.join(differ)} not as at line {known.number}"
            )
            report.add("same key same answer", answer.path, answer.number, message)
        report.saw("same key same answer")
    return list(first.values())


def _left_its_entry(answer: Answer, payments: dict[str, Payment], report: Report) -> None:
    wanted = LEAVES.get(answer.what)
    if wanted is None and answer.what not in CAPTURED:
        return
    report.saw("acknowledged")
    fields = answer.fields
    payment = payments.get(fields["payment_id"])
    if payment is None:
        message = f"{fields['payment_id']}: acknowledged with {answer.what}, not in the ledger"
        report.add("acknowledged", answer.path, answer.number, message)
        return
    if wanted is not None:
        found = payment.of_type(*wanted)
        if not found or (wanted[0] == "payment.created" and len(found) != 1):
            message = f"{fields['payment_id']}: {len(found)} entries {' or '.join(wanted)}"
            report.add("acknowledged", answer.path, answer.number, message)
    _same_facts(answer, payment.created, report)


def _same_facts(answer: Answer, created: Line, report: Report) -> None:
    fields = answer.fields
    pairs = [("currency", "currency"), ("merchant", "merchant_id")]
    if fields["operation"] == "create":
        pairs.append(("amount", "amount"))
        key = (created["data"] or {}).get("idempotency_key")
        if key not in (None, fields["key"]):
            message = f"{fields['payment_id']}: created with key {key}, not {fields['key']}"
            report.add("acknowledged", answer.path, answer.number, message)
    for ours, theirs in pairs:
        if fields.get(ours) is not None and fields[ours] != created[theirs]:
            message = (
                f"{fields['payment_id']}: {ours} {fields[ours]} acknowledged,"
                f" {created[theirs]} at {created.path}:{created.number}"
            )
            report.add("acknowledged", answer.path, answer.number, message)


def _captured_once(
    answers: list[Answer],
    invoked: dict[str, set[str]],
    payments: dict[str, Payment],
    report: Report,
) -> None:
    """Each acknowledged capture has its entry with its amount, and no payment has more captures
    than keys that asked for one."""
    claims: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        if answer.what in CAPTURED:
            claims[answer.fields["payment_id"]].append(answer)
    for payment_id, acknowledged in claims.items():
        payment = payments.get(payment_id)
        if payment is None:
            continue
        booked = Counter(entry["amount"] for entry in payment.of_type("payment.captured"))
        for answer in acknowledged:
            amount = answer.fields["amount"]
            booked[amount] -= 1
            if booked[amount] < 0:
                message = f"{payment_id}: a capture of {amount} is not in the ledger"
                report.add("acknowledged", answer.path, answer.number, message)
    for payment_id, keys in invoked.items():
        captures = (
            payments[payment_id].of_type("payment.captured") if payment_id in payments else []
        )
        if len(captures) > len(keys):
            last = captures[-1]
            message = f"{payment_id}: {len(captures)} captures for {len(keys)} keys"
            report.add("acknowledged", last.path, last.number, message)


def check_heads(heads: Path, books: dict[str, list[Line]], report: Report) -> None:
    """No rollback: every head that was seen still lies on its chain, at its place."""
    hashes = {path: {line.number: line.hash for line in lines} for path, lines in books.items()}
    for number, fields in read_plain(heads, report, "heads"):
        report.saw("heads")
        now = hashes.get(fields["path"], {}).get(fields["line"])
        if now != fields["hash"]:
            message = f"{fields['path']}:{fields['line']} was seen with another hash"
            report.add("heads", str(heads), number, message)
