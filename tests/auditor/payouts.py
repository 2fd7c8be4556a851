"""Payouts to merchants: each leaves what was available once, and a file of a day tells of each.

Read off the ledger and the files of payouts alone. Written down from the rules' page: created takes
from available, paid leaves the bank, failed gives back, also after it was paid.
"""

import csv
from collections import Counter, defaultdict
from pathlib import Path

from tests.auditor.files import Line
from tests.auditor.report import Report

_LEADS = {"payout.created": "in_transit", "payout.paid": "paid", "payout.failed": "failed"}
_FOLLOWS: dict[str, set[str | None]] = {
    "payout.created": {None},
    "payout.paid": {"in_transit"},
    "payout.failed": {"in_transit", "paid"},
}


def check_payouts(home: Path, books: dict[str, list[Line]], report: Report) -> None:
    """Every payout of the ledger, then the files."""
    files = (books.get(f"data/ledger/{n}.jsonl", []) for n in ("payments", "refunds", "disputes"))
    entries = sorted((line for lines in files for line in lines), key=lambda line: line["seq"] or 0)
    balances: Counter[tuple[str, str]] = Counter()
    made: dict[str, list[Line]] = defaultdict(list)
    for entry in entries:
        for posting in entry["postings"] or []:
            balances[posting["account"], posting["currency"]] += posting["amount"]
        if str(entry["type"]).startswith("payout."):
            report.saw("merchant payouts")
            _one(entry, made[str(entry["ref"])], balances, report)
            made[str(entry["ref"])].append(entry)
    _in_files(home, made, report)


def _one(
    entry: Line, before: list[Line], balances: Counter[tuple[str, str]], report: Report
) -> None:
    def wrong(why: str) -> None:
        report.add("merchant payouts", entry.path, entry.number, f"{entry['ref']}: {why}")

    was = _LEADS[str(before[-1]["type"])] if before else None
    kind, amount = str(entry["type"]), int(entry["amount"])
    if was not in _FOLLOWS[kind]:
        wrong(f"{kind} cannot follow {was or 'nothing'}")
    first = (before or [entry])[0]
    names = ("merchant_id", "currency", "amount")
    if any(entry[name] != first[name] for name in names) or amount < 1:
        wrong("merchant, currency or amount differ from when it was made")
    available = f"liability:{entry['merchant_id']}:available"
    transit = f"liability:{entry['merchant_id']}:payout_in_transit"
    source = "asset:bank" if was == "paid" else transit
    wanted = {
        "payout.created": {available: amount, transit: -amount},
        "payout.paid": {transit: amount, "asset:bank": -amount},
        "payout.failed": {source: amount, available: -amount},
    }[kind]
    posted = {one["account"]: one["amount"] for one in entry["postings"]}
    if posted != wanted:
        wrong(f"posts {posted}, not {wanted}")
    left = balances[available, entry["currency"]]
    if kind == "payout.created" and left > 0:
        wrong(f"{left} more than was available")


def _in_files(home: Path, made: dict[str, list[Line]], report: Report) -> None:
    """Each payout stands once, in the file of its day, as it stands in the ledger."""
    found: Counter[str] = Counter()
    for path in sorted(home.glob("data/settlement/payouts_*.csv")):
        name = str(path.relative_to(home))
        with path.open(newline="") as file:
            for number, row in enumerate(csv.DictReader(file), 2):
                report.saw("payout files")
                found[row["payout_id"]] += 1
                entries = made.get(row["payout_id"], [])
                state = _LEADS[str(entries[-1]["type"])] if entries else "nothing"
                day = (entries[0]["data"] or {}).get("date") if entries else None
                amount = str(entries[0]["amount"]) if entries else ""
                told = row["state"], row["amount"], path.stem.removeprefix("payouts_")
                if told != (state, amount, day):
                    message = f"{row['payout_id']}: {told} told, the ledger has {state} {amount}"
                    report.add("payout files", name, number, message)
    for ident, entries in made.items():
        if found[ident] != 1:
            message = f"{ident} stands in {found[ident]} files"
            report.add("payout files", entries[0].path, entries[0].number, message)
