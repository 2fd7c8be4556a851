"""A merchant's own part of settlement files and reports, summed anew.

Amounts are minor units, signed. Never: reads a file, or lets another merchant's line through.
"""

import csv
import io
from typing import Any

_SUMS = ("gross", "fee", "net")


def own_lines(data: bytes, merchant_id: str) -> bytes:
    """A settlement file's lines of one merchant, under the same head."""
    rows = csv.reader(io.StringIO(data.decode()))
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    head = next(rows)
    place = head.index("merchant_id")
    writer.writerow(head)
    writer.writerows(row for row in rows if row[place] == merchant_id)
    return text.getvalue().encode()


def summed(data: bytes, merchant_id: str | None) -> dict[str, Any]:
    """How many lines, and their sums by currency and batch, in minor units."""
    lines, totals, batches = 0, dict[str, dict[str, int]](), dict[str, int]()
    for row in csv.DictReader(io.StringIO(data.decode())):
        if merchant_id not in (None, row["merchant_id"]):
            continue
        lines += 1
        batches[row["batch_id"]] = batches.get(row["batch_id"], 0) + 1
        sums = totals.setdefault(row["currency"], dict.fromkeys(_SUMS, 0))
        for name in _SUMS:
            sums[name] += int(row[name])
    return {"lines": lines, "totals": totals, "batches": batches}


def own_report(report: dict[str, Any], merchant_id: str) -> dict[str, Any]:
    """A merchant's part: its payments and breaks, counted again. The bank pays for the house, so
    its own sums stop at the statement."""
    payments = [row for row in report["payments"] if row["merchant_id"] == merchant_id]
    breaks = [one for one in report["breaks"] if one["merchant_id"] == merchant_id]
    classes = [one["class"] for one in breaks]
    ours, theirs = classes.count("missing_ours"), classes.count("missing_theirs")
    counts = {
        "matched": sum(row["captures"] for row in payments if row["status"] == "MATCHED"),
        "mismatched": len(breaks) - ours - theirs,
        "missing_ours": ours,
        "missing_theirs": theirs,
        "expected": sum(row["captures"] for row in payments if row["status"] == "EXPECTED"),
    }
    totals = _own_totals(payments, breaks)
    return {**report, "counts": counts, "totals": totals, "payments": payments, "breaks": breaks}


def _own_totals(
    payments: list[dict[str, Any]], breaks: list[dict[str, Any]]
) -> dict[str, dict[str, int | None]]:
    """By currency: what the breaks' postings say beside what the payments' rows say."""
    sums: dict[str, dict[str, int]] = {}

    def add(currency: str, name: str, amount: int) -> None:
        sums.setdefault(currency, {"ledger": 0, "statement": 0, "explained": 0})[name] += amount

    for row in payments:
        if row["status"] != "EXPECTED":
            add(row["currency"], "ledger", row["ledger"])
            add(row["currency"], "statement", row["statement"])
    for one in breaks:
        for posting in one["suggested_posting"]:
            currency, amount = posting["currency"], posting["amount"]
            if posting["account"].endswith((":payout_in_transit", ":receivable")):
                add(currency, "explained", amount)
            if posting["account"].endswith(":payout_in_transit") and currency != one["currency"]:
                add(currency, "statement", amount)
    return {
        currency: {
            **row,
            "bank": None,
            "unexplained": row["statement"] - row["ledger"] - row["explained"],
        }
        for currency, row in sorted(sums.items())
    }
