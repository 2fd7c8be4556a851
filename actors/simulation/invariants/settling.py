"""Settlement: each capture is settled once, stands in a file like that, or is flagged.

Only what the ledger and the files in data/settlement and data/reconciliation say. That statements
are what happened is checked where the truth is.
"""

import csv
import io
from collections import Counter
from typing import Any

from actors.simulation.evidence import Evidence
from actors.simulation.invariants.invariant import Invariant
from payrail.runtime.recovery import journal_path

FOLDER, REPORTS = "data/settlement", "data/reconciliation"
NEWEST = f"{REPORTS}/reconciliation_report.json"


def settled_once_or_flagged(evidence: Evidence) -> list[str]:
    """No line of a settlement file stands twice or is about nobody; what the ledger calls settled
    stands there; where no drill spoiled a statement, nothing is unexplained."""
    stated, found = _stated(evidence)
    for entry in evidence.books.entries:
        data = entry.fact.data
        if entry.fact.type != "payment.settled" or data.adjusted or data.capture_id is None:
            continue
        if not stated[entry.fact.ref, data.capture_id, str(entry.fact.amount)]:
            what = f"{entry.fact.ref}: {data.capture_id} is settled, and stands in no file"
            found.append(f"{what} ({entry.place})")
    return found + _unexplained(evidence)


def _stated(evidence: Evidence) -> tuple[Counter[tuple[str, str, str]], list[str]]:
    """Captures in all files by payment, name and amount; and what is wrong with the files."""
    stated: Counter[tuple[str, str, str]] = Counter()
    seen: dict[tuple[str, ...], str] = {}
    found = []
    payments = evidence.told.payments
    for name in evidence.books.listdir(FOLDER):
        if not name.startswith("settlement_"):
            continue
        text = evidence.books.bytes_of(f"{FOLDER}/{name}").decode()
        for number, row in enumerate(csv.DictReader(io.StringIO(text)), 2):
            place = f"{FOLDER}/{name}:{number}"
            key = (row["provider"], row["provider_reference"], row["type"], row["batch_id"])
            if key in seen and not _is_spoiled(evidence):
                found.append(f"{key[1]}: {key[2]} stands twice ({seen[key]}, {place})")
            seen[key] = place
            stated[row["payment_id"], row["operation_id"], row["gross"]] += 1
            if row["payment_id"] not in payments and not _is_spoiled(evidence):
                found.append(f"{row['payment_id'] or 'a line'} is no payment of ours ({place})")
    return stated, found


def _unexplained(evidence: Evidence) -> list[str]:
    report = evidence.books.json(NEWEST)
    if report is None or _is_spoiled(evidence):
        return []
    # What a provider really asks for is its own business, and differs where people say so.
    late = _told_later(evidence, report)
    breaks = [
        one
        for one in report["breaks"]
        if one["class"] != "fee" and (one["class"], one["payment_id"]) not in late
    ]
    found = [
        f"break {one['n']}: {one['class']} of {one['payment_id']}, and no drill ({NEWEST})"
        for one in breaks
    ]
    for currency, sums in report["totals"].items():
        if sums["unexplained"] and len(breaks) == len(report["breaks"]):
            found.append(f"{sums['unexplained']} {currency} are unexplained ({NEWEST})")
    dated = f"{REPORTS}/reconciliation_report_{report['date']}.json"
    if evidence.is_quiet and evidence.books.bytes_of(dated) != evidence.books.bytes_of(NEWEST):
        found.append(f"the newest report is not that of {report['date']} ({NEWEST})")
    return found


def _told_later(evidence: Evidence, report: dict[str, Any]) -> set[tuple[str, str]]:
    """(class, payment) of claims that were booked behind the prefix which the report judges: what
    providers had done by then was still on its way to us, and is right to be a break in it."""
    known = max((one.get("through_seq", 0) for one in report["inputs"]), default=0)
    return {
        (name, entry.fact.data.payment_id)
        for entry in evidence.books.entries
        for begins, name in _CLAIMS.items()
        if entry.seq > known and entry.fact.type.startswith(begins)
    }


#: Entries of claims, and the class of break that a line about one is while we have none.
_CLAIMS = {"dispute.": "chargeback", "refund.": "refund"}


def _is_spoiled(evidence: Evidence) -> bool:
    """Whether a drill ever had part in a statement: its breaks are then right."""
    return any(
        b'"injected":["' in raw or b'"injected":[{' in raw
        for name in ("provider-a", "provider-b")
        for raw in evidence.books.lines(journal_path(name))
    )


INVARIANTS = (Invariant("I10", "settled once, or flagged", settled_once_or_flagged),)
