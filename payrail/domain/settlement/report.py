"""The report of one date: a function of a ledger prefix, statements and bank files, byte for byte.

Never: holds the time at which it was written, or anything that was decided after the closing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import Struct, structs

from payrail.domain.settlement import breaks
from payrail.domain.settlement.breaks import Break
from payrail.domain.settlement.lines import REFUND, StatementLine
from payrail.domain.settlement.matching import Found
from payrail.domain.settlement.ours import Ours
from payrail.domain.words.settlement import BankRow, SettledRow

_encode = msgspec.json.Encoder(order=None).encode


class Rolled(Struct, kw_only=True):
    """One payment of a report: all its captures together."""

    payment_id: str
    merchant_id: str | None
    status: str  # MATCHED | MISMATCHED | EXPECTED
    currency: str
    captures: int = 0
    ledger: int = 0  # net, in minor units
    statement: int = 0
    breaks: list[int] = []


@dataclass(frozen=True, slots=True)
class Report:
    """What a report says, before it is bytes."""

    date: str
    inputs: list[dict[str, Any]]
    counts: dict[str, int]
    totals: dict[str, dict[str, int]]
    payments: list[Rolled]
    breaks: list[Break]

    @property
    def unexplained(self) -> dict[str, int]:
        return {code: sums["unexplained"] for code, sums in self.totals.items()}


def made(date: str, inputs: list[dict[str, Any]], found: Found, bank: Iterable[BankRow]) -> Report:
    """The report of what was found."""
    sides = sorted(found.breaks, key=lambda side: _order(side[0]))
    numbered = [structs.replace(side[0], n=n) for n, side in enumerate(sides, 1)]
    by_class = [one.class_ for one in numbered]
    missing_ours, missing_theirs = by_class.count("missing_ours"), by_class.count("missing_theirs")
    counts = {
        "matched": len(found.matched) + len(found.caught_up),
        "mismatched": len(by_class) - missing_ours - missing_theirs,
        "missing_ours": missing_ours,
        "missing_theirs": missing_theirs,
        "expected": len(found.expected),
    }
    payments = _rolled(found, numbered, sides)
    return Report(date, inputs, counts, _totals(found, bank), payments, numbered)


def _order(one: Break) -> tuple[str, int, str, str]:
    theirs = one.theirs
    # What is in no statement comes last.
    return (theirs.file, theirs.line, "", "") if theirs else ("~", 0, one.payment_id or "", one.id)


def _totals(found: Found, bank: Iterable[BankRow]) -> dict[str, dict[str, int]]:
    """By currency: net sums of each side, what breaks and doubts explain, and the rest."""
    sums: dict[str, dict[str, int]] = {}

    def add(currency: str, name: str, amount_minor: int) -> None:
        row = sums.setdefault(currency, dict.fromkeys(_COLUMNS, 0))
        row[name] += amount_minor

    for ours, _line in found.matched:
        add(ours.currency, "ledger", ours.net)
    for broken, counted, line in found.breaks:
        if line is not None and (broken.batch_id, line.currency) not in found.paid:
            continue  # of an earlier batch: in the totals of its own date it was in doubt
        if counted is not None:
            add(counted.currency, "ledger", counted.net)
        for currency, amount_minor in breaks.effect(counted, line).items():
            add(currency, "explained", amount_minor)
    for line in found.doubtful:
        add(line.currency, "explained", line.net)
    for (_batch_id, currency), amount_minor in found.paid.items():
        add(currency, "statement", amount_minor)
    for row in bank:
        add(row.currency, "bank", row.amount)
    for row_of in sums.values():
        row_of["unexplained"] = row_of["bank"] - row_of["ledger"] - row_of["explained"]
    return dict(sorted(sums.items()))


_COLUMNS = ("ledger", "statement", "bank", "explained", "unexplained")


def _rolled(found: Found, numbered: Sequence[Break], sides: Sequence[Any]) -> list[Rolled]:
    rows: dict[str, Rolled] = {}

    def row(payment_id: str, merchant_id: str | None, currency: str, status: str) -> Rolled:
        made = Rolled(
            payment_id=payment_id, merchant_id=merchant_id, status=status, currency=currency
        )
        return rows.setdefault(payment_id, made)

    for one, (_same, counted, line) in zip(numbered, sides, strict=True):
        if one.payment_id is None:
            continue
        rolled = row(one.payment_id, one.merchant_id, one.currency, "MISMATCHED")
        rolled.breaks = [*rolled.breaks, one.n]
        rolled.captures += counted is not None and counted.is_capture
        rolled.ledger += counted.net if counted else 0
        rolled.statement += line.net if line and line.currency == rolled.currency else 0
    for ours, line in found.matched:
        rolled = row(ours.payment_id, ours.merchant_id, ours.currency, "MATCHED")
        rolled.captures += ours.is_capture
        rolled.ledger += ours.net
        rolled.statement += line.net
    for ours, _batch, _line in found.caught_up:
        rolled = row(ours.payment_id, ours.merchant_id, ours.currency, "MATCHED")
        rolled.captures += ours.is_capture
        rolled.ledger += ours.net
        rolled.statement += ours.net
    for ours in found.expected:
        rolled = row(ours.payment_id, ours.merchant_id, ours.currency, "EXPECTED")
        if rolled.status == "EXPECTED":
            rolled.captures += ours.is_capture
            rolled.ledger += ours.net
    return [rows[payment_id] for payment_id in sorted(rows)]


def rendered(report: Report) -> bytes:
    """The bytes of the report: JSON, one payment and one break a line."""
    head: list[bytes] = [b"{"]
    head.append(b'"date":%b,' % _encode(report.date))
    head.append(b'"inputs":%b,' % _block(report.inputs))
    head.append(b'"counts":%b,' % _encode(report.counts))
    head.append(b'"totals":%b,' % _encode(report.totals))
    head.append(b'"payments":%b,' % _block(report.payments))
    head.append(b'"breaks":%b' % _block([one.as_json for one in report.breaks]))
    head.append(b"}\n")
    return b"\n".join(head)


def _block(rows: Sequence[Any]) -> bytes:
    if not rows:
        return b"[]"
    return b"[\n%b\n]" % b",\n".join(map(_encode, rows))


def to_settle(found: Found) -> list[SettledRow]:
    """What the gateway may book: captures that match, of payments without a break in this report.
    Sorted, so that the same report has the same pages."""
    held_back = {broken.payment_id for broken, _, _ in found.breaks}
    sides = [(ours, line.batch_id, line) for ours, line in found.matched]
    sides += [(ours, batch.id, line) for ours, batch, line in found.caught_up]
    rows = [
        settled_row(ours, batch_id, line)
        for ours, batch_id, line in sides
        if ours.payment_id not in held_back
    ]
    return sorted(rows, key=_place)


def _place(row: SettledRow) -> tuple[str, str]:
    return row.payment_id or "", row.capture_id or row.refund_id or row.claim_key or ""


def settled_row(ours: Ours, batch_id: str | None, line: StatementLine) -> SettledRow:
    """What the gateway may book of a match. The line of a capture is never posted before it: its
    call is in the book before it leaves, so that its line is in doubt until then, and no break."""
    if ours.is_capture:
        return SettledRow(ours.payment_id, ours.capture_id, ours.provider, batch_id)
    row = SettledRow(ours.payment_id, None, ours.provider, batch_id, line=line.place)
    name_claim(row, ours)
    return row


def name_claim(row: SettledRow, ours: Ours) -> None:
    """Tell which movement of a refund or a dispute this row takes out of receivable."""
    if ours.type == REFUND:
        row.refund_id = ours.capture_id
    else:
        row.claim_id, row.effect, row.net = ours.capture_id, ours.type, ours.net


def payouts(found: Found, bank: Iterable[BankRow]) -> list[BankRow]:
    """Bank lines that pay just what the statement of their batch says, each batch once."""
    good: dict[tuple[str, str], BankRow] = {}
    for row in bank:
        place = row.reference, row.currency
        if row.amount and found.paid.get(place) == row.amount:
            good.setdefault(place, row)
    return [good[place] for place in sorted(good)]
