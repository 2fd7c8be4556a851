"""The providers' own papers: statements and bank files against the truth, the ledger and reports.

Amounts in these files are major units as each provider writes them; here they are counted anew.
Where a drill spoiled a statement, the provider's journal says so: its statements are then no
witness of single lines, and its breaks are explained.
"""

import csv
import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.auditor.claims import EFFECTS, Movement
from tests.auditor.files import Line, parsed, raw_lines
from tests.auditor.ledger import Payment
from tests.auditor.report import Report
from tests.auditor.truth import ABOUT_DISPUTES

PROVIDERS = {"providerA": "provider-a", "providerB": "provider-b"}
PAYMENTS = "data/ledger/payments.jsonl"
CLAIMS = ("data/ledger/refunds.jsonl", "data/ledger/disputes.jsonl")
#: Currencies whose minor unit is not a hundredth.
_PLACES = {"JPY": 0, "KRW": 0, "CLP": 0, "VND": 0, "BHD": 3, "KWD": 3, "TND": 3, "JOD": 3}
#: What may move money between a provider and our bank where nothing was adjusted by people.
_PLAIN = {"payment.captured", "fee.charged", "payment.settled", "provider.payout_received"}
_PLAIN |= {"refund.succeeded", "refund.failed", "payout.paid", "payout.failed"}
_PLAIN |= {f"dispute.{name}" for name in ("opened", "submitted", "won", "lost")}
#: What each provider calls the lines that we know, in our words.
_A_KINDS = {
    "charge": "capture",
    "refund": "refund",
    "refund_failure": "refund_failed",
    "dispute": "chargeback",
    "dispute_reversal": "chargeback_reversed",
    "dispute_second": "second_chargeback",
    "fee": "dispute_fee",
}
_B_KINDS = {
    "Settled": "capture",
    "Refunded": "refund",
    "RefundedReversed": "refund_failed",
    "Chargeback": "chargeback",
    "ChargebackReversed": "chargeback_reversed",
    "SecondChargeback": "second_chargeback",
    "Fee": "dispute_fee",
}
Money = Counter[tuple[str, str]]  # by (batch or account, currency), minor units


@dataclass(frozen=True, slots=True)
class Stated:
    """One line of a statement: a capture, or what went back, below zero."""

    path: str
    number: int
    batch_id: str
    kind: str
    reference: str
    operation_id: str
    currency: str
    gross: int
    net: int


def check_stated(
    home: Path,
    books: dict[str, list[Line]],
    payments: dict[str, Payment],
    movements: list[Movement],
    report: Report,
) -> dict[str, list[Stated]]:
    """Statements, bank files, reports and the accounts between. Result: captures by provider."""
    entries = [line for path in (PAYMENTS, *CLAIMS) for line in books.get(path, [])]
    is_plain = _moves_plainly(entries)
    found = {}
    for provider, actor in PROVIDERS.items():
        spoiled = _spoiled(home, actor)
        found[provider] = _statements(home, provider, report)
        if not spoiled:
            truth = books.get(f"data/providers/{provider}_truth.jsonl", [])
            _once(found[provider], truth, report)
            banked = _banked(home, provider, found[provider], report)
            _received(provider, entries, banked, report)
        if is_plain:
            moved = [one for one in movements if one.provider == provider]
            _accounts(provider, entries, payments, moved, report)
    if not any(_spoiled(home, actor) for actor in PROVIDERS.values()):
        _no_breaks(home, entries, report)
    return found


def all_settled(
    payments: dict[str, Payment],
    movements: list[Movement],
    found: dict[str, list[Stated]],
    report: Report,
) -> None:
    """At the end of a day on which everything was settled: each capture is, by its statement, and
    so is all that went back."""
    stated = {line.operation_id for lines in found.values() for line in lines}
    for payment in payments.values():
        settled = {(e["data"] or {}).get("capture_id") for e in payment.of_type("payment.settled")}
        for entry in payment.of_type("payment.captured"):
            report.saw("all settled")
            ident = entry["data"]["capture_id"]
            if ident not in settled or ident not in stated:
                where = "statement" if ident not in stated else "entry payment.settled"
                message = f"{entry['ref']}: {ident} was captured and has no {where}"
                report.add("all settled", entry.path, entry.number, message)
    entries = [e for payment in payments.values() for e in payment.of_type("payment.settled")]
    done = _claims_settled(entries)
    for one in movements:
        report.saw("all settled")
        if (one.entry["ref"], one.effect) not in done:
            message = f"{one.entry['ref']}: {one.effect} has no entry payment.settled"
            report.add("all settled", one.entry.path, one.entry.number, message)


def _claims_settled(entries: list[Line]) -> set[tuple[str | None, str | None]]:
    """(claim, effect) of what went back and was found in a statement."""
    data = [entry["data"] or {} for entry in entries if entry["type"] == "payment.settled"]
    done = {(one.get("claim_id"), one.get("effect")) for one in data}
    return done | {(one.get("refund_id"), "refund") for one in data}


def _minor(text: str, currency: str) -> int:
    return int(Decimal(text or "0").scaleb(_PLACES.get(currency, 2)))


def _statements(home: Path, provider: str, report: Report) -> list[Stated]:
    found = []
    folder = home / "data/providers/statements" / provider
    for path in sorted(folder.glob(f"{provider}-*.csv")):
        with path.open(newline="") as file:
            for number, row in enumerate(csv.DictReader(file), 2):
                report.saw("statements")
                name = str(path.relative_to(home))
                line = _a(name, number, path.stem, row) or _b(name, number, path.stem, row)
                if line is not None:
                    found.append(line)
    return found


def _a(path: str, number: int, batch_id: str, row: dict[str, str]) -> Stated | None:
    kind = _A_KINDS.get(row.get("reporting_category", ""))
    if kind is None:
        return None
    code = row["currency"].upper()
    return Stated(
        path,
        number,
        batch_id,
        kind,
        row["payment_metadata[reference]"],
        row["description"],
        code,
        _minor(row["gross"], code),
        _minor(row["net"], code),
    )


def _b(path: str, number: int, batch_id: str, row: dict[str, str]) -> Stated | None:
    kind = _B_KINDS.get(row.get("Type", ""))
    if kind is None:
        return None
    code = row["Gross Currency"]
    return Stated(
        path,
        number,
        batch_id,
        kind,
        row["Merchant Reference"],
        row["Modification Merchant Reference"],
        code,
        _minor(row["Gross Credit (GC)"], code) - _minor(row["Gross Debit (GC)"], code),
        _minor(row["Net Credit (NC)"], code) - _minor(row["Net Debit (NC)"], code),
    )


def _spoiled(home: Path, actor: str) -> bool:
    """Whether a drill ever had part in a statement of this provider."""
    raw, _rest = raw_lines(home, f"data/actors/{actor}/journal.jsonl")
    steps = [parsed(line) or {} for line in raw if b'"statement.finished"' in line]
    events = [event for step in steps for event in step.get("events", [])]
    return any(event.get("written", {}).get("injected") for event in events)


def _once(lines: list[Stated], truth: list[Line], report: Report) -> None:
    """Each effect is stated once in all statements, as it really happened."""
    signs = {"capture": 1, **EFFECTS}
    really = {
        _key(line["operation"], line["reference"], line["operation_id"]): line
        for line in truth
        if line["operation"] in signs
    }
    seen: dict[tuple[str, str, str], Stated] = {}
    for line in lines:
        key = _key(line.kind, line.reference, line.operation_id)
        effect = really.get(key)
        message = None
        if key in seen:
            first = seen[key]
            message = f"stated twice, first at {first.path}:{first.number}"
        elif effect is None:
            message = "stated, and the truth has no such capture"
        elif (signs[effect["operation"]] * effect["amount"], effect["currency"]) != (
            line.gross,
            line.currency,
        ):
            message = f"{line.gross} {line.currency} stated of {effect['amount']} captured"
        if message:
            report.add("statements", line.path, line.number, f"{line.reference}: {message}")
        seen.setdefault(key, line)


def _key(kind: str, reference: str, operation_id: str) -> tuple[str, str, str]:
    """One reference has one capture and one refund; disputes have names of their own."""
    return kind, reference, operation_id if kind in ABOUT_DISPUTES else ""


def _banked(home: Path, provider: str, lines: list[Stated], report: Report) -> Money:
    """What arrived at the bank by batch: just what each batch's statement leaves."""
    stated: Money = Counter()
    for line in lines:
        stated[line.batch_id, line.currency] += line.net
    banked: Money = Counter()
    for path in sorted((home / f"data/providers/statements/{provider}").glob("bank_*.csv")):
        with path.open(newline="") as file:
            for number, row in enumerate(csv.DictReader(file), 2):
                report.saw("bank files")
                key = row["reference"], row["currency"]
                amount = _minor(row["amount"], row["currency"])
                if key in banked or stated[key] != amount:
                    message = f"{key[0]}: {amount} {key[1]} arrived, {stated[key]} was stated"
                    report.add("bank files", str(path.relative_to(home)), number, message)
                banked[key] += amount
    for (batch_id, code), amount in stated.items():
        if amount and (batch_id, code) not in banked:
            message = f"{batch_id}: {amount} {code} stated and never arrived"
            report.add("bank files", f"data/providers/statements/{provider}", 0, message)
    return banked


def _received(provider: str, entries: list[Line], banked: Money, report: Report) -> None:
    """The ledger received what the bank files say, and nothing else."""
    for entry in entries:
        if entry["type"] == "provider.payout_received" and entry["data"]["provider"] == provider:
            key = entry["data"]["batch_id"], entry["currency"]
            if banked[key] != entry["amount"]:
                message = f"{key[0]}: {entry['amount']} {key[1]} received, the bank: {banked[key]}"
                report.add("payouts", entry.path, entry.number, message)


def _moves_plainly(entries: list[Line]) -> bool:
    """Whether nothing but captures, their settlement and payouts moved what providers owe us."""
    return not any(
        entry["type"] not in _PLAIN or (entry["data"] or {}).get("adjusted")
        for entry in entries
        for posting in entry["postings"] or []
        if posting["account"].startswith(("asset:provider", "asset:suspense", "asset:bank"))
    )


def _accounts(
    provider: str,
    entries: list[Line],
    payments: dict[str, Payment],
    movements: list[Movement],
    report: Report,
) -> None:
    """What a provider owes us is its captures less its fees that are in no statement; what is in
    transit are those that are, less what the bank received."""
    wanted, found = _wanted(provider, payments), Counter[tuple[str, str]]()
    wanted.update(_went_back(provider, entries, movements))
    names = {f"asset:{provider}:receivable", f"asset:{provider}:payout_in_transit"}
    for entry in entries:
        for posting in entry["postings"] or []:
            if posting["account"] in names:
                found[posting["account"], posting["currency"]] += posting["amount"]
        if entry["type"] == "provider.payout_received" and entry["data"]["provider"] == provider:
            wanted[f"asset:{provider}:payout_in_transit", entry["currency"]] -= entry["amount"]
    for key in wanted.keys() | found.keys():
        report.saw("accounts")
        if wanted[key] != found[key]:
            message = f"{key[0]} is {found[key]} {key[1]}, its facts make {wanted[key]}"
            report.add("accounts", PAYMENTS, 0, message)


def _wanted(provider: str, payments: dict[str, Payment]) -> Money:
    wanted: Money = Counter()
    for payment in payments.values():
        fees: dict[str, int] = defaultdict(int)
        for fee in payment.of_type("fee.charged"):
            fees[fee["data"]["capture_id"]] += fee["data"]["provider_fee"]
        settled = {(e["data"] or {}).get("capture_id") for e in payment.of_type("payment.settled")}
        for entry in payment.of_type("payment.captured"):
            if entry["data"]["provider"] != provider:
                continue
            ident = entry["data"].get("capture_id")
            kind = "payout_in_transit" if ident in settled else "receivable"
            net = entry["amount"] - fees[ident]
            wanted[f"asset:{provider}:{kind}", entry["currency"]] += net
    return wanted


def _went_back(provider: str, entries: list[Line], movements: list[Movement]) -> Money:
    """What refunds and disputes moved of what the provider owes us, or of what it paid out."""
    found: Money = Counter()
    settled = _claims_settled(entries)
    for one in movements:
        is_paid = (one.entry["ref"], one.effect) in settled
        kind = "payout_in_transit" if is_paid else "receivable"
        found[f"asset:{provider}:{kind}", one.entry["currency"]] += one.net
    return found


def _no_breaks(home: Path, entries: list[Line], report: Report) -> None:
    """No statement was spoiled, so no report has a break, but one about a claim that was booked
    after it; and nothing is unexplained."""
    for path in sorted(home.glob("data/reconciliation/reconciliation_report_*.json")):
        report.saw("reports")
        name, made = str(path.relative_to(home)), json.loads(path.read_bytes())
        later = _booked_later(entries, made.get("inputs", []))
        for one in made["breaks"]:
            if (one["class"], one["payment_id"]) in later:
                continue
            message = f"break {one['n']}: {one['class']} of {one['payment_id']}, and no drill"
            report.add("reports", name, 0, message)
        for code, sums in made["totals"].items():
            if sums["unexplained"]:
                message = f"{sums['unexplained']} {code} unexplained"
                report.add("reports", name, 0, message)


def _booked_later(entries: list[Line], inputs: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """(class of break, payment) of claims that were booked behind what a report has read."""
    known = max((one.get("through_seq", 0) for one in inputs), default=0)
    names = {"dispute": "chargeback", "refund": "refund"}
    found = [(names.get(e["type"].partition(".")[0]), e) for e in entries if e["seq"] > known]
    return {(name, e["data"]["payment_id"]) for name, e in found if name is not None}
