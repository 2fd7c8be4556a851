"""Settlement: each capture once, with the money that its fees leave, and stated by its provider.

Read off the ledger and the settlement files alone. A capture that is settled without two people
stands in a settlement file with its amount; one that was adjusted names two different users. A line
of a statement is in transit once, whether it was matched or posted by two.
"""

import csv
from collections import Counter
from pathlib import Path

from tests.auditor.claims import Movement, by_effect
from tests.auditor.files import Line
from tests.auditor.ledger import Payment
from tests.auditor.report import Report

PAYMENTS = "data/ledger/payments.jsonl"
Stated = Counter[tuple[str, str, str]]


def check_settled(
    home: Path,
    payments: dict[str, Payment],
    movements: list[Movement],
    books: dict[str, list[Line]],
    report: Report,
) -> None:
    """Every payment.settled, and every payout that was received."""
    stated = _stated(home, report)
    claims = {key: found[0] for key, found in by_effect(movements).items()}
    posted = _lines_once(books.get(PAYMENTS, []), report)
    for payment in payments.values():
        _once(payment, report)
        for entry in payment.of_type("payment.settled"):
            report.saw("settled")
            if (entry["data"] or {}).get("adjusted"):
                _by_two(entry, report)
            elif (entry["data"] or {}).get("claim_id"):
                _claim_as_stated(entry, claims, stated, posted, report)
            elif (entry["data"] or {}).get("refund_id"):
                _refund_as_stated(entry, stated, posted, report)
            else:
                _as_stated(payment, entry, stated, report)
    _payouts(books.get(PAYMENTS, []), report)


def _stated(home: Path, report: Report) -> Stated:
    """(payment, capture, gross) of the capture and refund lines in all settlement files; of all
    others (payment, type and name at the provider, net)."""
    found: Stated = Counter()
    for path in sorted(home.glob("data/settlement/settlement_*.csv")):
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                report.saw("settlement file")
                if row["type"] in ("capture", "refund"):
                    found[row["payment_id"], row["operation_id"], row["gross"]] += 1
                else:
                    name = f"{row['type']} {row['provider_reference']}"
                    found[row["payment_id"], name, row["net"]] += 1
    return found


def _lines_once(entries: list[Line], report: Report) -> set[str]:
    """Lines that two people have posted; none goes into transit again."""
    in_transit: set[str] = set()
    posted: set[str] = set()
    for entry in entries:
        data = entry["data"] or {}
        line = data.get("line")
        if line is None:
            continue
        report.saw("lines of statements")
        if data.get("approved_by"):
            posted.add(line)
        if not any(p["account"].endswith(":payout_in_transit") for p in entry["postings"]):
            continue
        if line in in_transit:
            message = f"{entry['ref']}: {line} goes into transit twice"
            report.add("settled", entry.path, entry.number, message)
        in_transit.add(line)
    return posted


def _into(entry: Line, provider: str, posted: set[str]) -> str:
    """Where what is settled goes: of a line that two had put into transit before we knew of it,
    against what they put aside."""
    is_posted = entry["data"].get("line") in posted
    kind = f"suspense:recon:{provider}" if is_posted else f"{provider}:payout_in_transit"
    return f"asset:{kind}"


def _once(payment: Payment, report: Report) -> None:
    captures = {
        (entry["data"] or {}).get("capture_id"): entry
        for entry in payment.of_type("payment.captured")
    }
    seen: set[str] = set()
    for entry in payment.of_type("payment.settled"):
        ident = (entry["data"] or {}).get("capture_id")
        if ident is None:
            continue
        capture = captures.get(ident)
        if capture is None or ident in seen or capture["amount"] != entry["amount"]:
            message = f"{entry['ref']}: {ident} is settled twice, or was never captured like that"
            report.add("settled", entry.path, entry.number, message)
        seen.add(ident)


def _by_two(entry: Line, report: Report) -> None:
    users = entry["data"].get("proposed_by"), entry["data"].get("approved_by")
    if None in users or users[0] == users[1]:
        message = f"{entry['ref']}: adjusted by {users[0]} and {users[1]}, not by two people"
        report.add("settled", entry.path, entry.number, message)


def _as_stated(payment: Payment, entry: Line, stated: Stated, report: Report) -> None:
    ident, provider = entry["data"]["capture_id"], entry["data"]["provider"]
    if not stated[entry["ref"], ident, str(entry["amount"])]:
        message = f"{entry['ref']}: {ident} is settled, but stands in no settlement file like that"
        report.add("settled", entry.path, entry.number, message)
    fees = [e["data"] for e in payment.of_type("fee.charged") if e["data"]["capture_id"] == ident]
    if len(fees) != 1:
        message = f"{entry['ref']}: {len(fees)} fees of {ident}"
        report.add("settled", entry.path, entry.number, message)
        return
    net, due = (entry["amount"] - fees[0][name] for name in ("provider_fee", "merchant_fee"))
    wanted = {
        f"asset:{provider}:payout_in_transit": net,
        f"asset:{provider}:receivable": -net,
        f"liability:{entry['merchant_id']}:pending": due,
        f"liability:{entry['merchant_id']}:available": -due,
    }
    posted = {posting["account"]: posting["amount"] for posting in entry["postings"]}
    if posted != {account: amount for account, amount in wanted.items() if amount}:
        message = f"{entry['ref']}: settling {ident} moves other money than its fees leave"
        report.add("settled", entry.path, entry.number, message)


def _refund_as_stated(entry: Line, stated: Stated, posted_lines: set[str], report: Report) -> None:
    """A refund leaves the payout: what it took is owed to us no longer, and was not paid."""
    ident, provider = entry["data"]["refund_id"], entry["data"]["provider"]
    posted = {posting["account"]: posting["amount"] for posting in entry["postings"]}
    back = posted.get(f"asset:{provider}:receivable", 0)
    into = _into(entry, provider, posted_lines)
    if back <= 0 or posted.get(into) != -back or len(posted) != 2:
        message = f"{entry['ref']}: settling {ident} moves other money than the refund"
        report.add("settled", entry.path, entry.number, message)
    if not stated[entry["ref"], ident, str(-back)]:
        message = f"{entry['ref']}: {ident} is settled, but stands in no settlement file like that"
        report.add("settled", entry.path, entry.number, message)


def _claim_as_stated(
    entry: Line,
    claims: dict[tuple[str, str], Movement],
    stated: Stated,
    posted_lines: set[str],
    report: Report,
) -> None:
    """What a dispute moved is in a payout with its fee, once."""
    key = entry["data"]["claim_id"], entry["data"]["effect"]
    moved = claims.pop(key, None)
    if moved is None or moved.payment_id != entry["ref"]:
        message = f"{entry['ref']}: {key[1]} of {key[0]} is settled twice, or never happened"
        report.add("settled", entry.path, entry.number, message)
        return
    posted = {posting["account"]: posting["amount"] for posting in entry["postings"]}
    wanted = {
        _into(entry, moved.provider, posted_lines): moved.net,
        f"asset:{moved.provider}:receivable": -moved.net,
    }
    if posted != {account: amount for account, amount in wanted.items() if amount}:
        message = f"{entry['ref']}: settling {key[1]} of {key[0]} moves other money than it did"
        report.add("settled", entry.path, entry.number, message)
    if not stated[entry["ref"], f"{moved.effect} {moved.provider_reference}", str(moved.net)]:
        message = f"{entry['ref']}: {key[1]} of {key[0]} stands in no settlement file like that"
        report.add("settled", entry.path, entry.number, message)


def _payouts(entries: list[Line], report: Report) -> None:
    seen: set[tuple[str, str]] = set()
    for entry in entries:
        if entry["type"] != "provider.payout_received":
            continue
        report.saw("payouts")
        key = entry["data"]["batch_id"], entry["currency"]
        banked = sum(p["amount"] for p in entry["postings"] if p["account"] == "asset:bank")
        if key in seen or banked != entry["amount"]:
            message = f"{key[0]}: received twice in {key[1]}, or another amount was posted"
            report.add("payouts", entry.path, entry.number, message)
        seen.add(key)
