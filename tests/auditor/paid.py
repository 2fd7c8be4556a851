"""What each provider paid out: its truth, its statement's last lines, the bank's file, the ledger.

Read off those four alone. All lines of a statement and currency come to nothing with the payout;
the bank's file has each payout, the truth has each once, and the ledger received nothing else.
"""

import csv
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from tests.auditor.files import Line
from tests.auditor.report import Report
from tests.auditor.truth import PAYOUT

#: Currencies whose minor unit is not a hundredth.
_PLACES = {"JPY": 0, "KRW": 0, "CLP": 0, "VND": 0, "BHD": 3, "KWD": 3, "TND": 3, "JOD": 3}
_CHECK = "provider payouts"
Money = Counter[tuple[str, str]]  # by (batch, currency), minor units


def check_paid(home: Path, books: dict[str, list[Line]], report: Report) -> None:
    """Every payout of both providers."""
    entries = books.get("data/ledger/payments.jsonl", [])
    for provider in ("providerA", "providerB"):
        stated = _stated(home, provider, report)
        _banked(home, provider, stated, report)
        paid = _paid(books.get(f"data/providers/{provider}_truth.jsonl", []), stated, report)
        for entry in entries:
            if entry["type"] != "provider.payout_received":
                continue
            if (data := entry["data"] or {}).get("provider") != provider:
                continue
            key = str(data["batch_id"]), str(entry["currency"])
            if paid[key] != entry["amount"]:
                message = f"{key[0]}: {entry['amount']} {key[1]} received, {paid[key]} paid out"
                report.add(_CHECK, entry.path, entry.number, message)


def _stated(home: Path, provider: str, report: Report) -> Money:
    """What each statement pays out, which is what its other lines come to."""
    found: Money = Counter()
    for path in sorted((home / "data/providers/statements" / provider).glob(f"{provider}-*.csv")):
        sums: Money = Counter()
        for kind, currency, net in _rows(path):
            sums[path.stem, currency] += net
            if kind in (PAYOUT, "MerchantPayout"):
                found[path.stem, currency] -= net
        for (_, currency), rest in sums.items():
            report.saw(_CHECK)
            if rest:
                message = f"{rest} {currency} of its lines are not in its payout"
                report.add(_CHECK, str(path.relative_to(home)), 0, message)
    return found


def _rows(path: Path) -> Iterator[tuple[str, str, int]]:
    """(type, currency, net in minor units) of each line, whichever provider wrote it."""
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            if "reporting_category" in row:
                code = row["currency"].upper()
                yield row["reporting_category"], code, _minor(row["net"], code)
            else:
                code = row["Net Currency"]
                credit = _minor(row["Net Credit (NC)"], code)
                yield row["Type"], code, credit - _minor(row["Net Debit (NC)"], code)


def _minor(text: str, currency: str) -> int:
    return int(Decimal(text or "0").scaleb(_PLACES.get(currency, 2)))


def _banked(home: Path, provider: str, stated: Money, report: Report) -> None:
    folder = home / "data/providers/statements" / provider
    banked: Money = Counter()
    for path in sorted(folder.glob("bank_*.csv")):
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                code = row["currency"]
                banked[row["reference"], code] += _minor(row["amount"], code)
    for key in stated.keys() | banked.keys():
        if stated[key] != banked[key]:
            message = f"{key[0]}: {stated[key]} {key[1]} paid out, {banked[key]} at the bank"
            report.add(_CHECK, str(folder.relative_to(home)), 0, message)


def _paid(truth: list[Line], stated: Money, report: Report) -> Money:
    """The payouts of a truth: each once, and as its statement says."""
    found: Money = Counter()
    for line in truth:
        if line["operation"] != PAYOUT:
            continue
        report.saw(_CHECK)
        key = str(line["reference"]), str(line["currency"])
        if key in found:
            report.add(_CHECK, line.path, line.number, f"{key[0]}: paid out twice")
        elif stated[key] != line["amount"]:
            message = f"{key[0]}: {line['amount']} {key[1]} paid out, {stated[key]} were stated"
            report.add(_CHECK, line.path, line.number, message)
        found[key] += line["amount"]
    return found
