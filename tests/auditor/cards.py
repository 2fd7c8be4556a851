"""Every card that left the vault, one to one: attempt in the ledger, line in the access log,
message in the vault's journal, charge at a provider.

A line without a reference, of a home from before there were any, is paired by count alone.
"""

from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from tests.auditor.files import Line, each_of_chain
from tests.auditor.ledger import Payment
from tests.auditor.report import Report

ACCESS_LOG = "data/vault/access_log.jsonl"
JOURNAL = "data/actors/vault/journal.jsonl"
CHECK = "cards"
LOG = "access log"


def check_cards(
    home: Path,
    books: dict[str, list[Line]],
    payments: dict[str, Payment],
    report: Report,
    *,
    clocks_agree: bool = True,
) -> None:
    """Truth, access log, ledger and journal against each other."""
    access = books.get(ACCESS_LOG, [])
    for line in access:
        report.saw(LOG)
        if not line["purpose"]:
            report.add(LOG, line.path, line.number, "an access without a purpose")
    charges = [
        line
        for path, lines in books.items()
        if path.startswith("data/providers/") and path.endswith("_truth.jsonl")
        for line in lines
        if line["operation"] == "authorize"
    ]
    _as_often(charges, access, report)
    let_out: dict[str, list[Line]] = defaultdict(list)
    for line in access:
        if is_let_out(line.fields):
            let_out[line["reference"]].append(line)
    for reference, lines in let_out.items():
        _once(reference, lines, payments, report)
    for charge in charges:
        of_it = let_out.get(str(charge["reference"]))
        if of_it:
            _fits(charge, of_it[0], report, clocks_agree=clocks_agree)
        elif let_out:
            message = f"{charge['reference']}: charged, and no line says that its card was let out"
            report.add(CHECK, charge.path, charge.number, message)
    _has_its_message(home, access, report)


def is_let_out(fields: dict[str, Any]) -> bool:
    """Whether it says that a card was sealed and sent for a payment."""
    return bool(
        fields.get("purpose") == "charge.authorize"
        and fields.get("outcome") == "allowed"
        and fields.get("origin") == "mailbox"
        and fields.get("reference")
    )


def _as_often(charges: list[Line], access: list[Line], report: Report) -> None:
    """No payment was charged more often than its card was let out."""
    let_out: Counter[str] = Counter()
    for line in access:
        if line["purpose"] == "charge.authorize" and line["outcome"] == "allowed":
            let_out[line["payment_id"]] += 1
    charged: dict[str, list[Line]] = defaultdict(list)
    for line in charges:
        charged[_payment_of(line["reference"])].append(line)
    for payment_id, lines in charged.items():
        if len(lines) > let_out[payment_id]:
            message = (
                f"{payment_id}: {len(lines)} charges, but {let_out[payment_id]} lines of the"
                " access log with purpose charge.authorize"
            )
            report.add(LOG, lines[-1].path, lines[-1].number, message)


def _once(reference: str, lines: list[Line], payments: dict[str, Payment], report: Report) -> None:
    """One line for one attempt, which says the same: payment, token, provider, request."""
    line = lines[0]
    report.saw(CHECK)
    for other in lines[1:]:
        message = f"{reference}: its card was let out before, {line.path}:{line.number}"
        report.add(CHECK, other.path, other.number, message)
    payment = payments.get(_payment_of(reference))
    started = [
        entry
        for entry in (payment.of_type("payment.attempt_started") if payment else [])
        if entry["data"]["reference"] == reference
    ]
    if payment is None or not started:
        message = f"{reference}: a card was let out, and the ledger has no such attempt"
        report.add(CHECK, line.path, line.number, message)
        return
    attempt, method = started[0], payment.created["data"].get("payment_method") or {}
    for name, ours, theirs in (
        ("payment", line["payment_id"], payment.created["ref"]),
        ("provider", line["provider"], attempt["data"]["provider"]),
        ("token", line["token"], method.get("token", line["token"])),
        ("merchant", line["merchant_id"], payment.created["merchant_id"]),
        ("correlation id", line["correlation_id"], attempt["correlation_id"]),
    ):
        if ours != theirs:
            message = f"{reference}: let out for {name} {ours}, but the attempt says {theirs}"
            report.add(CHECK, line.path, line.number, message)


def _fits(charge: Line, line: Line, report: Report, *, clocks_agree: bool) -> None:
    """Its line is no later than the charge, and names the provider that charged. Where the clock
    was set, each process has a time of its own: that the line came first is then for the step of
    the vault to show, which has both the line and the message."""
    provider = Path(charge.path).name.removesuffix("_truth.jsonl")
    if line["provider"] != provider:
        message = f"{charge['reference']}: charged here, but let out for {line['provider']}"
        report.add(CHECK, charge.path, charge.number, message)
    if clocks_agree and line["at"] > charge["at"]:
        message = f"{charge['reference']}: charged before its line, {line.path}:{line.number}"
        report.add(CHECK, charge.path, charge.number, message)


def _has_its_message(home: Path, access: list[Line], report: Report) -> None:
    """Each step of the vault that lets a card out has one line and one message, of one reference;
    and each line in the log is of such a step."""
    if not (home / JOURNAL).exists():
        return
    said = set()
    for step in each_of_chain(home, JOURNAL, Report()):  # its chain is checked elsewhere
        posted = [post["line"] for post in step["books"] or [] if post.get("book") == "access"]
        let_out = [line for line in posted if is_let_out(line)]
        sent = [out["body"] for out in step["out"] or [] if out.get("kind") == "charge"]
        said |= {line["hash"] for line in let_out}
        if sorted(one["reference"] for one in let_out) != sorted(one["reference"] for one in sent):
            message = "what the vault let out and what it wrote down are not the same"
            report.add(CHECK, step.path, step.number, message)
        elif [one["token"] for one in let_out] != [one["token"] for one in sent]:
            message = "the card that was sent is not the one that was written down"
            report.add(CHECK, step.path, step.number, message)
    for line in access:
        if is_let_out(line.fields) and line.hash not in said:
            message = f"{line['reference']}: written down, and no card was sent"
            report.add(CHECK, line.path, line.number, message)


def _payment_of(reference: Any) -> str:
    return str(reference).rpartition(".")[0]
