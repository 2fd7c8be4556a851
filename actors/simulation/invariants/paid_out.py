"""What providers paid out, held against what arrived: the truth, the bank's files, the ledger.

A payout is one line of truth for each batch and currency. It is written once its statement and the
bank's file lie there, and before anybody of us is told.
"""

import io
from collections import Counter

from actors.simulation.evidence import Evidence
from actors.simulation.invariants.invariant import Invariant
from actors.simulation.reading import PAYOUT, provider_of
from payrail.domain.settlement import bank

FOLDER = "data/providers/statements"
Paid = Counter[tuple[str, str, str]]  # by (provider, batch, currency), minor units


def paid_is_banked(evidence: Evidence) -> list[str]:
    """What a provider paid out is in the bank's file, to the unit; what we booked as received was
    really paid out."""
    banked, paid, found = _banked(evidence), Counter[tuple[str, str, str]](), list[str]()
    for row in evidence.books.truths:
        if row["operation"] != PAYOUT:
            continue
        key = provider_of(row), str(row["reference"]), str(row["currency"])
        paid[key] += int(row["amount"])
        if banked[key] != row["amount"]:
            what = f"{key[1]}: {row['amount']} {key[2]} paid out, {banked[key]} at the bank"
            found.append(f"{what} ({row.place})")
    for entry in evidence.books.entries:
        if entry.fact.type != "provider.payout_received":
            continue
        data = entry.fact.data
        key = data.provider, data.batch_id, str(entry.fact.currency)
        if paid[key] != entry.fact.amount:
            what = f"{key[1]}: {entry.fact.amount} {key[2]} received, {paid[key]} paid out"
            found.append(f"{what} ({entry.place})")
    return found


def _banked(evidence: Evidence) -> Paid:
    found: Paid = Counter()
    for provider in ("providerA", "providerB"):
        for name in evidence.books.listdir(f"{FOLDER}/{provider}"):
            if not name.startswith("bank_"):
                continue
            path = f"{FOLDER}/{provider}/{name}"
            lines = io.BytesIO(evidence.books.bytes_of(path))
            for _number, row in bank.read(path, lines):
                found[provider, row.reference, row.currency] += row.amount
    return found


INVARIANTS = (Invariant("M6", "what is paid out arrives", paid_is_banked),)
